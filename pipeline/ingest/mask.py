"""Read one region of a mask, whatever kind of file it is kept in."""

from pathlib import Path

from pipeline.domain.reading import DEFAULT_READING, Reading
from pipeline.domain.scan import Region, Scan
from pipeline.ingest.dicom.mask_frame import off_grid
from pipeline.ingest.image_mask import read_image_mask
from pipeline.ingest.mask_placement import place_region
from pipeline.ingest.mask_resampling import resample_region
from pipeline.ingest.slicer_segments import is_slicer_file
from pipeline.ingest.volume import is_dicom


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
    if is_dicom(path):
        # Only now: importing the DICOM readers takes longer than reading a mask.
        from pipeline.ingest.dicom.region import find_mask, read_dicom_region

        path = find_mask(path)
        region = read_dicom_region(path, label, name, scan, reading)
    else:
        region = read_image_mask(path, label, name, reading)
    return _on_grid(path, region, scan, reading)


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
