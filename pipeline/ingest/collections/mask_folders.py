"""Masks stored as image series in named folders, as in 3D-IRCADb.

There each organ is a series of CT images of 0 and 255 in a folder of its name, below one called
``MASKS_DICOM``. The headers lack what links them to the scan, so the folder tells that it is a
mask and of what, and the grid tells on which scan.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from pipeline.ingest.collections.plan import TUMOUR, Fate, RegionSource, ReportRow
from pipeline.ingest.collections.segment_names import RegionNames, region_kind
from pipeline.ingest.description_words import safe_description
from pipeline.ingest.dicom.stacks import Stack

_MASK_FOLDER = re.compile(r"(?<![a-z])(masks?|segmentations?|labels?)(?![a-z])", re.IGNORECASE)


def is_mask_series(source: Path, stack: Stack) -> bool:
    """Tell whether a series lies below a folder of masks."""
    folders = stack.files[0].relative_to(source).parts[:-1]
    return any(is_mask_folder(folder) for folder in folders)


def is_mask_folder(name: str) -> bool:
    """Tell whether a folder holds masks by its name."""
    return _MASK_FOLDER.search(name) is not None


def series_regions(series: Sequence[Stack], names: RegionNames) -> tuple[RegionSource, ...]:
    """Return the regions of a patient's mask series, by the names of their folders."""
    regions: list[RegionSource] = []
    lesions = 0
    for stack in sorted(series, key=_folder):
        kind = region_kind(_folder(stack), names)
        lesions += kind == TUMOUR
        if kind:
            lesion = str(lesions) if kind == TUMOUR else "1"
            regions.append(RegionSource(path=stack.files[0], name=kind, lesion_id=lesion))
    return tuple(regions)


def scan_of_series(series: Sequence[Stack], scans: Sequence[Stack]) -> Stack | None:
    """Return the only scan with as many slices as the mask series; None where there is no such.

    Whether the grids agree is seen when both are read.
    """
    counts = {stack.slice_count for stack in series}
    alike = [scan for scan in scans if {scan.slice_count} == counts]
    return alike[0] if len(alike) == 1 else None


def series_row(stack: Stack, names: RegionNames, scan: Stack | None) -> ReportRow:
    """Return what the report says of a mask series."""
    folder = _folder(stack)
    fate, reason = Fate.USED, ""
    if not region_kind(folder, names):
        fate, reason = Fate.NOT_USED, "its folder names neither tumour nor liver"
    elif scan is None:
        fate, reason = Fate.FAILED, "not exactly one scan of the patient has as many slices"
    return ReportRow(
        source="mask series",
        description=safe_description(folder),
        slices=stack.slice_count,
        fate=fate,
        reason=reason,
        files=stack.files,
    )


def _folder(stack: Stack) -> str:
    return stack.files[0].parent.name
