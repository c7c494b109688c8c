"""Standardised uptake value of a PET series by body weight, from its header.

``SUVbw = activity concentration x body weight / injected activity at the reference time`` in g/mL,
the reference time being the one that the image's voxels are decay-corrected to (DICOM PS3.3
C.8.9.1; vendor-neutral rules of the QIBA SUV work group, https://qibawiki.rsna.org, "Standardized
Uptake Value"). Only that definition: lean body mass, body surface and glucose corrections are not
computed, and an image that is already one of them is refused.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pydicom

from pipeline.ingest.codes import Code
from pipeline.ingest.dicom.pet_times import PetTimeError, injection_time, scan_start
from pipeline.ingest.read_error import ReadError

PLAUSIBLE_WEIGHT_KG = (1.0, 400.0)
"""A weight outside is a typing error or in another unit."""

PLAUSIBLE_ACTIVITY_BQ = (1e5, 1e11)
"""Injected activity; some exporters write it in MBq, which would make the SUV a million-fold."""

LONGEST_UPTAKE_HALF_LIVES = 5.0
"""After five half-lives 3 % is left (nine hours for fluorine-18): later scans have a wrong date or
time in their header."""

PHILIPS_PRIVATE_GROUP, PHILIPS_CREATOR = 0x7053, "Philips PET Private Group"


def suv_factor(path: Path, headers: Sequence[pydicom.Dataset]) -> float:
    """Return what a PET's rescaled voxels are multiplied by to be SUVbw in g/mL.

    Parameters
    ----------
    path : Path
        The series, for messages.
    headers : sequence of pydicom.Dataset
        Headers of its slices, any order; everything but times is taken from the first.

    Raises
    ------
    ReadError
        With code ``suv-not-possible`` if the header lacks something, contradicts itself, or holds
        another kind of uptake value. The message says which attribute, never an identifier.
    """
    first = headers[0]
    units = str(first.get("Units", "") or "").strip().upper()
    if units == "GML":
        _check_body_weight_kind(path, first)
        return 1.0
    if units == "BQML":
        return _weight_g(path, first) / _reference_activity_bq(path, headers)
    philips = _philips_factor(first) if units == "CNTS" else None
    if philips is not None:
        return philips
    raise _impossible(path, "Units GML, or BQML with weight and injected activity", units or "none")


def _check_body_weight_kind(path: Path, header: pydicom.Dataset) -> None:
    kind = str(header.get("SUVType", "") or "BW").strip().upper()
    if kind != "BW":
        raise _impossible(path, "SUVType BW (body weight)", f"SUVType {kind}")


def _weight_g(path: Path, header: pydicom.Dataset) -> float:
    return 1000.0 * _number(path, header, "PatientWeight", PLAUSIBLE_WEIGHT_KG, "kg")


def _reference_activity_bq(path: Path, headers: Sequence[pydicom.Dataset]) -> float:
    """Return the injected activity at the time that the voxels are decay-corrected to."""
    first = headers[0]
    if "ATTN" not in _words(first, "CorrectedImage"):
        raise _impossible(path, "CorrectedImage with ATTN", "no attenuation correction")
    drug = _radiopharmaceutical(path, first)
    activity_bq = _number(path, drug, "RadionuclideTotalDose", PLAUSIBLE_ACTIVITY_BQ, "Bq")
    reference = str(first.get("DecayCorrection", "") or "").strip().upper()
    if reference == "ADMIN":  # already corrected to the time of injection
        return activity_bq
    if reference != "START":
        raise _impossible(path, "DecayCorrection START or ADMIN", reference or "none")
    half_life_s = _number(path, drug, "RadionuclideHalfLife", (1.0, 1e9), "s")
    elapsed_s = _uptake_s(path, headers, drug)
    if not 0 <= elapsed_s <= LONGEST_UPTAKE_HALF_LIVES * half_life_s:
        raise _impossible(
            path,
            f"an injection before the scan, at most {LONGEST_UPTAKE_HALF_LIVES:g} half-lives",
            f"{elapsed_s:g} s between the two (half-life {half_life_s:g} s)",
        )
    return float(activity_bq * 2.0 ** (-elapsed_s / half_life_s))


def _uptake_s(path: Path, headers: Sequence[pydicom.Dataset], drug: pydicom.Dataset) -> float:
    try:
        started = scan_start(headers)
        return (started - injection_time(drug, headers[0], started)).total_seconds()
    except PetTimeError as error:
        raise _impossible(path, error.expected, error.got) from None


def _radiopharmaceutical(path: Path, header: pydicom.Dataset) -> pydicom.Dataset:
    items = header.get("RadiopharmaceuticalInformationSequence") or []
    if len(items) != 1:
        raise _impossible(
            path, "one item in RadiopharmaceuticalInformationSequence", f"{len(items)}"
        )
    return items[0]  # type: ignore[no-any-return]  # pydicom types elements as Any


def _philips_factor(header: pydicom.Dataset) -> float | None:
    """Return the factor that Philips keeps in a private element for images in counts."""
    value: Any
    try:
        value = header.private_block(PHILIPS_PRIVATE_GROUP, PHILIPS_CREATOR)[0x00].value
        factor = float(value)
    except (KeyError, TypeError, ValueError):
        return None
    return factor if 0 < factor < float("inf") else None


def _number(
    path: Path, header: pydicom.Dataset, keyword: str, limits: tuple[float, float], unit: str
) -> float:
    expected = f"{keyword} from {limits[0]:g} to {limits[1]:g} {unit}"
    try:
        number = float(header.get(keyword))  # pydicom converts, and fails, only here
    except (TypeError, ValueError):
        raise _impossible(path, expected, "none, or no number") from None
    if not limits[0] <= number <= limits[1]:
        raise _impossible(path, expected, f"{number:g}")
    return number


def _words(header: pydicom.Dataset, keyword: str) -> list[str]:
    value = header.get(keyword) or []
    return [value] if isinstance(value, str) else [str(word) for word in value]


def _impossible(path: Path, expected: str, got: str) -> ReadError:
    return ReadError(
        path,
        "the PET cannot be converted to SUV",
        expected=expected,
        got=got,
        next_step="Convert the series to SUV with the scanner's software, or correct its header.",
        code=Code.SUV_NOT_POSSIBLE,
    )
