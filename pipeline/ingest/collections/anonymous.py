"""Who is who among files without a PatientID, as in 3D-IRCADb and other anonymised releases.

Files of one study, and files below one top folder of the source, are of one patient. So a source
with a folder a patient is told apart by its folders, whatever the studies below them; and the
folders of a single patient, which share a study, stay together. Where a top folder holds masks by
its name, the source as a whole is one patient's.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.ingest.collections.mask_folders import is_mask_folder


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
        The first top folder of the patient's files, or the name of the source's folder.
    """
    tops = {item.file: _top(source, item.file) for item in files}
    if any(is_mask_folder(top) for top in tops.values()):
        tops = dict.fromkeys(tops, "")
    groups: list[set[str]] = []
    for item in files:
        keys = {f"study {item.study_uid}"} if item.study_uid else set()
        keys |= {f"folder {tops[item.file]}"}
        joined = [group for group in groups if group & keys]
        groups = [group for group in groups if not group & keys]
        groups.append(keys.union(*joined))
    names = {key: _name(group, source, set(taken)) for group in groups for key in group}
    return {item.file: names[f"folder {tops[item.file]}"] for item in files}


def _name(group: set[str], source: Path, taken: set[str]) -> str:
    folders = sorted(key.removeprefix("folder ") for key in group if key.startswith("folder "))
    name = folders[0] or source.resolve().name
    return f"{name} (folder)" if name in taken else name


def _top(source: Path, file: Path) -> str:
    parts = file.relative_to(source).parts
    return parts[0] if len(parts) > 1 else ""
