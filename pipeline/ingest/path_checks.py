"""Whether the paths of ``scans.csv`` lead somewhere, and stay within the cohort folder."""

import os
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from pipeline.domain.cohort import MASK_COLUMNS, ScanRow
from pipeline.domain.problem import Problem
from pipeline.ingest.codes import Code
from pipeline.ingest.cohort import BIOMARKERS_FILE, PATIENTS_FILE
from pipeline.ingest.dicom.mask_facts import is_dicom_mask
from pipeline.ingest.image_file import is_image_file
from pipeline.ingest.scan_rows import SCANS_FILE

PATH_COLUMNS = ("image", *MASK_COLUMNS.values())
"""Columns of ``scans.csv`` that hold paths."""

TABLES = (SCANS_FILE, PATIENTS_FILE, BIOMARKERS_FILE)


_Fault = partial[Problem]
"""What is wrong with a path, but for whose it is."""


def find_path_problems(root: Path, row: ScanRow, *, allow_outside: bool) -> list[Problem]:
    """List the paths of a row that are missing, cannot be opened or leave the folder.

    Links are followed: what counts is where the file lies. Of a DICOM folder, and of the folder
    around a DICOM file, the contents are looked at as well: the reader opens all of them.

    Parameters
    ----------
    root : Path
        The cohort folder.
    row : ScanRow
        Its image and masks (:data:`PATH_COLUMNS`) are looked up, not opened.
    allow_outside : bool
        Whether files may lie elsewhere.
    """
    problems = []
    for column in PATH_COLUMNS:
        written = getattr(row, column)
        fault = _find_fault(root, written, column, allow_outside=allow_outside) if written else None
        if fault:
            problems.append(fault(patient_id=row.patient_id, file=written, column=column))
    return problems


def find_table_links(root: Path, *, allow_outside: bool) -> Iterator[Problem]:
    """List the cohort's tables that are links to files elsewhere."""
    for name in TABLES:
        if not allow_outside and not _is_within(root / name, root):
            yield _outside("a link that leads out of it")(file=name)


def find_shared_images(scans: Sequence[ScanRow]) -> Iterator[tuple[int, Problem]]:
    """List images that stand for two patients, time points or phases, with the row's number.

    Most often a slip in the table; across patients it would put one scan on both sides of a split.
    """
    first_use: dict[str, ScanRow] = {}
    for number, row in enumerate(scans):
        first = first_use.setdefault(os.path.normpath(row.image), row)
        if _scan_key(first) != _scan_key(row):
            problem = Problem(
                code=Code.IMAGE_SHARED,
                what="one image is listed for two scans",
                expected="an image for each patient, time point, modality and phase",
                got=f"{' and '.join('/'.join(_scan_key(item)) for item in (first, row))}",
                next_step="Correct the column image in scans.csv.",
                patient_id=row.patient_id,
                file=row.image,
                column="image",
            )
            yield number, problem


def _scan_key(row: ScanRow) -> tuple[str, ...]:
    return (row.patient_id, row.timepoint, row.modality, row.phase)


def _find_fault(root: Path, written: str, column: str, *, allow_outside: bool) -> _Fault | None:
    path = root / written
    try:
        if not (allow_outside or _is_within(path, root)):
            return _outside(_way_out(written))
        if not path.exists():
            return _missing(written)
        return _find_opening_fault(path) or next(
            _content_faults(path, column, None if allow_outside else root), None
        )
    except PermissionError:
        return _closed("a folder on the way that must not be searched")
    except (OSError, RuntimeError, ValueError):
        # A name too long for the file system; links in a circle; a NUL byte.
        return _missing(written)


def _content_faults(path: Path, column: str, root: Path | None) -> Iterator[_Fault]:
    """Yield what is wrong with the files that a DICOM reader opens beside the one named."""
    if path.is_dir():
        folders: Iterator[tuple[str, list[str], list[str]]] = os.walk(path)
    elif not is_image_file(path.name) and (column == "image" or not is_dicom_mask(path)):
        folders = iter([next(os.walk(path.parent), (str(path.parent), [], []))])
    else:
        return
    for folder, names, files in folders:
        for name in sorted([*names, *files]):
            entry = Path(folder, name)
            if entry.is_symlink() and root is not None and not _is_within(entry, root):
                yield _outside(f"a folder with a link {name} that leads out of it")
            elif entry.exists() and not entry.is_dir():
                fault = _find_opening_fault(entry)
                if fault:
                    yield fault


def _find_opening_fault(path: Path) -> _Fault | None:
    if not (path.is_file() or path.is_dir()):
        return _special()
    needed = os.R_OK | os.X_OK if path.is_dir() else os.R_OK
    return None if os.access(path, needed) else _closed("no permission to read it")


def _is_within(path: Path, root: Path) -> bool:
    return path.resolve().is_relative_to(root.resolve())


def _way_out(written: str) -> str:
    if Path(written).is_absolute():
        return "an absolute path"
    if ".." in Path(written).parts:
        return "a path that goes up by .."
    return "a link that leads out of it"


def _outside(got: str) -> _Fault:
    return partial(
        Problem,
        code=Code.PATH_OUTSIDE,
        what="the path leaves the cohort folder",
        expected="a path within the folder, links followed",
        got=got,
        next_step="Move the file into the folder, or set allow_outside: true in cohort.yaml.",
    )


def _missing(written: str) -> _Fault:
    hint = " Write / between folders, not \\." if "\\" in written else ""
    if written != written.strip():
        hint += " It has spaces at its ends."
    return partial(
        Problem,
        code=Code.FILE_MISSING,
        what="the file is missing",
        expected="a file or DICOM folder",
        got="nothing at this path",
        next_step=f"Correct the path in scans.csv, or add the file.{hint}",
    )


def _special() -> _Fault:
    return partial(
        Problem,
        code=Code.FILE_MISSING,
        what="the path leads to something that cannot be an image",
        expected="a file or DICOM folder",
        got="a device, pipe or socket",
        next_step="Correct the path in scans.csv.",
    )


def _closed(got: str) -> _Fault:
    return partial(
        Problem,
        code=Code.IMAGE_UNREADABLE,
        what="the file must not be opened",
        expected="a file that you may read",
        got=got,
        next_step="Ask its owner for the permission to read.",
    )
