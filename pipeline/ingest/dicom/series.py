"""Read a folder that holds one DICOM series of single-frame CT or MR slices.

Slices are ordered by their position along the normal of the slice plane, never by file name or
instance number (DICOM PS3.3 C.7.6.2: Image Position and Orientation are the only spatial truth).
ITK only warns about missing slices, so the regularity of the positions is checked here.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pydicom
import SimpleITK as sitk
from pydicom.errors import InvalidDicomError

from pipeline.domain.geometry import Geometry
from pipeline.domain.reading import DEFAULT_READING, Reading
from pipeline.domain.scan import Modality, Scan
from pipeline.ingest.codes import Code
from pipeline.ingest.read_error import ReadError

SLICE_GAP_TOLERANCE = 0.02
"""Largest deviation of one gap between slices from the median gap, as a fraction of it.

Positions are stored as rounded decimal text; a missing slice deviates by 1."""

SHEAR_TOLERANCE_MM = 0.1
"""Largest sideways drift of the slices over the whole stack; more means a tilted gantry."""

ORIENTATION_TOLERANCE = 1e-4
"""Largest disagreement of direction cosines between slices of one volume."""

_TAGS = [
    "SOPClassUID",
    "Modality",
    "SeriesInstanceUID",
    "SeriesDescription",
    "NumberOfFrames",
    "SamplesPerPixel",
    "Rows",
    "Columns",
    "PixelSpacing",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "RescaleSlope",
    "RescaleIntercept",
]


@dataclass(frozen=True, slots=True)
class _Slice:
    """One file of a series."""

    file: Path
    header: pydicom.Dataset

    @property
    def position_mm(self) -> npt.NDArray[np.float64]:
        return np.asarray(self.header.ImagePositionPatient, dtype=float)

    @property
    def orientation(self) -> npt.NDArray[np.float64]:
        """Direction cosines of the x axis, then of the y axis."""
        return np.asarray(self.header.ImageOrientationPatient, dtype=float)

    @property
    def normal(self) -> npt.NDArray[np.float64]:
        return np.cross(self.orientation[:3], self.orientation[3:])


def is_dicom_file(path: Path) -> bool:
    """Tell whether a file carries the DICOM signature."""
    with path.open("rb") as stream:
        return stream.read(132)[128:] == b"DICM"


def read_series(folder: Path, modality: Modality, reading: Reading = DEFAULT_READING) -> Scan:
    """Read the voxels of a series, rescaled to Hounsfield units for CT.

    Parameters
    ----------
    folder : Path
        Holds the slices of one series; other files than DICOM are ignored.
    modality : Modality
        What the series must be.

    Returns
    -------
    voxels : numpy.ndarray, shape (z, y, x)
        In the smallest type that holds whatever the headers' bit depth and rescaling allow.
    geometry : Geometry
        The grid.

    Raises
    ------
    ImageError
        If the folder does not hold exactly one complete, regular series of that modality.
    """
    slices = _read_sorted(folder)
    _check_modality(folder, slices[0].header, modality)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames([str(item.file) for item in slices])
    if len({_rescale(item.header) for item in slices}) > 1:
        # The output type is the first slice's, which would cut off the fractions of the others.
        reader.SetOutputPixelType(sitk.sitkFloat32)
    try:
        voxels = sitk.GetArrayFromImage(reader.Execute())
    except RuntimeError:
        raise _unreadable(
            folder, "slices whose voxels can be decoded", "a damaged or unknown encoding"
        ) from None
    return Scan(voxels, _geometry(folder, slices), modality)


def read_series_geometry(folder: Path, reading: Reading = DEFAULT_READING) -> Geometry:
    """Read the grid of a series from its headers.

    Raises
    ------
    ImageError
        As :func:`read_series`, except that damaged voxels go unnoticed.
    """
    return _geometry(folder, _read_sorted(folder))


def _read_sorted(folder: Path) -> list[_Slice]:
    slices = _read_headers(folder)
    _check_one_series(folder, slices)
    _check_kind(folder, slices)
    _check_same_grid(folder, slices)
    ordered = sorted(slices, key=lambda item: float(item.position_mm @ item.normal))
    _check_regular(folder, ordered)
    return ordered


def _read_headers(folder: Path) -> list[_Slice]:
    found = []
    for file in sorted(item for item in folder.iterdir() if item.is_file()):
        try:
            header = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=_TAGS)
        except (InvalidDicomError, EOFError):
            if file.suffix.lower() == ".dcm":
                raise _unreadable(folder, "DICOM slices", f"a damaged file {file.name}") from None
            continue
        if "SOPClassUID" in header:
            found.append(_Slice(file, header))
    if not found:
        raise _unreadable(folder, "the slices of one DICOM series", "no DICOM file in this folder")
    return found


def _check_one_series(folder: Path, slices: Sequence[_Slice]) -> None:
    counts = Counter(
        (str(item.header.get("SeriesDescription", "")), str(item.header.get("SeriesInstanceUID")))
        for item in slices
    )
    if len({uid for _, uid in counts}) == 1:
        return
    listed = ", ".join(
        f"{name or 'without description'} ({n})" for (name, _), n in sorted(counts.items())
    )
    raise ReadError(
        folder,
        "holds several DICOM series",
        expected="one series a folder",
        got=f"{len(counts)}: {listed}",
        next_step="Give each series a folder of its own.",
        code=Code.DICOM_SERIES,
    )


def _check_kind(folder: Path, slices: Sequence[_Slice]) -> None:
    for item in slices:
        header = item.header
        modality = str(header.get("Modality", ""))
        if modality in ("SEG", "RTSTRUCT"):
            raise _unsupported(folder, f"DICOM {modality}", "name its image series as the image")
        if int(header.get("NumberOfFrames") or 1) > 1:
            raise _unsupported(folder, "enhanced multi-frame DICOM", "convert it to NIfTI")
        if int(header.get("SamplesPerPixel") or 1) != 1:
            raise _unsupported(folder, "colour DICOM", "export the grey-value series")
        if modality == "PT":
            raise _unsupported(
                folder, "DICOM PET without SUV", "convert it to an SUV map in NIfTI (unit g/mL)"
            )
        absent = [
            tag
            for tag in (
                "Rows",
                "Columns",
                "PixelSpacing",
                "ImagePositionPatient",
                "ImageOrientationPatient",
            )
            if not header.get(tag)
        ]
        if absent:
            raise _unreadable(folder, f"{absent[0]} in every slice", f"none in {item.file.name}")


def _check_same_grid(folder: Path, slices: Sequence[_Slice]) -> None:
    first = slices[0]
    for item in slices[1:]:
        sizes = (_size(first), _size(item))
        if sizes[0] != sizes[1]:
            raise _irregular(
                folder,
                "slices differ in size or pixel spacing",
                "the same rows, columns and spacing (mm) throughout",
                f"{sizes[0]} in {first.file.name}, {sizes[1]} in {item.file.name}",
            )
        if not np.allclose(first.orientation, item.orientation, rtol=0, atol=ORIENTATION_TOLERANCE):
            raise _irregular(
                folder,
                "slices differ in orientation",
                f"{first.orientation.tolist()} as in {first.file.name}",
                f"{item.orientation.tolist()} in {item.file.name}",
            )


def _check_regular(folder: Path, ordered: Sequence[_Slice]) -> None:
    if len(ordered) < 2:
        raise _irregular(folder, "is not a volume", "at least two slices", "one")
    heights = np.array([float(item.position_mm @ item.normal) for item in ordered])
    gaps = np.diff(heights)
    usual = float(np.median(gaps))
    worst = int(np.argmax(np.abs(gaps - usual)))
    between = f"between {ordered[worst].file.name} and {ordered[worst + 1].file.name}"
    if gaps.min() <= 1e-3:
        twin = int(np.argmin(gaps))
        names = f"{ordered[twin].file.name} and {ordered[twin + 1].file.name}"
        raise _irregular(folder, "has two slices at one place", "one slice a position", names)
    if abs(gaps[worst] - usual) > SLICE_GAP_TOLERANCE * usual:
        missing = gaps[worst] > 1.5 * usual
        raise _irregular(
            folder,
            "slices are missing" if missing else "slices are unevenly spaced",
            f"slices {usual:.4g} mm apart as elsewhere in the series",
            f"{gaps[worst]:.4g} mm {between}",
        )
    _check_not_sheared(folder, ordered, heights)


def _check_not_sheared(
    folder: Path, ordered: Sequence[_Slice], heights: npt.NDArray[np.float64]
) -> None:
    first, last = ordered[0], ordered[-1]
    along = (heights[-1] - heights[0]) * first.normal
    drift_mm = float(np.linalg.norm(last.position_mm - first.position_mm - along))
    if drift_mm > SHEAR_TOLERANCE_MM:
        raise _irregular(
            folder,
            "slices are sheared (tilted gantry)",
            f"slices stacked along their normal within {SHEAR_TOLERANCE_MM} mm",
            f"a sideways drift of {drift_mm:.3g} mm over the stack",
        )


def _check_modality(folder: Path, header: pydicom.Dataset, modality: Modality) -> None:
    found = str(header.get("Modality", ""))
    if found != modality:
        raise ReadError(
            folder,
            "is of another modality than scans.csv says",
            expected=modality,
            got=found or "none",
            next_step="Correct the column modality, or the path.",
            code=Code.MODALITY_DIFFERS,
        )


def _geometry(folder: Path, ordered: Sequence[_Slice]) -> Geometry:
    first, last = ordered[0], ordered[-1]
    row_spacing, column_spacing = (float(value) for value in first.header.PixelSpacing)
    depth_mm = float((last.position_mm - first.position_mm) @ first.normal)
    x_axis, y_axis = first.orientation[:3], first.orientation[3:]
    direction = np.column_stack([x_axis, y_axis, first.normal])
    try:
        return Geometry(
            size=(int(first.header.Columns), int(first.header.Rows), len(ordered)),
            spacing_mm=(column_spacing, row_spacing, depth_mm / (len(ordered) - 1)),
            origin_mm=_triple(first.position_mm),
            direction=tuple(direction.ravel().tolist()),
        )
    except ValueError as error:
        raise _unreadable(folder, "a regular grid", str(error)) from None


def _triple(values: Iterable[float]) -> tuple[float, float, float]:
    x, y, z = (float(value) for value in values)
    return x, y, z


def _size(item: _Slice) -> tuple[int, int, float, float]:
    rows_mm, columns_mm = (float(value) for value in item.header.PixelSpacing)
    return int(item.header.Rows), int(item.header.Columns), rows_mm, columns_mm


def _rescale(header: pydicom.Dataset) -> tuple[float, float]:
    slope, intercept = header.get("RescaleSlope"), header.get("RescaleIntercept")
    return float(1 if slope is None else slope), float(intercept or 0)


def _unreadable(folder: Path, expected: str, got: str) -> ReadError:
    return ReadError(
        folder,
        "cannot be read as a DICOM series",
        expected=expected,
        got=got,
        next_step="Export the series again, one series a folder.",
    )


def _irregular(folder: Path, what: str, expected: str, got: str) -> ReadError:
    return ReadError(
        folder,
        what,
        expected=expected,
        got=got,
        next_step="Export the whole series again, or resample it to a regular grid (dcm2niix).",
        code=Code.DICOM_IRREGULAR,
    )


def _unsupported(folder: Path, what: str, remedy: str) -> ReadError:
    return ReadError(
        folder,
        f"{what} is not read by this version",
        expected="single-frame CT or MR slices",
        got=what,
        next_step=f"Until a later version adds it, {remedy}.",
        code=Code.IMAGE_KIND,
    )
