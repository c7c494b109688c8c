"""Read one region of a mask that is kept as DICOM: SEG, RTSTRUCT or a series of slices."""

from collections.abc import Callable, Iterable
from pathlib import Path

from pipeline.domain.reading import Reading
from pipeline.domain.scan import Region, Scan
from pipeline.ingest.codes import Code
from pipeline.ingest.dicom.mask_dataset import damage_reported, read_dataset
from pipeline.ingest.dicom.mask_facts import is_dicom_mask, mask_kind
from pipeline.ingest.dicom.mask_kinds import MaskKind
from pipeline.ingest.dicom.mask_series import read_mask_series
from pipeline.ingest.dicom.segmentation import read_segment
from pipeline.ingest.dicom.structure_set import read_structure
from pipeline.ingest.image_mask import region_of_values, voxel_label
from pipeline.ingest.read_error import ReadError

_FILES_SHOWN = 5

_READERS: dict[MaskKind, Callable[[Path, str | int | None, str, Scan, Reading], Region]] = {
    "SEG": read_segment,
    "RTSTRUCT": read_structure,
}


def find_mask(path: Path) -> Path:
    """Return the SEG or RTSTRUCT that a folder holds, else the path itself.

    Raises
    ------
    ReadError
        If a folder holds several.
    """
    if not path.is_dir():
        return path
    files = _files(path.iterdir()) or _files(path.rglob("*"))
    masks = [file for file in files if is_dicom_mask(file)]
    if len(masks) < 2:
        return masks[0] if masks else path
    shown = ", ".join(file.name for file in masks[:_FILES_SHOWN])
    raise ReadError(
        path,
        "holds several DICOM masks",
        expected="one SEG or RTSTRUCT",
        got=f"{len(masks)}: {shown}{' ...' if len(masks) > _FILES_SHOWN else ''}",
        next_step="Name the file that is meant in the column mask of scans.csv.",
        code=Code.DICOM_SERIES,
    )


def read_dicom_region(
    path: Path, label: str | int | None, name: str, scan: Scan | None, reading: Reading
) -> Region:
    """Read one region; see :func:`pipeline.ingest.mask.read_region` for the parameters.

    Returns
    -------
    Region
        From SEG and RTSTRUCT on the grid of the scan, from a series on its own.

    Raises
    ------
    ReadError
        If the mask cannot be read, lacks the label or needs one, or lies in another frame of
        reference than the scan; if a SEG or RTSTRUCT comes without a scan or does not fit it.
    """
    kind = _kind(path)
    if kind is not None:
        return _READERS[kind](path, label, name, _needed(path, scan), reading)
    number = None if label is None else voxel_label(path, label)
    labels, geometry = read_mask_series(path, scan.frame_of_reference if scan else "", reading)
    return Region(region_of_values(path, labels, number, name), geometry, name)


def _files(paths: Iterable[Path]) -> list[Path]:
    return sorted(path for path in paths if path.is_file())


def _kind(path: Path) -> MaskKind | None:
    if path.is_dir():
        return None
    with damage_reported(path):
        return mask_kind(read_dataset(path, ("SOPClassUID",)))


def _needed(path: Path, scan: Scan | None) -> Scan:
    if scan is not None:
        return scan
    raise ReadError(
        path,
        "can only be read together with its image",
        expected="a mask of voxels, or the image that this one was drawn on",
        got="a DICOM SEG or RTSTRUCT alone",
        next_step="Give the image, or convert the mask to NIfTI on the image's grid.",
        code=Code.MASK_KIND,
    )
