"""Read scans from image files and DICOM, voxel for voxel as stored.

Image files are read by :mod:`pipeline.ingest.image_file`, DICOM by :mod:`pipeline.ingest.dicom`.
Nothing is resampled, reoriented or converted, but for the rescaling that DICOM prescribes. The
DICOM readers are imported when they are needed: that takes longer than reading an image file.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.domain.geometry import Geometry
from pipeline.domain.reading import DEFAULT_READING, Reading
from pipeline.domain.scan import Modality, Scan
from pipeline.ingest.image_file import is_image_file, read_file_geometry, read_image_file

if TYPE_CHECKING:
    from pipeline.ingest.dicom.stacks import Stack


def find_series(path: Path, modality: Modality) -> "Stack | None":
    """Find the DICOM series that a path means; None for an image file.

    Raises
    ------
    ReadError
        If a DICOM path does not mean exactly one series of the modality.
    """
    if not is_dicom(path):
        return None
    from pipeline.ingest.dicom.selection import find_stack

    return find_stack(path, modality)


def read_scan(path: Path, modality: Modality, reading: Reading = DEFAULT_READING) -> Scan:
    """Read an image.

    Parameters
    ----------
    path : Path
        An image file, a folder that holds one DICOM series, or a DICOM file: one slice of the
        series that is meant, or an enhanced multi-frame image.
    modality : Modality
        What the voxel values mean; a DICOM series must agree.
    reading : Reading
        What the reader may do.

    Returns
    -------
    Scan
        Voxels (z, y, x) in the stored type: int16 stays int16.

    Raises
    ------
    ImageError
        If the file is absent, damaged, of an unknown kind, not three-dimensional, or has several
        values a voxel; if a voxel is not a number; if the DICOM series is incomplete. The message
        names the file.
    """
    if is_dicom(path):
        from pipeline.ingest.dicom.series import read_series

        return read_series(path, modality, reading)
    voxels, geometry = read_image_file(path, reading)
    return Scan(voxels, geometry, modality)


def read_geometry(path: Path, reading: Reading = DEFAULT_READING) -> Geometry:
    """Read where the voxels of an image or mask lie, from the headers alone.

    Raises
    ------
    ImageError
        As :func:`read_scan`, except that damaged voxels go unnoticed.
    """
    if is_dicom(path):
        from pipeline.ingest.dicom.series import read_series_geometry

        return read_series_geometry(path, reading)
    return read_file_geometry(path, reading)


def read_modality(path: Path) -> Modality | None:
    """Read the modality of a DICOM series; other files do not tell it.

    Raises
    ------
    ReadError
        If a DICOM path does not mean exactly one series.
    """
    if not is_dicom(path):
        return None
    from pipeline.ingest.dicom.series import read_series_modality

    return read_series_modality(path)


def is_dicom(path: Path) -> bool:
    """Tell whether a path is read as DICOM: every folder, and files that are DICOM by content."""
    if path.is_dir():
        return True
    if is_image_file(path.name) or not path.is_file():
        return False
    from pipeline.ingest.dicom.header import is_dicom_file

    return is_dicom_file(path)
