"""Read a region from a mask: an image file, a DICOM SEG or RTSTRUCT, a series of mask images."""

from collections.abc import Callable, Iterable
from pathlib import Path

from pipeline.domain.reading import DEFAULT_READING, Reading
from pipeline.domain.scan import Region, Scan
from pipeline.ingest.codes import Code
from pipeline.ingest.dicom.mask_dataset import damage_reported, read_dataset
from pipeline.ingest.dicom.mask_facts import is_dicom_mask, mask_kind
from pipeline.ingest.dicom.mask_frame import off_grid
from pipeline.ingest.dicom.mask_kinds import MaskKind
from pipeline.ingest.dicom.mask_series import read_mask_series
from pipeline.ingest.dicom.segmentation import read_segment
from pipeline.ingest.dicom.structure_set import read_structure
from pipeline.ingest.image_mask import read_image_mask, region_of_values, voxel_label
from pipeline.ingest.mask_placement import place_region
from pipeline.ingest.mask_resampling import resample_region
from pipeline.ingest.read_error import ReadError
from pipeline.ingest.slicer_segments import is_slicer_file
from pipeline.ingest.volume import is_dicom

_FILES_SHOWN = 5

_READERS: dict[MaskKind, Callable[[Path, str | int | None, str, Scan, Reading], Region]] = {
    "SEG": read_segment,
    "RTSTRUCT": read_structure,
}


def read_region(
    path: Path,
    label: str | int | None,
    name: str,
    scan: Scan | None = None,
    reading: Reading = DEFAULT_READING,
) -> Region:
    """Read one region of a mask.

    Parameters
    ----------
    path : Path
        An image file, a DICOM SEG or RTSTRUCT or a folder with one of them, or a folder (or one
        slice) of a DICOM series that holds a mask.
    label : str, int or None
        In images the voxel value of the region, in SEG and RTSTRUCT the name or number of the
        segment or region of interest; None takes the only one.
    name : str
        Name of the region returned: ``tumour``, ``liver`` ...
    scan : Scan, optional
        The image that the mask was drawn on; needed for SEG and RTSTRUCT, which name positions in
        the patient instead of voxels.
    reading : Reading
        With ``resample_masks``, a mask on another grid of the same frame of reference is
        resampled onto the grid of the scan.

    Returns
    -------
    Region
        On the grid of the scan; without a scan, on the mask's own. May be empty where ``label``
        is None or names an empty segment.

    Raises
    ------
    ReadError
        If the mask cannot be read, lacks the label or needs one, lies in another frame of
        reference than the scan, or, unless masks are resampled, not on its grid.
    """
    if path.is_dir():
        path = _mask_in_folder(path)
    if not is_dicom(path):
        return _on_grid(path, read_image_mask(path, label, name, reading), scan, reading)
    kind = _kind(path)
    if kind is not None:
        return _READERS[kind](path, label, name, _needed(path, scan), reading)
    number = None if label is None else voxel_label(path, label)
    labels, geometry = read_mask_series(path, scan.frame_of_reference if scan else "", reading)
    region = Region(region_of_values(path, labels, number, name), geometry, name)
    return _on_grid(path, region, scan, reading)


def _mask_in_folder(folder: Path) -> Path:
    """Return the SEG or RTSTRUCT that a folder holds, or the folder, taken for a series."""
    files = _files(folder.iterdir()) or _files(folder.rglob("*"))
    masks = [file for file in files if is_dicom_mask(file)]
    if len(masks) < 2:
        return masks[0] if masks else folder
    shown = ", ".join(file.name for file in masks[:_FILES_SHOWN])
    raise ReadError(
        folder,
        "holds several DICOM masks",
        expected="one SEG or RTSTRUCT",
        got=f"{len(masks)}: {shown}{' ...' if len(masks) > _FILES_SHOWN else ''}",
        next_step="Name the file that is meant in the column mask of scans.csv.",
        code=Code.DICOM_SERIES,
    )


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


def _on_grid(path: Path, region: Region, scan: Scan | None, reading: Reading) -> Region:
    """Return a region on the grid of its scan: as it is, placed, or resampled if allowed."""
    difference = scan.geometry.difference(region.geometry) if scan else ""
    if scan is None or not difference:
        return region
    # Of other files, a slice too few is more often a fault than a crop.
    placed = place_region(region, scan.geometry, may_be_cropped=is_slicer_file(path.name))
    if placed is None and not reading.resample_masks:
        raise off_grid(path, difference)
    return placed or resample_region(path, region, scan.geometry)
