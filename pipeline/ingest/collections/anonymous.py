"""Who is who among files without a PatientID, as in 3D-IRCADb and other anonymised releases.

Files of one study, and files below one top folder of the source, are of one patient. So a source
with a folder a patient is told apart by its folders, whatever the studies below them; and the
folders of a single patient, which share a study, stay together. Files that lie in the source
itself are told apart by their studies alone: a flat export holds many patients. Where a top folder
holds masks by its name, the source as a whole is one patient's.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.ingest.collections.mask_folders import is_mask_folder

_STUDY = "study "
_FOLDER = "folder "


@dataclass(frozen=True, slots=True)
class AnonymousFile:
    """A file without PatientID, and the identifier of its study (in memory only)."""

    file: Path
    study_uid: str


def name_anonymous(
    source: Path, files: Sequence[AnonymousFile], taken: Iterable[str]
) -> dict[Path, str]:
    """Name the patient of each file without PatientID.

    Parameters
    ----------
    source : Path
        The folder that is imported.
    files : sequence of AnonymousFile
        Below ``source``.
    taken : iterable of str
        The identifiers of other patients, which no folder's name may join.

    Returns
    -------
    dict of Path to str
        The first top folder of the patient's files. Without one, the name of the source's folder
        where it holds one patient, else the study.
    """
    tops = {item.file: _top(source, item.file) for item in files}
    if any(is_mask_folder(top) for top in tops.values()):
        tops = dict.fromkeys(tops, source.resolve().name)
    keys = {item.file: _keys(item, tops[item.file]) for item in files}
    groups = _join(keys.values())
    names: dict[str, str] = {}
    used = set(taken)
    for group in groups:
        whole_source = source.resolve().name if len(groups) == 1 else ""
        name = _unused(_name(group, whole_source), used)
        used.add(name)
        names |= dict.fromkeys(group, name)
    return {file: names[min(of_file)] for file, of_file in keys.items()}


def _keys(item: AnonymousFile, top: str) -> set[str]:
    """Return what a file shares with the others of its patient."""
    keys = {f"{_STUDY}{item.study_uid}"} if item.study_uid else set()
    keys |= {f"{_FOLDER}{top}"} if top else set()
    return keys or {_FOLDER}


def _join(sets: Iterable[set[str]]) -> list[set[str]]:
    """Return the unions of the sets that share a key, directly or through others."""
    groups: list[set[str]] = []
    for keys in sets:
        joined = [group for group in groups if group & keys]
        groups = [group for group in groups if not group & keys]
        groups.append(keys.union(*joined))
    return groups


def _name(group: set[str], whole_source: str) -> str:
    folders = sorted(key.removeprefix(_FOLDER) for key in group if key.startswith(_FOLDER))
    return next((folder for folder in folders if folder), "") or whole_source or min(group)


def _unused(name: str, used: set[str]) -> str:
    while name in used:
        name = f"{name} (folder)"
    return name


def _top(source: Path, file: Path) -> str:
    parts = file.relative_to(source).parts
    return parts[0] if len(parts) > 1 else ""
