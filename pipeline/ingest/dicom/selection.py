"""Choose which stack of a folder is meant."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from pipeline.domain.scan import Modality
from pipeline.ingest.codes import Code
from pipeline.ingest.dicom.split import PARALLEL
from pipeline.ingest.dicom.stacks import Stack, Survey, survey
from pipeline.ingest.read_error import ReadError

LOCALISER_SLICES = 2
"""A series of so few slices across the planes of a longer one of its study is a localiser."""

LISTED = 12
"""Series that a message lists; the rest are counted."""


def find_stack(path: Path, modality: Modality | None) -> Stack:
    """Find the stack that a path means.

    Parameters
    ----------
    path : Path
        A folder that holds one stack of the modality, itself or in its sub-folders; or a file of
        the stack that is meant.
    modality : Modality or None
        What it must be; None for any.

    Raises
    ------
    ReadError
        If there is none, or several and the path does not say which, or a file beside them is
        damaged, so that a stack may lack it.
    """
    found = _survey_around(path)
    if found.damaged:
        file = found.damaged[0]
        reason = dict(found.skipped)[file]
        raise _no_series(path, "DICOM slices", f"a damaged file {file.name} ({reason})")
    stacks = _without_localisers(found.stacks)
    if path.is_file():
        stacks = [stack for stack in found.stacks if path in stack.files]
    if not stacks:
        raise _nothing(path, found)
    fitting = [stack for stack in stacks if modality in (None, stack.facts.modality)]
    if not fitting:
        raise _other_modality(path, stacks, modality or "")
    if len(fitting) > 1:
        raise _several(path, fitting)
    return fitting[0]


def _survey_around(path: Path) -> Survey:
    folder = path.parent if path.is_file() else path
    found = survey(_files(folder.iterdir()))
    if path.is_file() or found.stacks or found.masks or found.skipped:
        return found
    return survey(_files(folder.rglob("*")))


def _files(paths: Iterable[Path]) -> list[Path]:
    return [path for path in paths if path.is_file()]


def _without_localisers(stacks: Sequence[Stack]) -> list[Stack]:
    return [
        stack
        for stack in stacks
        if stack.slice_count > LOCALISER_SLICES
        or not any(_is_across(stack, other) for other in stacks)
    ]


def _is_across(stack: Stack, other: Stack) -> bool:
    same_study = stack.facts.study_uid == other.facts.study_uid
    crossed = abs(float(stack.slices[0].normal @ other.slices[0].normal)) < PARALLEL
    return same_study and other.slice_count > LOCALISER_SLICES and crossed


def _nothing(path: Path, found: Survey) -> ReadError:
    if path.is_file():
        reasons = [reason for file, reason in found.skipped if file == path]
        what = reasons or (["a DICOM mask"] if path in found.masks else [])
        if what:
            return _wrong_kind(path, what[0])
        return _no_series(path, "a DICOM file", "a file of another kind")
    if found.masks:
        return _wrong_kind(path, f"only masks, such as {found.masks[0].name}")
    if found.skipped:
        file, reason = found.skipped[0]
        return _wrong_kind(path, f"{file.name} ({reason})")
    return _no_series(path, "the slices of one DICOM series", "no DICOM file in this folder")


def _wrong_kind(path: Path, got: str) -> ReadError:
    return ReadError(
        path,
        "holds no image series that is read",
        expected="CT, MR or PET slices",
        got=got,
        next_step="Name the folder of the image series, or one of its slices.",
        code=Code.IMAGE_KIND,
    )


def _other_modality(path: Path, stacks: Sequence[Stack], modality: str) -> ReadError:
    return ReadError(
        path,
        "is of another modality than scans.csv says",
        expected=modality,
        got=", ".join(sorted({stack.facts.modality or "none" for stack in stacks})),
        next_step="Correct the column modality, or the path.",
        code=Code.MODALITY_DIFFERS,
    )


def _several(path: Path, stacks: Sequence[Stack]) -> ReadError:
    listed = "; ".join(stack.title for stack in stacks[:LISTED])
    more = f"; and {len(stacks) - LISTED} more" if len(stacks) > LISTED else ""
    folder = path.parent if path.is_file() else path
    importer = f"run `python -m pipeline.ingest {folder} --format dicom`"
    name_one = (
        "Name one slice of the series that is meant as the image, such as"
        f" {stacks[0].files[0]}, or {importer}."
    )
    return ReadError(
        path,
        "holds several DICOM series or phases",
        expected="one, or a path that says which",
        got=f"{len(stacks)}: {listed}{more}",
        next_step=f"{importer[0].upper()}{importer[1:]}." if path.is_file() else name_one,
        code=Code.DICOM_SERIES,
    )


def _no_series(path: Path, expected: str, got: str) -> ReadError:
    return ReadError(
        path,
        "cannot be read as a DICOM series",
        expected=expected,
        got=got,
        next_step="Export the series again, one series a folder.",
    )
