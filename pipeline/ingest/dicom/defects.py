"""Why one slice of a series cannot be part of a volume."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom

from pipeline.ingest.codes import Code
from pipeline.ingest.dicom.attributes import text, whole
from pipeline.ingest.dicom.encoding import Encoding


@dataclass(frozen=True, slots=True)
class Defect:
    """Why a slice cannot be part of a volume.

    Parameters
    ----------
    what, expected, got : str
        As in :class:`pipeline.domain.problem.Problem`.
    code : Code
        Its kind.
    is_colour : bool
        Whether it is that the slice is a colour image.
    """

    what: str
    expected: str
    got: str
    code: Code = Code.IMAGE_UNREADABLE
    is_colour: bool = False


def find_defect(
    header: pydicom.Dataset,
    encoding: Encoding,
    plane: Mapping[str, tuple[float, ...] | None],
    file: Path,
) -> Defect | None:
    """Say why a slice cannot be read; None where it can."""
    return _kind_defect(header, file) or _pixel_defect(encoding, file) or _plane_defect(plane, file)


def _kind_defect(header: pydicom.Dataset, file: Path) -> Defect | None:
    photometric = text(header, "PhotometricInterpretation")
    samples = whole(header, "SamplesPerPixel") or 1
    if samples != 1 or photometric not in ("", "MONOCHROME1", "MONOCHROME2"):
        return Defect(
            "is colour DICOM",
            "one grey value a voxel",
            f"{photometric or samples} in {file.name}",
            Code.IMAGE_KIND,
            is_colour=True,
        )
    if photometric == "MONOCHROME1":
        # Whether such values are inverted cannot be told from the header of a CT or MR.
        return Defect(
            "is inverted", "MONOCHROME2", f"{photometric} in {file.name}", Code.IMAGE_KIND
        )
    if "ModalityLUTSequence" in header:
        return Defect(
            "has values in a lookup table",
            "RescaleSlope and RescaleIntercept",
            f"ModalityLUTSequence in {file.name}",
            Code.IMAGE_KIND,
        )
    if "PixelRepresentation" not in header:
        return _absent("PixelRepresentation", file)
    return None


def _pixel_defect(encoding: Encoding, file: Path) -> Defect | None:
    if min(encoding.rows, encoding.columns, encoding.frames) < 1:
        return _absent("Rows, Columns and NumberOfFrames above zero", file)
    bits = (encoding.bits_allocated, encoding.bits_stored, encoding.high_bit)
    fits = 1 <= bits[1] <= bits[2] + 1 <= bits[0]
    if bits[0] not in (8, 16, 32) or not fits:
        return Defect(
            "stores voxels in a form that is not read",
            "BitsAllocated of 8, 16 or 32, BitsStored and HighBit within it",
            f"{bits[0]}, {bits[1]} and {bits[2]} in {file.name}",
            Code.IMAGE_KIND,
        )
    return None


def _plane_defect(plane: Mapping[str, tuple[float, ...] | None], file: Path) -> Defect | None:
    for name, values in plane.items():
        if values is None:
            return _absent(name, file)
        if not np.isfinite(values).all():
            return _impossible(name, "finite", values, file)
    if min(plane["PixelSpacing"] or (0,)) <= 0:
        return _impossible("PixelSpacing", "positive (mm)", plane["PixelSpacing"], file)
    rescale = "RescaleSlope and RescaleIntercept"
    if not (plane[rescale] or (0.0,))[0]:
        return _impossible(rescale, "with a slope other than 0", plane[rescale], file)
    axes = np.array(plane["ImageOrientationPatient"], dtype=float).reshape(2, 3)
    if not np.allclose(axes @ axes.T, np.eye(2), atol=1e-3):
        what = "two perpendicular unit vectors"
        return _impossible("ImageOrientationPatient", what, plane["ImageOrientationPatient"], file)
    return None


def _absent(name: str, file: Path) -> Defect:
    return Defect(
        "cannot be read as a DICOM series", f"{name} in every slice", f"none in {file.name}"
    )


def _impossible(name: str, expected: str, values: tuple[float, ...] | None, file: Path) -> Defect:
    return Defect("has an impossible header", f"{name} {expected}", f"{values} in {file.name}")
