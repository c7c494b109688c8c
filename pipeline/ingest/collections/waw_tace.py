"""Import WAW-TACE (Zenodo; 233 patients with HCC, CT before the first TACE in up to four phases).

Scans are ``<patient>_<phase>_scan.nii.gz``, masks ``<patient>_<phase>_<lesion>_tumor_seg.nrrd``,
in any folders; phase 0 is native, 1 late arterial, 2 portal venous, 3 delayed. The tumours of one
phase of a patient were drawn by hand, each in a file of its own. The number of the phase in the
name of a mask is not always that of the scan it was drawn on; what does not lie on the grid of its
scan is listed with the difference, and where another phase has that grid, with that phase.
"""

import filecmp
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.domain.errors import CohortError, ImageError
from pipeline.domain.problem import Problem
from pipeline.domain.reading import Reading
from pipeline.domain.scan import Modality, Timepoint
from pipeline.ingest.codes import Code
from pipeline.ingest.collections.clinical_table import find_clinical
from pipeline.ingest.collections.import_report import no_image, patients_without_images
from pipeline.ingest.collections.plan import (
    TUMOUR,
    Fate,
    ImportPlan,
    PatientSource,
    RegionSource,
    ReportRow,
    ScanSource,
)
from pipeline.ingest.collections.waw_tace_clinical import (
    ID_COLUMN,
    convert_clinical,
    patient_id_of,
)
from pipeline.ingest.volume import read_geometry

PHASES = {"0": "native", "1": "arterial", "2": "portal", "3": "delayed"}

_SCAN = re.compile(r"(\d+)_([0-3])_scan\.nii(?:\.gz)?")
_MASK = re.compile(r"(\d+)_([0-3])_(\d+)_tumor_seg\.(?:nrrd|nii|nii\.gz)")
_NOT_SCANS = re.compile(r"organ|mask|seg", re.IGNORECASE)
"""Folders of the release that hold automatic organ labels under the names of the scans."""

LOOKED_FOR = "files named as 7_1_scan.nii.gz (patient 7, phase 1), outside folders of organ masks"
UNPACK_THE_MASKS = "Unpack the archive of the tumour masks below the source."

Scans = dict[tuple[str, str], Path]
"""Scan of each patient and phase."""
Masks = dict[tuple[str, str], dict[str, Path]]
"""Masks of each patient and phase by lesion."""


@dataclass(frozen=True, slots=True)
class Release:
    """The files of the release that were found."""

    scans: Scans
    masks: Masks
    report: tuple[ReportRow, ...]

    @property
    def patients(self) -> list[str]:
        """Patient numbers in numerical order."""
        return sorted({patient for patient, _ in (*self.scans, *self.masks)}, key=int)


def plan_waw_tace(source: Path, reading: Reading, clinical: Path | None) -> ImportPlan:
    """Plan the import of WAW-TACE.

    Parameters
    ----------
    source : Path
        Folder with the unpacked archives of the record.
    reading : Reading
        Whether masks on another grid are resampled.
    clinical : Path or None
        The clinical table; by default the file below the source named ``clinical_data*``.

    Raises
    ------
    CohortError
        If there is no clinical table, or several that differ.
    """
    table, notes = find_clinical(source, clinical, "clinical_data*", ID_COLUMN)
    try:
        tables = convert_clinical(table)
    except ValueError:
        raise CohortError([_not_numbers()]) from None
    release = find_release(source)
    known = set(tables.patients["patient_id"])
    patients: list[PatientSource] = []
    report = [*notes, *release.report, *tables.report]
    report += [] if release.scans else [no_image(LOOKED_FOR)]
    report += patients_without_images(known, map(patient_id_of, release.patients))
    for patient in release.patients:
        patient_id = patient_id_of(patient)
        if patient_id not in known:
            reason = "the clinical table has no such patient"
            report.append(_row(patient_id, "patient", Fate.FAILED, reason))
            continue
        scans, rows = _plan_patient(release, patient, patient_id, reading)
        patients.append(PatientSource(patient_id, tuple(scans), reading))
        report += rows
    return ImportPlan(tuple(patients), tuple(report), tables.patients, tables.biomarkers)


def find_release(source: Path) -> Release:
    """Find scans and masks by their names, whatever folders they lie in."""
    scans: Scans = {}
    masks: Masks = {}
    report: list[ReportRow] = []
    for file in _files(source):
        scan, mask = _SCAN.fullmatch(file.name), _MASK.fullmatch(file.name)
        if mask:
            patient, phase, lesion = mask.groups()
            of_scan = masks.setdefault((patient, phase), {})
            report += _repeated(of_scan.setdefault(lesion, file), file)
        elif scan and any(_NOT_SCANS.search(part) for part in file.relative_to(source).parts[:-1]):
            report.append(_row("", file.name, Fate.NOT_USED, "automatic organ labels, not a scan"))
        elif scan:
            patient, phase = scan.groups()
            report += _repeated(scans.setdefault((patient, phase), file), file)
    return Release(scans, masks, tuple(report))


def _plan_patient(
    release: Release, patient: str, patient_id: str, reading: Reading
) -> tuple[list[ScanSource], list[ReportRow]]:
    scans: list[ScanSource] = []
    report: list[ReportRow] = []
    for phase, name in PHASES.items():
        image = release.scans.get((patient, phase))
        masks = release.masks.get((patient, phase), {})
        if image is None:
            report += [
                _row(patient_id, file.name, Fate.FAILED, f"there is no scan of the phase {name}")
                for _, file in sorted(masks.items())
            ]
        elif not masks:
            row = _row(patient_id, image.name, Fate.NOT_USED, "no mask of the tumour")
            report.append(replace(row, advice=UNPACK_THE_MASKS))
        else:
            fitting, rows = _fitting(release, patient, image, masks, reading)
            report += [replace(row, patient_id=patient_id) for row in rows]
            scans += [_scan(patient_id, name, image, fitting)] if fitting else []
    return scans, report


def _scan(patient_id: str, phase: str, image: Path, masks: Mapping[str, Path]) -> ScanSource:
    regions = tuple(
        # The release counts lesions from 0.
        RegionSource(path=file, name=TUMOUR, lesion_id=str(int(lesion) + 1))
        for lesion, file in sorted(masks.items(), key=lambda item: int(item[0]))
    )
    row = _row(patient_id, image.name, Fate.USED, "")
    return ScanSource(
        timepoint=Timepoint.BASELINE,
        modality=Modality.CT,
        image=image,
        regions=regions,
        phase=phase,
        days_from_first_scan=0,
        report=replace(row, timepoint=Timepoint.BASELINE.value, modality=Modality.CT.value),
    )


def _fitting(
    release: Release, patient: str, image: Path, masks: Mapping[str, Path], reading: Reading
) -> tuple[dict[str, Path], list[ReportRow]]:
    """Return the masks that lie on the grid of their scan, or may be resampled onto it."""
    fitting: dict[str, Path] = {}
    report: list[ReportRow] = []
    for lesion, file in sorted(masks.items()):
        try:
            grid = read_geometry(image, reading)
            mask_grid = read_geometry(file, reading)
        except ImageError:
            fitting[lesion] = file  # the import itself says what is wrong
            continue
        difference = grid.difference(mask_grid)
        if not difference or reading.resample_masks:
            fitting[lesion] = file
            continue
        others = [
            PHASES[phase]
            for (other, phase), scan in sorted(release.scans.items())
            if other == patient and scan != image and _same_grid(scan, file, reading)
        ]
        hint = f"; it lies on the grid of the phase {' and '.join(others)}" if others else ""
        reason = f"not on the grid of its scan: {difference}{hint}. See --resample-masks"
        report.append(_row("", file.name, Fate.FAILED, reason))
    return fitting, report


def _same_grid(image: Path, mask: Path, reading: Reading) -> bool:
    try:
        return not read_geometry(image, reading).difference(read_geometry(mask, reading))
    except ImageError:
        return False


def _files(source: Path) -> Iterator[Path]:
    for folder, subfolders, names in os.walk(source):
        subfolders.sort()
        paths = (Path(folder, name) for name in sorted(names) if not name.startswith("."))
        yield from (path for path in paths if path.is_file())  # a named pipe would wait for ever


def _repeated(first: Path, file: Path) -> Sequence[ReportRow]:
    if first == file:
        return []
    same = filecmp.cmp(first, file, shallow=False)
    reason = "a copy of a file that is used" if same else "a file of this name is used already"
    return [_row("", file.name, Fate.NOT_USED if same else Fate.FAILED, reason)]


def _row(patient_id: str, source: str, fate: Fate, reason: str) -> ReportRow:
    return ReportRow(patient_id=patient_id, source=source, fate=fate, reason=reason)


def _not_numbers() -> Problem:
    return Problem(
        code=Code.VALUE_NOT_ALLOWED,
        what="an identifier of the clinical table is not a number",
        expected="whole numbers, as in the names of the scans",
        got="other text",
        next_step="Use the table as published.",
        column=ID_COLUMN,
    )
