"""Find the image stacks, masks and other objects among DICOM files.

A stack is what becomes one volume: the slices of one series, or of one phase of it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from pipeline.ingest.codes import Code
from pipeline.ingest.description_words import safe_description
from pipeline.ingest.dicom.defects import Defect
from pipeline.ingest.dicom.facts import FACT_KEYWORDS, SeriesFacts, read_facts
from pipeline.ingest.dicom.grid import in_order
from pipeline.ingest.dicom.header import (
    PARSE_ERRORS,
    damaged_file,
    open_dataset,
    parse,
    quiet_pydicom,
)
from pipeline.ingest.dicom.instance import Instance, SeriesKey, read_instance
from pipeline.ingest.dicom.multiframe import GROUP_KEYWORDS, frame_header, has_functional_groups
from pipeline.ingest.dicom.slices import Slice
from pipeline.ingest.dicom.split import set_aside_odd, split_series
from pipeline.ingest.read_error import ReadError

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Stack:
    """Slices that become one volume.

    Parameters
    ----------
    files : tuple of Path
        Each file once, in the order of the slices along their normal.
    facts : SeriesFacts
        What the header says; ``acquired_at`` is that of the slice acquired first.
    part, parts : int
        Which part of its series, from 1, and how many there are; parts are in order of
        acquisition.
    split_by : str
        What the parts were told apart by, such as ``acquisition number``; empty for one part.
    slice_count : int
        Number of slices.
    sop_uids : frozenset of str
        Identifiers of the files' objects, to find the image that a mask refers to.
    slices : tuple of Slice
        The slices in order; in the order of the files where one has a defect.
    """

    files: tuple[Path, ...]
    facts: SeriesFacts
    part: int
    parts: int
    split_by: str
    slice_count: int
    sop_uids: frozenset[str] = field(repr=False)
    slices: tuple[Slice, ...] = field(repr=False)

    @property
    def title(self) -> str:
        """Series number, description, slices and part, for the user to recognise.

        A description that may hold a name is withheld, because problems are written to files.
        """
        number = "" if self.facts.series_number is None else f"series {self.facts.series_number} "
        name = safe_description(self.facts.series_description) or "without description"
        part = f", part {self.part} of {self.parts} by {self.split_by}" if self.parts > 1 else ""
        slices = f"{self.slice_count} slice{'' if self.slice_count == 1 else 's'}"
        return f"{number}{name} ({slices}{part}, {self.files[0].name} ...)"


@dataclass(frozen=True, slots=True)
class Survey:
    """What is among some files.

    Parameters
    ----------
    stacks : tuple of Stack
        Images, ordered by study, series number and part.
    masks : tuple of Path
        SEG and RTSTRUCT files.
    skipped : tuple of (Path, str)
        DICOM files that are neither, each with the reason; damaged ones too.
    damaged : tuple of Path
        Those of ``skipped`` that cannot be parsed.
    """

    stacks: tuple[Stack, ...]
    masks: tuple[Path, ...]
    skipped: tuple[tuple[Path, str], ...]
    damaged: tuple[Path, ...] = ()


@dataclass(slots=True)
class _Found:
    """What has been found so far."""

    stacks: list[Stack] = field(default_factory=list)
    masks: list[Path] = field(default_factory=list)
    skipped: list[tuple[Path, str]] = field(default_factory=list)
    damaged: list[Path] = field(default_factory=list)


def survey(files: Iterable[Path]) -> Survey:
    """Find the image stacks and masks among files.

    Parameters
    ----------
    files : iterable of Path
        Any files; those that are not DICOM, and DICOMDIR, are ignored.

    Returns
    -------
    Survey
        The same for the same files in any order. Files that cannot be read are listed, not raised.
    """
    found = _Found()
    series: dict[SeriesKey, list[Instance]] = defaultdict(list)
    for instance in _read_instances(files, found):
        if instance.is_mask:
            found.masks.append(instance.file)
        elif instance.set_aside:
            found.skipped.append((instance.file, instance.set_aside))
        else:
            series[instance.key].append(instance)
    for key, instances in series.items():
        _add_series(key, instances, found)
    return Survey(
        tuple(sorted(found.stacks, key=_stack_order)),
        tuple(found.masks),
        tuple(sorted(found.skipped)),
        tuple(found.damaged),
    )


def _read_instances(files: Iterable[Path], found: _Found) -> Iterator[Instance]:
    for file in sorted(files):
        try:
            instance = read_instance(file)
        except ReadError as error:
            found.skipped.append((file, error.got))
            found.damaged.append(file)
            continue
        if instance is not None:
            yield instance


def _stack_order(stack: Stack) -> tuple[str, str, str, int, str, str, int, Path]:
    facts = stack.facts
    number = -1 if facts.series_number is None else facts.series_number
    study = (facts.patient_id, facts.study_date, facts.study_uid)
    series = (number, facts.series_description, facts.series_uid)
    return (*study, *series, stack.part, stack.files[0])


def _add_series(key: SeriesKey, instances: Sequence[Instance], found: _Found) -> None:
    instances = _without_copies(instances, found)
    slices = [item for instance in instances for item in instance.slices]
    if all(item.defect and item.defect.is_colour for item in slices):
        found.skipped.extend((instance.file, "colour image") for instance in instances)
        return
    slices = _without_captures(slices, found)
    if any(item.defect for item in slices):
        found.stacks.append(_make_stack(key, slices, (1, 1), ""))
        return
    kept, odd = set_aside_odd(slices)
    reason = "localiser: another plane or size than its series"
    found.skipped.extend((item.file, reason) for item in odd)
    split = split_series(kept)
    for part, members in enumerate(split.parts, start=1):
        place = (part, len(split.parts))
        found.stacks.append(_make_stack(key, in_order(members), place, split.by))


def _without_captures(slices: list[Slice], found: _Found) -> list[Slice]:
    """Set pictures of screens and reports aside that lie among the slices of a patient.

    Such a picture has another ImageType than the slices; else it may be one that lost its position.
    """
    types = {item.marks.get("image type") for item in slices if not item.is_capture}
    if not types:
        return slices
    captures = [i for i in slices if i.is_capture and i.marks.get("image type") not in types]
    reason = "no slice of the patient: derived or secondary, without a position"
    found.skipped.extend((item.file, reason) for item in captures)
    dropped = set(map(id, captures))
    return [item for item in slices if id(item) not in dropped]


def _make_stack(
    key: SeriesKey, slices: Sequence[Slice], place: tuple[int, int], split_by: str
) -> Stack:
    facts = _facts(slices[0])
    acquired = min((item.acquired_at for item in slices if item.acquired_at), default="")
    return Stack(
        files=tuple(dict.fromkeys(item.file for item in slices)),
        facts=replace(facts, modality=key.modality, acquired_at=acquired[:14]),
        part=place[0],
        parts=place[1],
        split_by=split_by,
        slice_count=len(slices),
        sop_uids=frozenset(item.sop_uid for item in slices if item.sop_uid),
        slices=tuple(slices),
    )


def _facts(item: Slice) -> SeriesFacts:
    """Read the facts of a slice; its header was parsed before, so damage is a changed file."""
    try:
        with quiet_pydicom(), open_dataset(item.file) as stream:
            header = parse(stream, (*FACT_KEYWORDS, *GROUP_KEYWORDS))
            if item.defect is None and has_functional_groups(header):
                header = frame_header(header, item.frame)
            return read_facts(header)
    except PARSE_ERRORS:
        raise damaged_file(item.file) from None


def _without_copies(instances: Sequence[Instance], found: _Found) -> list[Instance]:
    """Drop copies of a file; mark files that claim to be copies but hold other voxels.

    Files count as the same object when identifier and position agree: some anonymisers give all
    slices one identifier.
    """
    kept: dict[tuple[str, bytes], list[Instance]] = defaultdict(list)
    for instance in instances:
        first = instance.slices[0]
        twins = kept[first.sop_uid, first.position_mm.tobytes()]
        if not first.sop_uid or not twins:
            twins.append(instance)
            continue
        original = next((twin for twin in twins if _same_pixels(twin, instance)), None)
        if original is not None:
            found.skipped.append((instance.file, f"copy of {original.file.name}"))
        elif any(twin.file.parent == instance.file.parent for twin in twins):
            twins.append(_contradicting(instance, twins[0]))
        else:
            twins.append(instance)
    return [instance for twins in kept.values() for instance in twins]


def _same_pixels(first: Instance, other: Instance) -> bool:
    return _pixel_hash(first) == _pixel_hash(other)


def _pixel_hash(instance: Instance) -> bytes:
    """Hash what is stored from the pixel data on."""
    digest = sha256()
    try:
        with open_dataset(instance.file) as stream:
            stream.seek(instance.slices[0].encoding.offset)
            while chunk := stream.read(_CHUNK_BYTES):
                digest.update(chunk)
    except PARSE_ERRORS:
        raise damaged_file(instance.file) from None
    return digest.digest()


def _contradicting(instance: Instance, twin: Instance) -> Instance:
    defect = Defect(
        "has two slices at one place",
        "one object an identifier",
        f"{twin.file.name} and {instance.file.name} with one identifier and different voxels",
        Code.SLICE_DUPLICATE,
    )
    slices = tuple(replace(item, defect=item.defect or defect) for item in instance.slices)
    return replace(instance, slices=slices)
