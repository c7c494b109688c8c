"""What an importer intends: scans with their regions, and what becomes of everything else.

Paths and header facts stay in memory. What is written carries pseudonyms and listed words only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import pandas as pd

from pipeline.domain.cohort import ScanRow
from pipeline.domain.reading import DEFAULT_READING, Reading
from pipeline.domain.scan import Modality, Timepoint
from pipeline.ingest.dicom.stacks import Stack

TUMOUR = "tumour"
LIVER = "liver"


class Fate(StrEnum):
    """What became of a series, mask or row of the source."""

    USED = "used"
    NOT_USED = "not used"
    FAILED = "failed"
    NOTE = "note"
    """What to know of the import, or of something that was used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRow:
    """One row of ``ingest_report.csv``, and what the report must not hold.

    Parameters
    ----------
    patient_id, timepoint, modality : str
        Empty where the source does not say, or the row is about the whole collection.
    source : str
        What it is about, such as ``visit 1, series 4``; public file names, no others.
    description : str
        Description of the series, listed words only.
    slices : int or None
        Number of slices or frames.
    phase, phase_confidence, phase_reason : str
        Contrast phase and why.
    fate : Fate
        Whether it was used.
    reason : str
        Why not, or what to know.
    advice : str
        What to do if nothing at all can be imported; not in the report.
    files : tuple of Path
        What it is about, for the key only: paths may hold names.
    segments : tuple of str
        Numbers and names of the segments of a mask, for the key only.
    """

    patient_id: str = ""
    timepoint: str = ""
    modality: str = ""
    source: str
    description: str = ""
    slices: int | None = None
    phase: str = ""
    phase_confidence: str = ""
    phase_reason: str = ""
    fate: Fate
    reason: str = ""
    advice: str = "Correct the source."
    files: tuple[Path, ...] = field(default=(), repr=False)
    segments: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionSource:
    """Where a region of a scan comes from.

    Parameters
    ----------
    path : Path
        A mask that :func:`pipeline.ingest.mask.read_region` reads.
    label : str, int or None
        Segment or voxel value; None for the only one.
    name : str
        ``tumour``, ``liver``, or a vessel that only helps to tell the phase.
    lesion_id : str
        Of a tumour.
    shared : bool
        Drawn on another scan of the study, to be resampled onto this one.
    """

    path: Path
    label: str | int | None = None
    name: str
    lesion_id: str = "1"
    shared: bool = False

    @property
    def is_written(self) -> bool:
        """True for the regions that a cohort folder has files for."""
        return self.name in (TUMOUR, LIVER)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanSource:
    """One scan to import.

    Parameters
    ----------
    image : Stack or Path
        Slices of a DICOM series, or an image file.
    regions : tuple of RegionSource
        May lack the tumour where a mask is still to be drawn.
    phase : str
        Contrast phase where the collection states it; empty where it is to be found.
    days_from_first_scan : int or None
        None where the source has no dates.
    report : ReportRow
        What is said of it; completed when it has been read.
    """

    timepoint: Timepoint
    modality: Modality
    image: Stack | Path
    regions: tuple[RegionSource, ...]
    phase: str = ""
    days_from_first_scan: int | None = None
    technical: Mapping[str, str] = field(default_factory=dict)
    report: ReportRow


@dataclass(frozen=True, slots=True)
class PatientSource:
    """The scans of one patient, and how they may be read."""

    patient_id: str
    scans: tuple[ScanSource, ...]
    reading: Reading = DEFAULT_READING


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What is imported, what is not, and the tables that go with it.

    Parameters
    ----------
    patients : tuple of PatientSource
        In the order of the output.
    report : tuple of ReportRow
        Everything else that the source holds, with the reason.
    patient_table : pandas.DataFrame
        ``patients.csv``.
    biomarker_table : pandas.DataFrame
        ``biomarkers.csv``; not written where empty.
    """

    patients: tuple[PatientSource, ...]
    report: tuple[ReportRow, ...]
    patient_table: pd.DataFrame
    biomarker_table: pd.DataFrame


@dataclass(frozen=True, slots=True)
class ImportedPatient:
    """What became of one patient.

    Parameters
    ----------
    rows : tuple of ScanRow
        Of ``scans.csv``; their files are written.
    report : tuple of ReportRow
        One a scan, and one a region that could not be used.
    technical : tuple of dict
        Rows of ``technical.csv``.
    masks : frozenset of Path
        Mask files of which a region was used.
    """

    rows: tuple[ScanRow, ...]
    report: tuple[ReportRow, ...]
    technical: tuple[dict[str, str], ...]
    masks: frozenset[Path] = frozenset()
