"""Whose each image stack and mask is: by its PatientID, its study's, or else its folder.

Exports and drawing tools may leave PatientID empty on one side only, so that a mask and its images
seem to be of two patients. What has no identifier takes the one that the other files of its study
bear, if that is a single one; two different identifiers always stay two patients.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.ingest.collections.anonymous import AnonymousFile, name_anonymous
from pipeline.ingest.collections.mask_links import Mask
from pipeline.ingest.dicom.facts import SeriesFacts
from pipeline.ingest.dicom.mask_facts import MaskFacts
from pipeline.ingest.dicom.stacks import Stack

Facts = Mapping[Path, SeriesFacts | MaskFacts]


@dataclass(frozen=True, slots=True)
class PatientNames:
    """Whose the files are, in memory only.

    Parameters
    ----------
    names : mapping of Path to str
        Patient of each mask and of the first file of each stack.
    adopted : frozenset of Path
        Those that have the identifier of their study.
    by_folder : frozenset of Path
        Those whose patient has no identifier and goes by study and folder.
    """

    names: Mapping[Path, str]
    adopted: frozenset[Path]
    by_folder: frozenset[Path]


def name_patients(source: Path, stacks: Sequence[Stack], masks: Sequence[Mask]) -> PatientNames:
    """Name the patient of each stack (by its first file) and mask.

    Parameters
    ----------
    source : Path
        The folder that is imported.
    stacks, masks : sequences of Stack and Mask
        All that lie below it.
    """
    facts: Facts = {
        **{stack.files[0]: stack.facts for stack in stacks},
        **{mask.path: mask.facts for mask in masks},
    }
    own = {file: item.patient_id.strip(" \0") for file, item in facts.items()}
    own = {file: name for file, name in own.items() if name}
    adopted = _adopt(facts, own)
    named = {**own, **adopted}
    nameless = [
        AnonymousFile(file, item.study_uid) for file, item in facts.items() if file not in named
    ]
    anonymous = name_anonymous(source, nameless, named.values())
    return PatientNames({**named, **anonymous}, frozenset(adopted), frozenset(anonymous))


def _adopt(facts: Facts, own: Mapping[Path, str]) -> dict[Path, str]:
    """Return the identifier of files without one whose series or study bears a single one."""
    known: dict[tuple[str, str], set[str]] = defaultdict(set)
    for file, name in own.items():
        for key in _keys(facts[file]):
            known[key].add(name)
    adopted: dict[Path, str] = {}
    for file, item in facts.items():
        single = [known[key] for key in _keys(item) if len(known[key]) == 1]
        if file not in own and single:
            adopted[file] = min(single[0])
    return adopted


def _keys(item: SeriesFacts | MaskFacts) -> Iterator[tuple[str, str]]:
    """Yield the series (or the one that a mask was drawn on) within its study, then the study."""
    series = item.series_uid if isinstance(item, SeriesFacts) else item.referenced_series_uid
    if item.study_uid and series:
        yield (item.study_uid, series)
    if item.study_uid:
        yield (item.study_uid, "")
