"""Find liver and vessels among the segments of the DICOM mask that also holds the tumour.

Public collections draw them there (HCC-TACE-Seg: Liver, Mass, Portal vein, Abdominal aorta). Image
files name nothing, so nothing is looked for in them.
"""

import re
from pathlib import Path

from pipeline.config.checks import Quantity
from pipeline.domain.reading import Reading
from pipeline.domain.scan import Region, Scan
from pipeline.ingest.dicom.mask_facts import is_dicom_mask, read_mask_facts
from pipeline.ingest.mask import read_region
from pipeline.ingest.phase.words import normalise
from pipeline.ingest.read_error import ReadError

_NAMES: tuple[tuple[Quantity, re.Pattern[str]], ...] = (
    ("aorta", re.compile(r"(?:abdominal[\s_]*)?aorta")),
    ("portal_vein", re.compile(r"portal[\s_]*vein(?:[\s_]*and[\s_]*splenic[\s_]*vein)?")),
    ("liver", re.compile(r"liver|leber|foie")),
)


def read_landmarks(path: Path, scan: Scan, reading: Reading) -> dict[str, Region]:
    """Read the regions by which a phase is told, as far as a mask holds them.

    Parameters
    ----------
    path : Path
        The mask of the tumour.
    scan : Scan
        The image it was drawn on.
    reading : Reading
        What the reader may do.

    Returns
    -------
    dict of str to Region
        ``aorta``, ``portal_vein``, ``liver`` where a segment bears that name, can be read and lies
        on the grid of the scan. What cannot is left out: it is no problem of the cohort, which
        does not name these segments.
    """
    if not path.is_file() or not is_dicom_mask(path):
        return {}
    try:
        names = read_mask_facts(path).names
    except ReadError:
        return {}
    found: dict[str, Region] = {}
    for quantity, pattern in _NAMES:
        label = next((name for name in names if pattern.fullmatch(normalise(name))), None)
        region = None if label is None else _read(path, label, quantity, scan, reading)
        if region is not None:
            found[quantity] = region
    return found


def _read(
    path: Path, label: str, quantity: Quantity, scan: Scan, reading: Reading
) -> Region | None:
    try:
        return read_region(path, label, quantity, scan, reading)
    except ReadError:
        return None
