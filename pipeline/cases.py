"""From a row of ``scans.csv`` to its scan and regions in memory, as stored or prepared.

Used by every step that looks at voxels - the stages prepare, extract and measure, and the
commands extract and predict - so that training and scoring see the same volumes.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from pipeline.config.prepare import PrepareConfig
from pipeline.config.registration import RegistrationMethod
from pipeline.domain.cohort import ScanRow
from pipeline.domain.reading import DEFAULT_READING, Reading
from pipeline.domain.scan import Region, Scan
from pipeline.imaging import stored_registration
from pipeline.imaging.alignment import Alignment
from pipeline.imaging.prepared import (
    MAPS,
    PREPARATION,
    PreparedCase,
    from_bytes,
    prepare_case,
    to_bytes,
)
from pipeline.imaging.registration import Registration, register
from pipeline.imaging.registration_pair import Pair
from pipeline.imaging.registration_verdict import Quality
from pipeline.ingest.kept_scan import KeptScan
from pipeline.ingest.mask import read_region
from pipeline.ingest.source_memory import SourceMemory
from pipeline.store.keys import content_key, derived_key, identify_software
from pipeline.store.results import Kind, ResultStore

PREPARED = Kind("prepared", ".bin")
"""The prepared volumes in the per-case store, as :func:`pipeline.imaging.prepared.to_bytes`."""

REGISTRATIONS = Kind("registrations", ".bin")
"""Registrations of prepared volumes, as :mod:`pipeline.imaging.stored_registration` writes them."""

_LAST_SCAN = KeptScan()
"""Of this process: rows that are regions of one image come one after the other."""

KEY_COLUMNS = ("patient_id", "timepoint", "modality", "phase", "lesion_id")
"""What tells one row of ``scans.csv`` from another."""


def key_of(row: ScanRow) -> dict[str, str]:
    """Return the row's values of :data:`KEY_COLUMNS`."""
    return {name: str(getattr(row, name)) for name in KEY_COLUMNS}


def read_case(
    row: ScanRow, images: Path, reading: Reading = DEFAULT_READING
) -> tuple[Scan, dict[str, Region]]:
    """Read the files of a row as they are.

    Parameters
    ----------
    row : ScanRow
        Without ``mask_label``, the mask has one region, the tumour.
    images : Path
        The folder that the row's paths are relative to.
    reading : Reading
        What the reader may do.

    Returns
    -------
    scan : Scan
        Voxels in the stored type.
    regions : dict of str to Region
        ``tumour`` and, where the row has them, ``other_lesions`` (all in one), ``liver``,
        ``vessels`` and ``muscle``.

    Raises
    ------
    ImageError
        If a file cannot be read.
    """
    scan = _LAST_SCAN.read(images / row.image, row.modality, reading)

    def read(mask: str, label: str | None, name: str) -> Region:
        return read_region(images / mask, label, name, scan, reading)

    tumour = read(row.mask, row.mask_label, "tumour")
    others = [read(other.mask, other.label, "other_lesions") for other in row.others]
    if row.united:
        tumour, others = _unite([tumour, *others], "tumour"), []
    regions = {"tumour": tumour}
    if others:
        regions["other_lesions"] = _unite(others, "other_lesions")
    for name, mask in _organ_masks(row):
        if mask:
            regions[name] = read(mask, None, name)
    return scan, regions


def _organ_masks(row: ScanRow) -> tuple[tuple[str, str], ...]:
    return (("liver", row.liver_mask), ("vessels", row.vessel_mask), ("muscle", row.muscle_mask))


def _unite(regions: Sequence[Region], name: str) -> Region:
    """Return the union; regions read for one scan are on its grid, else reading had failed."""
    inside = np.logical_or.reduce([region.inside for region in regions])
    return Region(inside, regions[0].geometry, name)


@dataclass(frozen=True, slots=True)
class Preparation:
    """Prepared volumes of one cohort, by way of the store.

    Parameters
    ----------
    images : Path
        The folder that the rows' paths are relative to.
    config : PrepareConfig
        How volumes are prepared.
    store : ResultStore
        Where they are kept.
    reading : Reading
        What the reader may do.
    """

    images: Path
    config: PrepareConfig
    store: ResultStore
    reading: Reading = DEFAULT_READING

    def load(self, row: ScanRow) -> PreparedCase:
        """Return the prepared volume of a row.

        Raises
        ------
        ImageError
            If a file cannot be read, or a mask is not on the grid of its scan.
        CaseError
            If no region has a voxel.
        """
        look = self._look(row)
        known = self._memory.recall(look)
        stored = None if known is None else self.store.load(PREPARED, known)
        return from_bytes(stored) if stored is not None else self._prepare(row, look)[1]

    def key(self, row: ScanRow) -> str:
        """Return the key of a row's prepared volume, which is in the store afterwards.

        Files that look untouched since they were prepared are not read again.
        """
        look = self._look(row)
        known = self._memory.recall(look)
        if known is not None and self.store.describe(PREPARED, known) is not None:
            return known
        return self._prepare(row, look)[0]

    def facts(self, row: ScanRow) -> dict[str, object]:
        """Return key, size, spacing and voxel counts of a row's prepared volume."""
        key = self.key(row)
        manifest = self.store.describe(PREPARED, key) or {}
        return {"key": key, **manifest["facts"]}

    def register(self, fixed: ScanRow, moving: ScanRow) -> Registration:
        """Return where positions of one row's volume lie in that of another, by way of the store.

        The rows are two scans of a patient. A registration that failed is kept too: it would fail
        again.

        Raises
        ------
        ImageError, CaseError
            As :meth:`load`, of either row.
        """
        config = self.config.registration
        if config.method is RegistrationMethod.NONE:
            return Registration(Alignment(), RegistrationMethod.NONE, Quality())
        same_session = fixed.timepoint == moving.timepoint
        settings = {"moving": self.key(moving), "same_session": same_session}
        settings |= config.model_dump(mode="json")
        key = derived_key(self.key(fixed), settings, f"registration {_registering_software()}")
        stored = self.store.load(REGISTRATIONS, key)
        if stored is not None:
            return stored_registration.from_bytes(stored)
        registration = register(self._pair(fixed, moving), config)
        self.store.save(REGISTRATIONS, key, stored_registration.to_bytes(registration), {})
        return registration

    def _pair(self, fixed: ScanRow, moving: ScanRow) -> Pair:
        first, second = self.load(fixed), self.load(moving)
        return Pair(
            fixed=first.scan,
            moving=second.scan,
            fixed_liver=first.regions.get("liver"),
            moving_liver=second.regions.get("liver"),
            same_session=fixed.timepoint == moving.timepoint,
        )

    def _prepare(self, row: ScanRow, look: str | None) -> tuple[str, PreparedCase]:
        scan, regions = read_case(row, self.images, self.reading)
        settings = {**self.config.volume_settings(), "is_map": row.phase in MAPS}
        key = content_key(scan, regions, settings, PREPARATION)
        stored = self.store.load(PREPARED, key)
        if stored is None:
            case = prepare_case(scan, regions, self.config, row.phase)
            about = {"made_by": PREPARATION, "facts": _facts(case)}
            self.store.save(PREPARED, key, to_bytes(case), about)
        else:
            case = from_bytes(stored)
        if self._look(row) == look:  # else they changed while they were read
            self._memory.remember(look, key)
        return key, case

    def _look(self, row: ScanRow) -> str | None:
        return self._memory.look(row, f"{PREPARATION} {json.dumps(self.config.volume_settings())}")

    @property
    def _memory(self) -> SourceMemory:
        return SourceMemory(self.store, self.images, self.reading)


@cache
def _registering_software() -> str:
    """Name the code that registers: another may end at other bits."""
    return identify_software(["pipeline/imaging"], ["numpy", "scipy", "SimpleITK"])


def _facts(case: PreparedCase) -> dict[str, float | None]:
    geometry = case.scan.geometry
    liver = case.regions.get("liver")
    smallest, largest = case.bias_field or (None, None)
    return {
        **{f"size_{axis}": n for axis, n in zip("xyz", geometry.size, strict=True)},
        **{f"spacing_{axis}_mm": mm for axis, mm in zip("xyz", geometry.spacing_mm, strict=True)},
        "tumour_voxels": case.regions["tumour"].voxel_count,
        "tumour_mm3": case.regions["tumour"].volume_mm3,
        "liver_voxels": liver.voxel_count if liver else 0,
        "bias_field_smallest": smallest,
        "bias_field_largest": largest,
    }
