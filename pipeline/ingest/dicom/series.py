"""Read a DICOM series, or one phase of it, as a scan.

A path is a folder that holds one series, or one file of the stack that is meant. Not handled:
voxels in a lookup table or as floating-point numbers, inverted (MONOCHROME1) and colour images,
and tilted gantries, which are refused, not resampled.
"""

from pathlib import Path

import pydicom

from pipeline.domain.geometry import Geometry
from pipeline.domain.reading import DEFAULT_READING, Reading
from pipeline.domain.scan import Modality, Scan
from pipeline.ingest.codes import Code
from pipeline.ingest.dicom.defects import Defect
from pipeline.ingest.dicom.grid import find_irregularity, make_geometry
from pipeline.ingest.dicom.header import read_header
from pipeline.ingest.dicom.multiframe import frame_header, has_functional_groups
from pipeline.ingest.dicom.pixels import read_voxels
from pipeline.ingest.dicom.selection import find_stack
from pipeline.ingest.dicom.stacks import Stack
from pipeline.ingest.dicom.suv import suv_factor
from pipeline.ingest.limits import check_voxel_count
from pipeline.ingest.read_error import ReadError


def read_series(path: Path, modality: Modality, reading: Reading = DEFAULT_READING) -> Scan:
    """Read the voxels of a series, rescaled: Hounsfield units for CT, SUV for PET.

    Parameters
    ----------
    path : Path
        A folder that holds one series of the modality, beside masks, localisers and files that
        are not DICOM; or one file of the series, or phase, that is meant.
    modality : Modality
        What the series must be.
    reading : Reading
        Its ``max_voxels`` is the limit.

    Returns
    -------
    Scan
        Voxels (z, y, x), see :func:`pipeline.ingest.dicom.pixels.output_type`.

    Raises
    ------
    ReadError
        If the path does not mean exactly one complete, regular stack of that modality.
    """
    return read_stack(find_stack(path, modality), modality, reading)


def read_series_geometry(path: Path, reading: Reading = DEFAULT_READING) -> Geometry:
    """Read the grid of a series from its headers.

    Raises
    ------
    ReadError
        As :func:`read_series`, except that damaged voxels go unnoticed and that only series of
        one modality may be there, or a file named.
    """
    return _checked_geometry(find_stack(path, None), reading)


def read_series_modality(path: Path) -> Modality:
    """Read which modality a series is of, from its headers.

    Raises
    ------
    ReadError
        If the path does not mean exactly one series of a modality that is read.
    """
    return Modality(find_stack(path, None).facts.modality)


def read_stack(stack: Stack, modality: Modality, reading: Reading = DEFAULT_READING) -> Scan:
    """Read the voxels of a stack, rescaled as by :func:`read_series`.

    Raises
    ------
    ReadError
        If it is no complete, regular stack of that modality, or its voxels cannot be decoded.
    """
    if stack.facts.modality != modality:
        raise ReadError(
            stack.files[0].parent,
            "is of another modality than scans.csv says",
            expected=modality,
            got=stack.facts.modality or "none",
            next_step="Correct the column modality, or the path.",
            code=Code.MODALITY_DIFFERS,
        )
    geometry = _checked_geometry(stack, reading)
    factor = _suv_factor(stack) if modality is Modality.PT else None
    voxels = read_voxels(stack.slices, factor)
    return Scan(voxels, geometry, modality, stack.facts.frame_of_reference)


def stack_problem(stack: Stack) -> ReadError | None:
    """Say from its headers why a stack cannot become a volume; None where it can."""
    folder = stack.files[0].parent
    defects = (item.defect for item in stack.slices if item.defect)
    defect = next(defects, None) or _rescale_defect(stack)
    if defect is not None:
        return ReadError(
            folder,
            defect.what,
            expected=defect.expected,
            got=defect.got,
            next_step="Export the series again as CT, MR or PET images.",
            code=defect.code,
        )
    found = find_irregularity(stack.slices)
    if found is None:
        return None
    return ReadError(
        folder,
        found.what,
        expected=found.expected,
        got=found.got,
        next_step=_ADVICE.get(found.code, _EXPORT_AGAIN),
        code=found.code,
    )


def _rescale_defect(stack: Stack) -> Defect | None:
    """Say where slices lack what the others have to rescale their values, or a PET its slope.

    A slice without it would silently be on another scale than its neighbours. What all slices lack
    is 1 or 0 (a PET's slope is mandatory, PS3.3 C.8.9.4).
    """
    for name in ("RescaleSlope", "RescaleIntercept"):
        lacking = [item for item in stack.slices if name in item.rescale_absent]
        must = name == "RescaleSlope" and stack.facts.modality == Modality.PT
        if lacking and (must or len(lacking) < stack.slice_count):
            return Defect(
                "has slices without rescaling",
                f"{name} in every slice" + ("" if must else ", or in none"),
                f"none in {lacking[0].label} ({len(lacking)} of {stack.slice_count} slices)",
            )
    return None


_EXPORT_AGAIN = "Export the whole series again, or resample it to a regular grid (dcm2niix)."
_ADVICE = {
    Code.GANTRY_TILT: "Correct the tilt (dcm2niix does) and use the NIfTI file.",
    Code.SLICE_DUPLICATE: (
        "Remove the slices that do not belong, such as the one that a resumed scan repeats, or"
        " export the series again."
    ),
    Code.SLICE_MISSING: "Copy or export the whole series again.",
}


def _checked_geometry(stack: Stack, reading: Reading) -> Geometry:
    problem = stack_problem(stack)
    if problem is not None:
        raise problem
    first, folder = stack.slices[0].encoding, stack.files[0].parent
    check_voxel_count(folder, (first.columns, first.rows, stack.slice_count), reading)
    try:
        return make_geometry(stack.slices)
    except ValueError as error:
        raise ReadError(
            folder,
            "cannot be read as a DICOM series",
            expected="a regular grid",
            got=str(error),
            next_step=_EXPORT_AGAIN,
        ) from None


def _suv_factor(stack: Stack) -> float:
    headers = [read_header(file) for file in stack.files]
    return suv_factor(stack.files[0].parent, [_flat(header) for header in headers])


def _flat(header: pydicom.Dataset) -> pydicom.Dataset:
    return frame_header(header, 0) if has_functional_groups(header) else header
