"""Split one series into its phases, echoes or contrasts, and set its localisers aside.

Scanners and archives put several volumes under one SeriesInstanceUID: arterial and portal phase of
a CT, the echoes of an MR, diffusion weightings. Slices are split only where that is needed and
explains them: one stack that is regular as it is stays whole, whatever its headers say, because
acquisition times and numbers also change from slice to slice within one volume.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pipeline.ingest.codes import Code
from pipeline.ingest.dicom.grid import (
    find_irregularity,
    heights_mm,
    in_order,
    same_plane,
    same_raster,
    usual_gap,
)
from pipeline.ingest.dicom.slices import Slice

ODD_SLICES = 2
"""Slices of another plane within a series that count as localisers; more are a stack."""

PARALLEL = 0.9
"""Cosine between normals above which two planes are parallel but for a tilt (25 degrees)."""

OVERLAP = 0.5
"""Fraction of the shorter part that must lie beside another; else the parts are one long stack
with a gap, and a missing slice must not be explained away as two acquisitions."""

ONE_PLACE = 0.25
"""Slices nearer than this fraction of the usual gap count as one position seen again."""

SLICE_GAP_TO_THICKNESS = 0.9
"""Slices of one acquisition normally lie at least this fraction of their thickness apart."""

MAX_GROUPS = 32
"""Planes or rasters told apart within one series; the rest count as one more, since a header that
changes from slice to slice must not make the comparison quadratic."""

_HEADER_CRITERIA = (
    "folder",
    "orientation",
    "image size",
    "stack",
    "temporal position",
    "acquisition number",
    "echo time",
    "b-value",
    "sequence name",
    "image type",
    "convolution kernel",
    "tube voltage",
    "acquisition time",
    "trigger time",
    "content time",
)

_STATED = frozenset({"stack", "temporal position", "echo time", "b-value"})
"""Criteria by which a header states that its slices are several volumes. Numbers and times of
acquisition do not: one volume is also acquired in several passes, every other slice in turn."""

Parts = list[list[Slice]]
_Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Split:
    """The parts of a series and by what they were told apart (empty for one part)."""

    parts: Parts
    by: str = ""


def set_aside_odd(slices: Sequence[Slice]) -> tuple[list[Slice], list[Slice]]:
    """Separate a slice or two that belong to another plane or raster than their series.

    Such a slice is set aside only where it cannot be part of the stack: it lies in another plane,
    or at a place where the stack has a slice already or none is due. A slice that differs in size
    where the stack would have a gap without it stays, and makes the stack irregular.

    Returns
    -------
    kept, odd : list of Slice
    """
    groups = sorted(_alike(slices), key=len, reverse=True)
    main, others = groups[0], [item for group in groups[1:] for item in group]
    if not others or len(others) > ODD_SLICES or len(main) <= len(others):
        return list(slices), []
    odd = [item for item in others if not _could_belong(main, item)]
    return [item for item in slices if not any(item is other for other in odd)], odd


def split_series(slices: Sequence[Slice]) -> Split:
    """Split the slices of one series into stacks.

    Parameters
    ----------
    slices : sequence of Slice
        Without defects.

    Returns
    -------
    Split
        One part unless there is a way to split that explains the slices.
    """
    if len(slices) < 4 or (find_irregularity(slices) is None and not _interleaves(slices)):
        return Split([list(slices)])
    times = _times_seen(slices)
    volumes = [_Volume.of(group) for group in _alike(slices) if _is_one_volume(group)]
    best, best_rank = Split([list(slices)]), (_USELESS, 0)
    for split in _candidates(slices):
        rank = (_quality(split, times, volumes), len(split.parts))
        if rank < best_rank:
            best, best_rank = split, rank
        if best_rank[0] == 0:
            break
    return Split(sorted(best.parts, key=_part_order), best.by)


_USELESS = 3


@dataclass(frozen=True, slots=True)
class _Volume:
    """Slices of one plane whose places form one grid: which they are, how often it is seen."""

    members: frozenset[int]
    times: int

    @classmethod
    def of(cls, group: Sequence[Slice]) -> "_Volume":
        return cls(frozenset(map(id, group)), _times_seen(group))


def _quality(split: Split, times: int, volumes: Sequence[_Volume]) -> int:
    """Rank a split: 0 regular parts, as many as positions repeat; 1 regular; 2 no repeats left.

    Parts that a StackID names need not lie beside each other.
    """
    by_stack = split.by == "stack"
    if not (by_stack or _overlapping(split.parts)):
        return _USELESS
    regular = all(find_irregularity(part) is None for part in split.parts)
    if regular and (by_stack or len(split.parts) == times):
        return 0
    if regular and len(split.parts) > times and not _tears(split, volumes):
        return 1
    if any(_times_seen(part) > 1 for part in split.parts):
        return _USELESS
    return 2 if by_stack or 2 <= times >= len(split.parts) else _USELESS


def _tears(split: Split, volumes: Sequence[_Volume]) -> bool:
    """Tell whether a split makes more parts of a plane than its places are seen times.

    The parts then have wider gaps than the whole, which would explain a missing slice away. Such a
    split is taken only where the header states it.
    """
    if all(name in _STATED for name in split.by.split(" and ")):
        return False
    part_of = {id(item): number for number, part in enumerate(split.parts) for item in part}
    return any(len({part_of[i] for i in volume.members}) > volume.times for volume in volumes)


def _is_one_volume(group: Sequence[Slice]) -> bool:
    """Tell whether the places of slices of one plane are one volume's, but for missing slices."""
    found = find_irregularity([place[0] for place in _places(group).values()])
    return (found is None or found.code == Code.SLICE_MISSING) and not _interleaves(group)


def _candidates(slices: Sequence[Slice]) -> Iterator[Split]:
    """Yield ways to split, the more trustworthy first."""
    yield from _by_header(slices)
    for name, order in _ORDERS.items():
        ordered = _sorted_by(slices, order)
        if ordered:
            yield Split(_kth_at_each_place(ordered), f"repeated positions in order of {name}")
            yield Split(_runs(ordered), f"positions that jump back in order of {name}")


def _by_header(slices: Sequence[Slice]) -> Iterator[Split]:
    singles = []
    for criterion in _HEADER_CRITERIA:
        parts = _grouped(slices, (criterion,))
        if len(parts) > 1 and min(map(len, parts)) > 1:
            singles.append(criterion)
            yield Split(parts, criterion)
    for index, first in enumerate(singles):
        for second in singles[index + 1 :]:
            parts = _grouped(slices, (first, second))
            if min(map(len, parts)) > 1:
                yield Split(parts, f"{first} and {second}")


def _grouped(slices: Sequence[Slice], criteria: Sequence[str]) -> Parts:
    labels = [_labels(slices, criterion) for criterion in criteria]
    groups: dict[tuple[str, ...], list[Slice]] = defaultdict(list)
    for item, *key in zip(slices, *labels, strict=True):
        groups[tuple(key)].append(item)
    return list(groups.values())


def _labels(slices: Sequence[Slice], criterion: str) -> list[str]:
    if criterion == "folder":
        return [str(item.file.parent) for item in slices]
    if criterion in ("orientation", "image size"):
        same = same_plane if criterion == "orientation" else same_raster
        return [str(label) for label in _cluster(slices, same)]
    return [item.marks.get(criterion, "") for item in slices]


def _cluster(slices: Sequence[Slice], same: Callable[[Slice, Slice], bool]) -> list[int]:
    """Return for each slice the number of its group of alike slices, in order of first sight."""
    found: list[Slice] = []
    labels = []
    for item in slices:
        label = next((i for i, known in enumerate(found) if same(known, item)), len(found))
        if label == len(found) < MAX_GROUPS:
            found.append(item)
        labels.append(label)
    return labels


def _alike(slices: Sequence[Slice]) -> Parts:
    labels = _cluster(slices, lambda a, b: same_plane(a, b) and same_raster(a, b))
    groups: dict[int, list[Slice]] = defaultdict(list)
    for item, label in zip(slices, labels, strict=True):
        groups[label].append(item)
    return list(groups.values())


def _could_belong(main: Sequence[Slice], item: Slice) -> bool:
    if abs(float(main[0].normal @ item.normal)) < PARALLEL:
        return False
    heights = np.sort(heights_mm(main))
    gap = usual_gap(heights)
    height = float(item.position_mm @ main[0].normal)
    near = float(np.abs(heights - height).min())
    due = heights[0] - 1.5 * gap <= height <= heights[-1] + 1.5 * gap
    return gap > 0 and due and near > ONE_PLACE * gap


def _interleaves(slices: Sequence[Slice]) -> bool:
    """Tell whether slices that look like one regular stack are two, shifted by half a gap.

    Their places then lie closer together than the slices are thick, and the instance numbers run
    through the stack more than once. Overlapping reconstructions of one acquisition run once.
    """
    ordered = _sorted_by(slices, _ORDERS["instance number"])
    thickness = slices[0].thickness_mm
    if not ordered or not thickness or len(slices) < 4:
        return False
    gap = usual_gap(np.sort(heights_mm(slices)))
    declared = slices[0].between_mm
    if gap >= SLICE_GAP_TO_THICKNESS * thickness or (declared and abs(declared - gap) < 0.1 * gap):
        return False
    return len(_runs(ordered)) > 1


def _times_seen(slices: Sequence[Slice]) -> int:
    """Return how often the most frequent position occurs."""
    return max(len(group) for group in _places(slices).values())


def _places(slices: Sequence[Slice]) -> Mapping[tuple[int, int], list[Slice]]:
    """Return slices by plane and place along its normal, each place in the given order."""
    found: dict[tuple[int, int], list[Slice]] = defaultdict(list)
    for plane, group in enumerate(_alike(slices)):
        heights = heights_mm(group)
        order = np.sort(heights)
        gap = usual_gap(order)
        starts = order[np.r_[True, np.diff(order) > ONE_PLACE * gap]]
        labels = np.searchsorted(starts, heights, side="right")
        for item, label in zip(group, labels, strict=True):
            found[plane, int(label)].append(item)
    return found


def _kth_at_each_place(ordered: Sequence[Slice]) -> Parts:
    """Return the first slice at each place, then the second; one part where counts differ."""
    places = list(_places(ordered).values())
    if len({len(place) for place in places}) > 1:
        return [list(ordered)]
    return [list(part) for part in zip(*places, strict=True)]


def _runs(ordered: Sequence[Slice]) -> Parts:
    """Cut a sequence of slices where the position jumps back."""
    heights = heights_mm(ordered)
    steps = np.diff(heights)
    forward = float(np.median(steps))
    cuts = np.flatnonzero(steps * np.sign(forward) < -0.5 * abs(forward)) + 1
    bounds = [0, *cuts.tolist(), len(ordered)]
    return [list(ordered[a:b]) for a, b in pairwise(bounds)]


def _by_number(item: Slice) -> _Key | None:
    return None if item.instance_number is None else ("", item.instance_number)


def _by_time(item: Slice) -> _Key | None:
    return (item.acquired_at, item.instance_number or 0) if item.acquired_at else None


def _by_content(item: Slice) -> _Key | None:
    time = item.marks.get("content time", "")
    return (time, item.instance_number or 0) if time else None


_ORDERS: Mapping[str, Callable[[Slice], _Key | None]] = {
    "instance number": _by_number,
    "acquisition time": _by_time,
    "content time": _by_content,
}


def _sorted_by(slices: Sequence[Slice], order: Callable[[Slice], _Key | None]) -> list[Slice]:
    """Return slices by a key that all have and none shares; nothing where there is no such key."""
    keys = [key for item in slices if (key := order(item)) is not None]
    if len(set(keys)) < len(slices):
        return []
    ranked = sorted(range(len(keys)), key=keys.__getitem__)
    return [slices[index] for index in ranked]


def _overlapping(parts: Parts) -> bool:
    """Tell whether there are several parts and each lies beside another, not beyond it."""
    if len(parts) < 2 or min(map(len, parts)) < 2:
        return False
    return all(any(_beside(part, other) for other in parts if other is not part) for part in parts)


def _beside(part: Sequence[Slice], other: Sequence[Slice]) -> bool:
    if not same_plane(part[0], other[0]):
        return True
    normal = part[0].normal
    spans = [np.array([item.position_mm @ normal for item in group]) for group in (part, other)]
    shared = min(span.max() for span in spans) - max(span.min() for span in spans)
    return bool(shared >= OVERLAP * min(np.ptp(span) for span in spans))


def _part_order(part: Sequence[Slice]) -> tuple[str, float, str]:
    """Sort parts by when they were acquired, else by the scanner's count of slices."""
    acquired = min((item.acquired_at for item in part if item.acquired_at), default="")
    count = min((float(item.instance_number or 0) for item in part), default=0.0)
    return acquired, count, in_order(part)[0].file.name
