"""Plan the import of a DICOM tree, whatever its folders: studies, series and the masks on them."""

import os
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from pipeline.domain.scan import Modality, Timepoint
from pipeline.ingest.collections.dicom_regions import (
    NAME_THE_TUMOUR,
    SHARED,
    PatientRegions,
    add_mask_series,
    link_masks,
)
from pipeline.ingest.collections.dicom_rules import DicomRules
from pipeline.ingest.collections.import_report import count
from pipeline.ingest.collections.mask_folders import is_mask_series
from pipeline.ingest.collections.mask_links import Mask
from pipeline.ingest.collections.patient_names import name_patients
from pipeline.ingest.collections.plan import (
    Fate,
    PatientSource,
    RegionSource,
    ReportRow,
    ScanSource,
)
from pipeline.ingest.collections.visits import Visits, order_visits
from pipeline.ingest.description_words import safe_description
from pipeline.ingest.dicom.mask_facts import read_mask_facts
from pipeline.ingest.dicom.series import stack_problem
from pipeline.ingest.dicom.stacks import Stack, Survey, survey
from pipeline.ingest.read_error import ReadError

Key = TypeVar("Key", bound=Hashable)
Item = TypeVar("Item")

NO_PATIENT_ID = "no PatientID in the header: study and top folder stand for the patient"
"""What the report says of the scans of a patient without identifier."""

ADOPTED_ID = "no PatientID in its header: that of its study is taken"
"""What the report says of files without identifier among others of their study that have one."""

LOOKED_FOR = "DICOM files of CT, MR or PET, under any names and in any folders"


@dataclass(frozen=True, slots=True)
class Tree:
    """What a DICOM tree holds, by the identifier in its headers (kept in memory only).

    Parameters
    ----------
    stacks : mapping of str to tuple of Stack
        Image stacks of each patient.
    masks : mapping of str to tuple of Mask
        SEG and RTSTRUCT of each patient.
    mask_series : mapping of str to tuple of Stack
        Masks that are stored as images.
    report : tuple of ReportRow
        Files that are neither.
    by_folder : frozenset of str
        Patients without an identifier, named after their folder.
    adopted : frozenset of Path
        Masks, and first files of stacks, whose identifier is that of their study.
    damaged_folders : frozenset of Path
        Folders with a damaged file or a dead link: the series there may lack it.
    series_uids : frozenset of str
        Series of the images of all patients.
    """

    stacks: Mapping[str, tuple[Stack, ...]]
    masks: Mapping[str, tuple[Mask, ...]]
    mask_series: Mapping[str, tuple[Stack, ...]]
    report: tuple[ReportRow, ...]
    by_folder: frozenset[str]
    adopted: frozenset[Path]
    damaged_folders: frozenset[Path] = frozenset()
    series_uids: frozenset[str] = frozenset()

    @property
    def patients(self) -> list[str]:
        """Identifiers in alphabetical order."""
        return sorted({*self.stacks, *self.masks, *self.mask_series})

    def files(self, header_id: str) -> tuple[Path, ...]:
        """Return all files of a patient."""
        stacks = (*self.stacks.get(header_id, ()), *self.mask_series.get(header_id, ()))
        masks = [mask.path for mask in self.masks.get(header_id, ())]
        return (*(file for stack in stacks for file in stack.files), *masks)


def read_tree(source: Path) -> Tree:
    """Read the headers of all files below a folder.

    Links to folders are not followed, so that a tree cannot be endless.
    """
    paths = list(_paths(source))
    # Anything else, such as a named pipe, would be waited for without end.
    found = survey(path for path in paths if path.is_file())
    dead = [path for path in paths if path.is_symlink() and not path.exists()]
    rows = [*_skipped(found), *_dead_links(dead)]
    masks: list[Mask] = []
    for path in found.masks:
        try:
            masks.append(Mask(path, read_mask_facts(path)))
        except ReadError as error:
            rows.append(_mask_failed(path, error))
    of_patient = name_patients(source, found.stacks, masks)
    names = of_patient.names
    series = [stack for stack in found.stacks if is_mask_series(source, stack)]
    scans = [stack for stack in found.stacks if not is_mask_series(source, stack)]
    return Tree(
        _grouped((names[stack.files[0]], stack) for stack in scans),
        _grouped((names[mask.path], mask) for mask in masks),
        _grouped((names[stack.files[0]], stack) for stack in series),
        tuple(rows),
        frozenset(names[file] for file in of_patient.by_folder),
        of_patient.adopted,
        frozenset(file.parent for file in (*found.damaged, *dead)),
        frozenset(stack.facts.series_uid for stack in scans),
    )


def plan_patient(
    tree: Tree, header_id: str, patient_id: str, rules: DicomRules
) -> tuple[PatientSource, list[ReportRow]]:
    """Plan one patient.

    Parameters
    ----------
    tree : Tree
        What there is.
    header_id, patient_id : str
        The identifier in the headers, and the one to write.
    rules : DicomRules
        How to read it.

    Returns
    -------
    patient : PatientSource
        The scans to import; may have none.
    report : list of ReportRow
        One row for each series and mask that is not.
    """
    stacks = tree.stacks.get(header_id, ())
    regions = link_masks(stacks, tree.masks.get(header_id, ()), rules, tree.series_uids)
    add_mask_series(regions, stacks, tree.mask_series.get(header_id, ()), rules.names)
    visits = order_visits(stacks, rules.only_visit)
    scans: list[ScanSource] = []
    report = [_remark(replace(row, patient_id=patient_id), tree) for row in regions.report]
    for stack in stacks:
        row = _row(stack, patient_id, visits)
        timepoint = visits.timepoint(stack)
        if timepoint is None:
            report.append(replace(row, reason=visits.why_none()))
            continue
        refused = _refuse(row, stack, tree, regions, rules)
        if refused is not None:
            report.append(_remark(refused, tree))
        else:
            remarks = [NO_PATIENT_ID] if header_id in tree.by_folder else []
            remarks += _remarks(stack, regions)
            used = _remark(replace(row, fate=Fate.USED, reason="; ".join(remarks)), tree)
            scans.append(_scan(stack, regions.of(stack), timepoint, visits.days(stack), used))
    return PatientSource(patient_id, tuple(scans), rules.reading), report


def _scan(
    stack: Stack,
    regions: tuple[RegionSource, ...],
    timepoint: Timepoint,
    days: int | None,
    row: ReportRow,
) -> ScanSource:
    return ScanSource(
        timepoint=timepoint,
        modality=Modality(stack.facts.modality),
        image=stack,
        regions=regions,
        days_from_first_scan=days,
        technical=stack.facts.technical,
        report=row,
    )


def _remarks(stack: Stack, regions: PatientRegions) -> list[str]:
    remarks = [] if regions.has_tumour(stack) else [regions.why_none(stack)]
    return remarks + ([SHARED] if any(region.shared for region in regions.of(stack)) else [])


def _remark(row: ReportRow, tree: Tree) -> ReportRow:
    if not any(file in tree.adopted for file in row.files[:1]):
        return row
    return replace(row, reason="; ".join(filter(None, (row.reason, ADOPTED_ID))))


def _refuse(
    row: ReportRow, stack: Stack, tree: Tree, regions: PatientRegions, rules: DicomRules
) -> ReportRow | None:
    """Return the row of a stack that cannot be used, with the reason; None if it can."""
    if stack.facts.modality not in list(Modality):
        advice = f"Give images of {', '.join(Modality)}."
        return replace(row, reason="of a modality that is not read", advice=advice)
    if not regions.has_tumour(stack) and not rules.unmasked:
        return replace(row, reason=regions.why_none(stack), advice=NAME_THE_TUMOUR)
    if any(file.parent in tree.damaged_folders for file in stack.files):
        reason = "a damaged file or dead link lies beside its slices, which may lack it"
        return replace(row, fate=Fate.FAILED, reason=reason)
    problem = stack_problem(stack)
    if problem is not None:
        # The message may name files, which may be called after the patient.
        return replace(row, fate=Fate.FAILED, reason=f"{problem.what} ({problem.code})")
    return None


def _row(stack: Stack, patient_id: str, visits: Visits) -> ReportRow:
    timepoint = visits.timepoint(stack)
    number = stack.facts.series_number
    part = f", part {stack.part} of {stack.parts}" if stack.parts > 1 else ""
    return ReportRow(
        patient_id=patient_id,
        timepoint="" if timepoint is None else timepoint.value,
        modality=stack.facts.modality if stack.facts.modality in list(Modality) else "",
        source=f"visit {visits.number(stack)}, series {'?' if number is None else number}{part}",
        description=safe_description(stack.facts.series_description),
        slices=stack.slice_count,
        fate=Fate.NOT_USED,
        files=stack.files,
    )


def _paths(source: Path) -> Iterator[Path]:
    for folder, subfolders, names in os.walk(source):
        subfolders.sort()
        yield from (Path(folder, name) for name in sorted(names))


def _grouped(items: Iterable[tuple[Key, Item]]) -> dict[Key, tuple[Item, ...]]:
    groups: dict[Key, list[Item]] = {}
    for name, item in items:
        groups.setdefault(name, []).append(item)
    return {name: tuple(members) for name, members in groups.items()}


def _skipped(found: Survey) -> Iterator[ReportRow]:
    damaged = set(found.damaged)
    groups = _grouped(
        ((_without_names(reason), file in damaged), file) for file, reason in found.skipped
    )
    for (reason, is_damaged), files in sorted(groups.items()):
        fate = Fate.FAILED if is_damaged else Fate.NOT_USED
        source = count(len(files), "file")
        yield ReportRow(source=source, fate=fate, reason=reason, files=files)


def _dead_links(links: Sequence[Path]) -> Iterator[ReportRow]:
    if links:
        reason = "leads to no file; fetch the files, or copy them in place of the links"
        source = count(len(links), "link")
        yield ReportRow(source=source, fate=Fate.FAILED, reason=reason, files=tuple(links))


def _mask_failed(path: Path, error: ReadError) -> ReportRow:
    return ReportRow(source="mask", fate=Fate.FAILED, reason=error.what, files=(path,))


def _without_names(reason: str) -> str:
    """Return why a file was skipped without the name of another, which may be a patient's."""
    return "copy of another file" if reason.startswith("copy of ") else reason
