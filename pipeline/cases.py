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
from pipeline.imaging.prepared import MAPS, PreparedCase, from_bytes, prepare_case, to_bytes
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

_LIBRARIES = ("numpy", "scipy", "SimpleITK")

_PREPARING_CODE = (
    *("pipeline/domain/geometry.py", "pipeline/domain/scan.py"),
    *(
        f"pipeline/imaging/{name}.py"
        for name in ("prepared", "bias_field", "crop", "intensity", "itk", "orient", "threads")
    ),
)
"""What of this software decides a prepared volume once the files are read."""

_REGISTERING_CODE = ("pipeline/domain/geometry.py", "pipeline/domain/scan.py", "pipeline/imaging")

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
        return self.take(row)[1]

    def take(self, row: ScanRow) -> tuple[str, PreparedCase]:
        """Return the prepared volume of a row after its key, of the files as they are now.

        What is made of the volume is kept under this key: files may have changed since another
        was asked for.

        Raises
        ------
        ImageError, CaseError
            As :meth:`load`.
        """
        look = self._look(row)
        known = self._memory.recall(look)
        stored = None if known is None else self.store.load(PREPARED, known)
        if known is None or stored is None:
            return self._prepare(row, look)
        return known, from_bytes(stored)

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
        settings = {"same_session": same_session, **config.model_dump(mode="json")}
        key = _name_registration(self.key(fixed), self.key(moving), settings)
        stored = self.store.load(REGISTRATIONS, key)
        if stored is not None:
            return stored_registration.from_bytes(stored)
        (fixed_key, first), (moving_key, second) = self.take(fixed), self.take(moving)
        registration = register(_pair(first, second, same_session=same_session), config)
        key = _name_registration(fixed_key, moving_key, settings)
        self.store.save(REGISTRATIONS, key, stored_registration.to_bytes(registration), {})
        return registration

    def _prepare(self, row: ScanRow, look: str | None) -> tuple[str, PreparedCase]:
        scan, regions = read_case(row, self.images, self.reading)
        settings = {**self.config.volume_settings(), "is_map": row.phase in MAPS}
        key = content_key(scan, regions, settings, _preparing_software())
        stored = self.store.load(PREPARED, key)
        if stored is None:
            case = prepare_case(scan, regions, self.config, row.phase)
            about = {"made_by": _preparing_software(), "facts": _facts(case)}
            self.store.save(PREPARED, key, to_bytes(case), about)
        else:
            case = from_bytes(stored)
        if self._look(row) == look:  # else they changed while they were read
            self._memory.remember(look, key)
        return key, case

    def _look(self, row: ScanRow) -> str | None:
        settings = json.dumps(self.config.volume_settings())
        return self._memory.look(row, f"{_preparing_software()} {settings}")

    @property
    def _memory(self) -> SourceMemory:
        return SourceMemory(self.store, self.images, self.reading)


def _pair(fixed: PreparedCase, moving: PreparedCase, *, same_session: bool) -> Pair:
    return Pair(
        fixed=fixed.scan,
        moving=moving.scan,
        fixed_liver=fixed.regions.get("liver"),
        moving_liver=moving.regions.get("liver"),
        same_session=same_session,
    )


def _name_registration(fixed: str, moving: str, settings: dict[str, object]) -> str:
    """Return the key of the registration of two volumes, given theirs."""
    return derived_key(fixed, {"moving": moving, **settings}, _registering_software())


@cache
def _preparing_software() -> str:
    """Name the code that prepares: another may make other voxels."""
    return f"prepare {identify_software(_PREPARING_CODE, _LIBRARIES)}"


@cache
def _registering_software() -> str:
    """Name the code that registers: another may end at other bits."""
    return f"registration {identify_software(_REGISTERING_CODE, _LIBRARIES)}"


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
