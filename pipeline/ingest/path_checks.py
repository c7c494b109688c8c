"""Whether the paths of ``scans.csv`` lead somewhere, and stay within the cohort folder."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.domain.cohort import ScanRow
from pipeline.domain.problem import Problem
from pipeline.ingest.codes import Code


def find_path_problems(root: Path, row: ScanRow, *, allow_outside: bool) -> list[Problem]:
    """List the paths of a row that are missing or leave the folder.

    Links are followed: what counts is where the file lies.

    Parameters
    ----------
    root : Path
        The cohort folder.
    row : ScanRow
        Its ``image``, ``mask`` and ``liver_mask`` are looked up, not opened.
    allow_outside : bool
        Whether files may lie elsewhere.
    """
    problems = []
    for column in ("image", "mask", "liver_mask"):
        written = getattr(row, column)
        if not written:
            continue
        path = root / written
        if not (allow_outside or _is_within(path, root)):
            problems.append(_outside(row, column, written, path))
        elif not path.exists():
            problems.append(_missing(row, column, written))
    return problems


def find_shared_images(scans: Sequence[ScanRow]) -> Iterator[tuple[int, Problem]]:
    """List images that stand for two patients, time points or phases, with the row's number.

    Most often a slip in the table; across patients it would put one scan on both sides of a split.
    """
    first_use: dict[str, ScanRow] = {}
    for number, row in enumerate(scans):
        first = first_use.setdefault(row.image, row)
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


def _is_within(path: Path, root: Path) -> bool:
    return path.resolve().is_relative_to(root.resolve())


def _outside(row: ScanRow, column: str, written: str, path: Path) -> Problem:
    how = "an absolute path" if Path(written).is_absolute() else f"a path to {path.resolve()}"
    return Problem(
        code=Code.PATH_OUTSIDE,
        what="the path leaves the cohort folder",
        expected="a path within the folder, links followed",
        got=how,
        next_step="Move the file into the folder, or set allow_outside: true in cohort.yaml.",
        patient_id=row.patient_id,
        file=written,
        column=column,
    )


def _missing(row: ScanRow, column: str, written: str) -> Problem:
    return Problem(
        code=Code.FILE_MISSING,
        what="the file is missing",
        expected="a file or DICOM folder",
        got="nothing at this path",
        next_step="Correct the path in scans.csv, or add the file.",
        patient_id=row.patient_id,
        file=written,
        column=column,
    )
