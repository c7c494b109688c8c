"""A cohort folder's contents, read but not yet judged or computed on."""

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from pipeline.domain.reading import DEFAULT_READING, Reading
from pipeline.domain.scan import Modality, Timepoint

SCAN_COLUMNS = {
    "patient_id": True,
    "timepoint": True,
    "modality": True,
    "phase": True,
    "image": True,
    "mask": True,
    "mask_label": False,
    "lesion_id": False,
    "liver_mask": False,
    "vessel_mask": False,
    "muscle_mask": False,
    "site": False,
    "scan_date": False,
}
"""Columns of ``scans.csv`` and whether each is required."""

MASK_COLUMNS = {
    "tumour": "mask",
    "liver": "liver_mask",
    "vessels": "vessel_mask",
    "muscle": "muscle_mask",
}
"""Regions that are drawn, and the columns of ``scans.csv`` that name their masks."""

BIOMARKER_COLUMNS = {
    "patient_id": True,
    "analyte": True,
    "value": True,
    "unit": True,
    "drawn_on": True,
    "timepoint": False,
}
"""Columns of ``biomarkers.csv`` and whether each is required."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A region as ``scans.csv`` names it: a mask and, where it has several, which one.

    Parameters
    ----------
    mask : str
        Path as written.
    label : str or None
        As ``mask_label``.
    """

    mask: str
    label: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRow:
    """One row of ``scans.csv``: one lesion on one scan.

    Parameters
    ----------
    image, mask : str
        Paths as written, relative to the cohort folder (or absolute where that is allowed).
    mask_label : str or None
        Voxel value of the region in the mask, or the name of its segment or contour; None takes
        the only one.
    lesion_id : str
        ``1`` where the cohort does not tell lesions apart.
    liver_mask, vessel_mask, muscle_mask, site, scan_date : str
        Empty where unknown; the date is ISO 8601.
    others : tuple of Drawing
        The patient's other lesions on the same image: other rows of ``scans.csv``.
    united : bool
        Whether the tumour is the union of the row's own region and the ``others``.
    """

    patient_id: str
    timepoint: Timepoint
    modality: Modality
    phase: str
    image: str
    mask: str
    mask_label: str | None = None
    lesion_id: str = "1"
    liver_mask: str = ""
    vessel_mask: str = ""
    muscle_mask: str = ""
    site: str = ""
    scan_date: str = ""
    others: tuple[Drawing, ...] = ()
    united: bool = False

    @property
    def case_id(self) -> str:
        """Name of the case for messages and progress: patient, time point, phase, lesion."""
        parts = (self.patient_id, self.timepoint, self.modality, self.phase, self.lesion_id)
        return "/".join(parts)


@dataclass(frozen=True, slots=True)
class Cohort:
    """A cohort folder's three tables.

    Parameters
    ----------
    root : Path
        The folder.
    scans : tuple of ScanRow
        In file order.
    patients : pandas.DataFrame
        ``patients.csv``, every column as text or number as read, ``patient_id`` as text.
    biomarkers : pandas.DataFrame
        ``biomarkers.csv`` as text, empty where the file is absent.
    reading : Reading
        How the images may be read.
    unmasked : tuple of ScanRow
        Rows that are sound but for the mask, which is empty: checked, never used.
    """

    root: Path
    scans: tuple[ScanRow, ...]
    patients: pd.DataFrame = field(repr=False)
    biomarkers: pd.DataFrame = field(repr=False)
    reading: Reading = DEFAULT_READING
    unmasked: tuple[ScanRow, ...] = ()

    @property
    def listed_scans(self) -> tuple[ScanRow, ...]:
        """Rows with a mask, then those without."""
        return (*self.scans, *self.unmasked)

    def path(self, written: str) -> Path:
        """Return a path of ``scans.csv`` as seen from here."""
        return self.root / written
