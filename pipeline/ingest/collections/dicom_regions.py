"""Which regions each image stack of a patient has, from the DICOM masks drawn on it."""

import filecmp
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
from pipeline.ingest.collections.segment_names import RegionNames, region_kind, tumour_names
from pipeline.ingest.description_words import WITHHELD, is_safe, safe_description
from pipeline.ingest.dicom.stacks import Stack
from pipeline.ingest.read_error import ReadError

SHARED = "shared with series it was not drawn on; breathing may have moved the organs between them"
"""What the report says of a mask that serves other series, and of those series."""

NAME_THE_TUMOUR = (
    "Name the tumour's segment or contour by --tumour, or write images without masks by --unmasked."
)
"""What to do where there is no mask of a tumour."""

_NAMES_SHOWN = 10
"""Segments that the report lists of a mask; a program may have labelled a hundred organs."""


@dataclass
class PatientRegions:
    """Regions by stack; filled by :func:`link_masks`.

    Parameters
    ----------
    by_stack : dict of int to list of RegionSource
        Keyed by the identity of the stack in the patient's list.
    linked : dict of int to list of Mask
        The masks that were drawn on a stack.
    drawn : dict of int to list of Mask
        The masks that a stack has its tumours from.
    lent_by : dict of int to int
        The stack on which the tumours were drawn that a stack has from others.
    report : list of ReportRow
        One row a mask; ``patient_id`` is left to the caller.
    """

    by_stack: dict[int, tuple[RegionSource, ...]] = field(default_factory=dict)
    linked: dict[int, list[Mask]] = field(default_factory=dict)
    drawn: dict[int, list[Mask]] = field(default_factory=dict)
    lent_by: dict[int, int] = field(default_factory=dict)
    report: list[ReportRow] = field(default_factory=list)

    def of(self, stack: Stack) -> tuple[RegionSource, ...]:
        """Return the regions of a stack."""
        return self.by_stack.get(id(stack), ())

    def has_tumour(self, stack: Stack) -> bool:
        """Tell whether a tumour was drawn on a stack."""
        return any(region.name == TUMOUR for region in self.of(stack))

    def why_none(self, stack: Stack) -> str:
        """Say why a stack cannot be used for want of a tumour."""
        if not self.of(stack):
            return "no mask of the tumour"
        listed = [_segments(mask) for mask in self.linked.get(id(stack), ())]
        return " ".join(["its masks name no tumour.", *listed]).rstrip(".")


def link_masks(
    stacks: Sequence[Stack],
    masks: Sequence[Mask],
    rules: DicomRules,
    all_series: frozenset[str] = frozenset(),
) -> PatientRegions:
    """Find the regions of a patient's stacks.

    A stack takes its tumours from the masks that people made, else from those of programs. One file
    a lesion being common, tumours of further masks are further lesions where their names differ. A
    name that comes twice may be a second lesion or a second drawing of the first: the mask with the
    higher series number is then a failure, which the user settles.

    Parameters
    ----------
    stacks, masks : sequences of Stack and Mask
        All of one patient.
    rules : DicomRules
        Names of the regions, which masks count, whether they are shared.
    all_series : frozenset of str
        Series of all patients, see :func:`.mask_links.find_stack`.
    """
    found = PatientRegions()
    for mask in sorted(masks, key=_preference):
        reason = _unwanted(mask, rules)
        if reason:
            row = _row(mask, Fate.NOT_USED, reason)
            found.report.append(replace(row, advice=NAME_THE_TUMOUR))
            continue
        try:
            link = find_stack(mask, stacks, all_series)
        except ReadError as error:
            found.report.append(_row(mask, Fate.FAILED, error.what))
            continue
        row = _take(found, mask, link, rules.names)
        is_refused = row.fate is Fate.FAILED and link.stack is not None
        if rules.share_masks and not is_refused and _share(found, mask, stacks, link, rules.names):
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
        return f"no segment named as tumour or liver; see --tumour and --liver. {_segments(mask)}"
    return ""


def _segments(mask: Mask) -> str:
    """List the segments of a mask, and say how to see the names that may be a person's."""
    regions = mask.facts.regions
    texts = [
        f"{item.number} {item.name if is_safe(item.name) else WITHHELD}".strip()
        for item in regions[:_NAMES_SHOWN]
    ]
    more = [f"{len(regions) - _NAMES_SHOWN} more"] if len(regions) > _NAMES_SHOWN else []
    listed = f"Segments: {', '.join([*texts, *more]) or 'none'}."
    # Where names are shown in full there is nothing to look up.
    is_whole = not more and all(is_safe(item.name) for item in regions)
    return listed if is_whole else f"{listed} --key FILE lists all names."


def _take(found: PatientRegions, mask: Mask, link: Link, names: RegionNames) -> ReportRow:
    """Give a stack the regions of a mask that it lacks; return what became of the mask."""
    if link.stack is None:
        return _row(mask, Fate.FAILED, link.reason)
    found.linked.setdefault(id(link.stack), []).append(mask)
    drawn = found.drawn.setdefault(id(link.stack), [])
    own = _regions(mask, names)
    fate, reason = _why_no_tumours(mask, drawn, names)
    if reason:
        own = tuple(region for region in own if region.name != TUMOUR)
    elif any(region.name == TUMOUR for region in own):
        drawn.append(mask)
    present = found.of(link.stack)
    new = _further_lesions(_merge(present, own), own)
    found.by_stack[id(link.stack)] = new
    if fate is Fate.USED and new == present:
        return _row(mask, Fate.NOT_USED, "another mask of the same series is used")
    # A mask that lends its liver is used, even if its tumours are those of a program.
    is_used = fate is Fate.NOT_USED and new != present
    return _row(mask, Fate.USED if is_used else fate, reason)


def _why_no_tumours(mask: Mask, drawn: Sequence[Mask], names: RegionNames) -> tuple[Fate, str]:
    """Return why the tumours of a mask are not added to those of others; "" if they are."""
    own = _folded_names(mask, names)
    if not own or not drawn:
        return Fate.USED, ""
    if any(filecmp.cmp(mask.path, other.path, shallow=False) for other in drawn):
        return Fate.NOT_USED, "copy of a mask that is used"
    if _is_automatic(mask) != _is_automatic(drawn[0]):
        return Fate.NOT_USED, "its tumours are a program's, those of another mask are used"
    twice = own & {name for other in drawn for name in _folded_names(other, names)}
    if not twice:
        return Fate.USED, ""
    shown = ", ".join(sorted(name for name in twice if is_safe(name))) or "a tumour alike"
    return Fate.FAILED, f"two masks of the same series name {shown}; remove one, or rename it"


def _is_automatic(mask: Mask) -> bool:
    return mask.facts.algorithm == "AUTOMATIC"


def _folded_names(mask: Mask, names: RegionNames) -> set[str]:
    return {name.strip().casefold() for name in tumour_names(mask.facts.names, names)}


def _further_lesions(
    present: tuple[RegionSource, ...], own: tuple[RegionSource, ...]
) -> tuple[RegionSource, ...]:
    """Add the tumours of another mask, counting on."""
    lesions = sum(region.name == TUMOUR for region in present)
    further = [region for region in own if region.name == TUMOUR and region not in present]
    return present + tuple(
        replace(region, lesion_id=str(lesions + number))
        for number, region in enumerate(further, start=1)
    )


def _share(
    found: PatientRegions,
    mask: Mask,
    stacks: Sequence[Stack],
    link: Link,
    names: RegionNames,
) -> bool:
    """Give a mask's regions to the other stacks of its study and frame that have none.

    Tumours come from the masks of one series only: those drawn on two series may be the same.
    """
    own = link.stack
    shared = tuple(replace(region, shared=True) for region in _lent(found, mask, own, names))
    is_taken = False
    for stack in stacks:
        if stack is own or not shares_frame(mask.facts, stack):
            continue
        present = found.of(stack)
        new = _merge(present, shared)
        if not found.has_tumour(stack) and any(item.name == TUMOUR for item in new):
            found.lent_by[id(stack)] = id(own)
        elif own and found.lent_by.get(id(stack)) == id(own) and not found.drawn.get(id(stack)):
            new = _further_lesions(new, shared)
        is_taken = is_taken or new != present
        found.by_stack[id(stack)] = new
    return is_taken


def _lent(
    found: PatientRegions, mask: Mask, own: Stack | None, names: RegionNames
) -> tuple[RegionSource, ...]:
    """Return what a mask lends: of its tumours those that its own stack has."""
    regions = _regions(mask, names)
    if own is None or mask in found.drawn.get(id(own), ()):
        return regions
    return tuple(region for region in regions if region.name != TUMOUR)


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
        files=(mask.path,),
        segments=tuple(f"{item.number} {item.name}".strip() for item in mask.facts.regions),
    )
