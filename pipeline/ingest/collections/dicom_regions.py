"""Which regions each image stack of a patient has, from the DICOM masks drawn on it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pipeline.ingest.collections.dicom_rules import DicomRules
from pipeline.ingest.collections.mask_folders import (
    scan_of_series,
    series_regions,
    series_row,
)
from pipeline.ingest.collections.mask_links import Link, Mask, find_stack, shares_frame
from pipeline.ingest.collections.plan import LIVER, TUMOUR, Fate, RegionSource, ReportRow
from pipeline.ingest.collections.segment_names import RegionNames, region_kind
from pipeline.ingest.description_words import is_safe, safe_description
from pipeline.ingest.dicom.stacks import Stack
from pipeline.ingest.read_error import ReadError

SHARED = "shared with series it was not drawn on; breathing may have moved the organs between them"
"""What the report says of a mask that serves other series, and of those series."""


@dataclass
class PatientRegions:
    """Regions by stack; filled by :func:`link_masks`.

    Parameters
    ----------
    by_stack : dict of int to list of RegionSource
        Keyed by the identity of the stack in the patient's list.
    made_by : dict of int to str
        How the mask was made that a stack has its tumours from (SegmentAlgorithmType).
    report : list of ReportRow
        One row a mask; ``patient_id`` is left to the caller.
    """

    by_stack: dict[int, tuple[RegionSource, ...]] = field(default_factory=dict)
    made_by: dict[int, str] = field(default_factory=dict)
    report: list[ReportRow] = field(default_factory=list)

    def of(self, stack: Stack) -> tuple[RegionSource, ...]:
        """Return the regions of a stack."""
        return self.by_stack.get(id(stack), ())

    def has_tumour(self, stack: Stack) -> bool:
        """Tell whether a tumour was drawn on a stack."""
        return any(region.name == TUMOUR for region in self.of(stack))

    def why_none(self, stack: Stack) -> str:
        """Say why a stack cannot be used for want of a tumour."""
        return "its masks name no tumour" if self.of(stack) else "no mask of the tumour"


def link_masks(stacks: Sequence[Stack], masks: Sequence[Mask], rules: DicomRules) -> PatientRegions:
    """Find the regions of a patient's stacks.

    A stack takes its tumours from one mask: of several, from one that people made rather than a
    program, then from the one with the lowest series number. Masks made alike whose tumours have
    other names are further lesions, one file a lesion being common; the others are listed.

    Parameters
    ----------
    stacks, masks : sequences of Stack and Mask
        All of one patient.
    rules : DicomRules
        Names of the regions, which masks count, whether they are shared.
    """
    found = PatientRegions()
    for mask in sorted(masks, key=_preference):
        reason = _unwanted(mask, rules)
        if reason:
            found.report.append(_row(mask, Fate.NOT_USED, reason))
            continue
        try:
            link = find_stack(mask, stacks)
        except ReadError as error:
            found.report.append(_row(mask, Fate.FAILED, error.what))
            continue
        row = _take(found, mask, link, rules.names)
        if rules.share_masks and _share(found, mask, stacks, link.stack, rules.names):
            row = replace(row, fate=Fate.USED, reason=row.reason and f"{row.reason}; {SHARED}")
        found.report.append(row)
    return found


def add_mask_series(
    found: PatientRegions, scans: Sequence[Stack], series: Sequence[Stack], names: RegionNames
) -> None:
    """Add the regions that are stored as image series, see :mod:`.mask_folders`."""
    scan = scan_of_series(series, scans)
    found.report += [series_row(stack, names, scan) for stack in series]
    if scan is not None:
        found.by_stack[id(scan)] = _merge(found.of(scan), series_regions(series, names))


def _preference(mask: Mask) -> tuple[bool, int, str]:
    number = mask.facts.series_number
    return (mask.facts.algorithm == "AUTOMATIC", 0 if number is None else number, str(mask.path))


def _unwanted(mask: Mask, rules: DicomRules) -> str:
    wanted = rules.mask_description
    if wanted and mask.facts.series_description != wanted:
        return f"not one of the collection's own masks (described as {wanted})"
    kinds = {region_kind(name, rules.names) for name in mask.facts.names}
    if not kinds & {TUMOUR, LIVER}:
        shown = [name for name in mask.facts.names if name.strip() and is_safe(name)]
        named = f" Names: {', '.join(shown)}." if shown else ""
        return f"no segment named as tumour or liver; see --tumour and --liver.{named}"
    return ""


def _take(found: PatientRegions, mask: Mask, link: Link, names: RegionNames) -> ReportRow:
    if link.stack is None:
        return _row(mask, Fate.FAILED, link.reason)
    own = _regions(mask, names)
    new = _merge(found.of(link.stack), own)
    if found.made_by.setdefault(id(link.stack), mask.facts.algorithm) == mask.facts.algorithm:
        new += _further_lesions(new, own)
    if new == found.of(link.stack):
        return _row(mask, Fate.NOT_USED, "another mask of the same series is used")
    found.by_stack[id(link.stack)] = new
    return _row(mask, Fate.USED, "")


def _further_lesions(
    present: tuple[RegionSource, ...], own: tuple[RegionSource, ...]
) -> tuple[RegionSource, ...]:
    """Return the tumours of another mask, unless they bear the names of those that there are."""
    tumours = [region for region in present if region.name == TUMOUR and not region.shared]
    further = [region for region in own if region.name == TUMOUR]
    labels = {str(region.label).casefold() for region in tumours}
    if not tumours or labels & {str(region.label).casefold() for region in further}:
        return ()
    first = len(tumours) + 1
    return tuple(
        replace(region, lesion_id=str(number)) for number, region in enumerate(further, start=first)
    )


def _share(
    found: PatientRegions,
    mask: Mask,
    stacks: Sequence[Stack],
    own: Stack | None,
    names: RegionNames,
) -> bool:
    """Give a mask's regions to the other stacks of its study and frame that have none."""
    shared = tuple(replace(region, shared=True) for region in _regions(mask, names))
    is_taken = False
    for stack in stacks:
        if stack is own or not shares_frame(mask.facts, stack):
            continue
        new = _merge(found.of(stack), shared)
        is_taken = is_taken or new != found.of(stack)
        found.by_stack[id(stack)] = new
    return is_taken


def _regions(mask: Mask, names: RegionNames) -> tuple[RegionSource, ...]:
    regions = []
    lesions = 0
    for item in mask.facts.regions:
        kind = region_kind(item.name, names)
        lesions += kind == TUMOUR
        # Regions of one name can only be told apart by their number.
        repeated = mask.facts.names.count(item.name) > 1
        if kind:
            label: str | int = item.number if repeated else item.name
            lesion = str(lesions) if kind == TUMOUR else "1"
            regions.append(RegionSource(path=mask.path, label=label, name=kind, lesion_id=lesion))
    return tuple(regions)


def _merge(
    present: tuple[RegionSource, ...], new: tuple[RegionSource, ...]
) -> tuple[RegionSource, ...]:
    """Add the kinds of region that are absent; what was drawn here replaces what is shared."""
    own = {region.name for region in new if not region.shared}
    kept = tuple(item for item in present if not (item.shared and item.name in own))
    kinds = {region.name for region in kept}
    return (*kept, *(region for region in new if region.name not in kinds))


def _row(mask: Mask, fate: Fate, reason: str) -> ReportRow:
    number = mask.facts.series_number
    return ReportRow(
        source=f"{mask.facts.kind}, series {'?' if number is None else number}",
        description=safe_description(mask.facts.series_description),
        fate=fate,
        reason=reason,
    )
