"""Import one patient: read each scan and its regions, find the phases, write NIfTI files.

One scan is in memory at a time. Files are written under a provisional name and get the one of
their phase when all scans of the patient are known, because two scans of one phase must be told
apart.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pipeline.domain.cohort import ScanRow
from pipeline.domain.errors import ImageError
from pipeline.domain.reading import Reading
from pipeline.domain.scan import Region, Scan
from pipeline.ingest.collections.phase_names import Named, less_sure, name_phases, surer
from pipeline.ingest.collections.plan import (
    LIVER,
    TUMOUR,
    Fate,
    ImportedPatient,
    PatientSource,
    RegionSource,
    ReportRow,
    ScanSource,
)
from pipeline.ingest.collections.technical_values import safe_technical
from pipeline.ingest.collections.wording import explain, public_reason
from pipeline.ingest.dicom.series import read_stack
from pipeline.ingest.dicom.stacks import Stack
from pipeline.ingest.mask import read_region
from pipeline.ingest.nifti_writer import write_region, write_scan
from pipeline.ingest.phase import PhaseGuess, guess_from_enhancement, guess_from_header
from pipeline.ingest.pseudonyms import pseudo_date
from pipeline.ingest.volume import read_scan

IMAGES_FOLDER = "images"
"""Folder of the images and masks within a cohort, one folder a patient."""


@dataclass(frozen=True, slots=True)
class _Written:
    """A scan whose files lie under the provisional name ``stem``."""

    source: ScanSource
    stem: str
    guess: PhaseGuess
    lesions: tuple[str, ...]
    has_liver: bool
    masks: frozenset[Path]
    resampled: tuple[str, ...]
    remarks: tuple[ReportRow, ...]
    """Rows of their own: regions that could not be read, and what to know of the others."""


def import_patient(patient: PatientSource, folder: Path) -> ImportedPatient:
    """Write the images and masks of one patient.

    Parameters
    ----------
    patient : PatientSource
        What to read.
    folder : Path
        The cohort folder that is being made.

    Returns
    -------
    ImportedPatient
        A scan that cannot be read, or none of whose tumours can, is in its report only.
    """
    target = folder / IMAGES_FOLDER / patient.patient_id
    written: list[_Written] = []
    report: list[ReportRow] = []
    for number, source in enumerate(patient.scans):
        try:
            written.append(_write(source, target, f"scan{number}", patient.reading))
        except ImageError as error:
            report.append(replace(source.report, fate=Fate.FAILED, reason=explain(error, source)))
    names = name_phases([(_visit(item.source), item.guess) for item in written])
    rows: list[ScanRow] = []
    technical: list[dict[str, str]] = []
    for item, named in zip(written, names, strict=True):
        stem = "_".join((*_visit(item.source), named.phase))
        _rename(target, item, stem)
        scan_rows = _rows(patient.patient_id, item, named.phase, stem)
        rows += scan_rows
        technical.append(_technical(scan_rows[0], item.source))
        report += [_used(item, named), *item.remarks]
    masks = frozenset(path for item in written for path in item.masks)
    return ImportedPatient(tuple(rows), tuple(report), tuple(technical), masks)


def _write(source: ScanSource, target: Path, stem: str, reading: Reading) -> _Written:
    scan = _read(source, reading)
    regions, problems = _read_regions(source, scan, reading)
    tumours = [(item, region) for item, region in regions if item.name == TUMOUR]
    if not tumours and any(item.name == TUMOUR for item in source.regions):
        raise ImageError("; ".join(row.reason for row in problems) or "no tumour could be read")
    guess = _phase(source, scan, regions)
    write_scan(scan, target / f"{stem}.nii.gz")
    for item, region in tumours:
        write_region(region, target / f"{stem}_{_tumour_name(item.lesion_id, len(tumours))}.nii.gz")
    livers = [region for item, region in regions if item.name == LIVER]
    for region in livers[:1]:
        write_region(region, target / f"{stem}_{LIVER}.nii.gz")
    lesions = tuple(item.lesion_id for item, _ in tumours)
    masks = frozenset(item.path for item, _ in regions)
    resampled = tuple(_resampled(regions))
    remarks = (*problems, *_same_tumours(source, tumours))
    return _Written(source, stem, guess, lesions, bool(livers), masks, resampled, remarks)


def _read(source: ScanSource, reading: Reading) -> Scan:
    if isinstance(source.image, Stack):
        return read_stack(source.image, source.modality, reading)
    return read_scan(source.image, source.modality, reading)


def _read_regions(
    source: ScanSource, scan: Scan, reading: Reading
) -> tuple[list[tuple[RegionSource, Region]], list[ReportRow]]:
    read: list[tuple[RegionSource, Region]] = []
    problems: list[ReportRow] = []
    for item in source.regions:
        how = replace(reading, resample_masks=True) if item.shared else reading
        try:
            region = read_region(item.path, item.label, item.name, scan, how)
            _check_not_empty(item, region)
        except ImageError as error:
            problems.append(_region_failed(source, item, explain(error, source)))
        else:
            read.append((item, region))
    return read, problems


def _check_not_empty(item: RegionSource, region: Region) -> None:
    if item.is_written and not region.voxel_count:
        raise ImageError("the mask has no voxel inside the image")


def _resampled(regions: Sequence[tuple[RegionSource, Region]]) -> Iterator[str]:
    """Say of each mask that was resampled from where, and what that did to its volume."""
    for item, region in regions:
        if item.is_written and region.resampled is not None:
            before_mm3, after_mm3 = region.resampled.volume_mm3, region.volume_mm3
            yield (
                f"mask of {_kind(item)} resampled: {region.resampled.difference};"
                f" {before_mm3:.6g} mm3 before, {after_mm3:.6g} mm3 after"
            )


def _same_tumours(
    source: ScanSource, tumours: Sequence[tuple[RegionSource, Region]]
) -> Iterator[ReportRow]:
    """Note tumours of the same voxels: two names of one, most often."""
    for number, (item, region) in enumerate(tumours):
        for earlier, other in tumours[:number]:
            if np.array_equal(region.inside, other.inside):
                reason = f"the same voxels as {_kind(earlier)}; both are in scans.csv"
                yield _about(source, item, Fate.NOTE, reason)
                break


def _kind(item: RegionSource) -> str:
    return f"{item.name} {item.lesion_id}" if item.name == TUMOUR else item.name


def _region_failed(source: ScanSource, item: RegionSource, reason: str) -> ReportRow:
    # A vessel only helps to tell the phase, so that its loss is no failure of the import.
    fate = Fate.FAILED if item.is_written else Fate.NOT_USED
    return _about(source, item, fate, reason)


def _about(source: ScanSource, item: RegionSource, fate: Fate, reason: str) -> ReportRow:
    return replace(
        source.report,
        source=f"{source.report.source}, mask of {_kind(item)}",
        fate=fate,
        reason=reason,
        files=(item.path,),
    )


def _phase(
    source: ScanSource, scan: Scan, regions: Sequence[tuple[RegionSource, Region]]
) -> PhaseGuess:
    """Take the phase from the collection, else the surer of header and measurement."""
    if source.phase:
        return PhaseGuess(source.phase, "high", "stated by the collection")
    measured = guess_from_enhancement(scan, {item.name: region for item, region in regions})
    if any(item.shared for item, _ in regions):
        measured = less_sure(measured, "by masks of another series")
    if not isinstance(source.image, Stack):
        return measured
    return surer(guess_from_header(source.image.facts), measured)


def _visit(source: ScanSource) -> tuple[str, str]:
    return (source.timepoint.value, source.modality.value)


def _tumour_name(lesion_id: str, lesions: int) -> str:
    return TUMOUR if lesions == 1 else f"{TUMOUR}_{lesion_id}"


def _files(item: _Written) -> list[str]:
    masks = [_tumour_name(lesion, len(item.lesions)) for lesion in item.lesions]
    return ["", *(f"_{name}" for name in masks), *([f"_{LIVER}"] if item.has_liver else [])]


def _rename(target: Path, item: _Written, stem: str) -> None:
    for ending in _files(item):
        (target / f"{item.stem}{ending}.nii.gz").rename(target / f"{stem}{ending}.nii.gz")


def _rows(patient_id: str, item: _Written, phase: str, stem: str) -> list[ScanRow]:
    """Return a row a lesion; one with an empty mask where none has been drawn."""
    base = f"{IMAGES_FOLDER}/{patient_id}/{stem}"
    row = ScanRow(
        patient_id=patient_id,
        timepoint=item.source.timepoint,
        modality=item.source.modality,
        phase=phase,
        image=f"{base}.nii.gz",
        mask="",
        liver_mask=f"{base}_{LIVER}.nii.gz" if item.has_liver else "",
        scan_date=pseudo_date(item.source.days_from_first_scan),
    )
    names = {lesion: _tumour_name(lesion, len(item.lesions)) for lesion in item.lesions}
    masked = [
        replace(row, mask=f"{base}_{name}.nii.gz", lesion_id=lesion)
        for lesion, name in names.items()
    ]
    return masked or [row]


def _technical(row: ScanRow, source: ScanSource) -> dict[str, str]:
    days = source.days_from_first_scan
    return {
        "patient_id": row.patient_id,
        "timepoint": row.timepoint.value,
        "modality": row.modality.value,
        "phase": row.phase,
        "image": row.image,
        "days_from_first_scan": "" if days is None else str(days),
        **safe_technical(source.technical),
    }


def _used(item: _Written, named: Named) -> ReportRow:
    return replace(
        item.source.report,
        fate=Fate.USED,
        reason="; ".join(filter(None, (item.source.report.reason, *item.resampled))),
        phase=named.phase,
        phase_confidence=named.confidence,
        phase_reason=public_reason(named.reason, item.source),
    )
