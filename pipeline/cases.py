"""From a row of ``scans.csv`` to its scan and regions in memory, as stored or prepared.

Used by every step that looks at voxels - the stages prepare, extract and measure, and the
commands extract and predict - so that training and scoring see the same volumes.
"""

from dataclasses import dataclass
from pathlib import Path

from pipeline.config.prepare import PrepareConfig
from pipeline.domain.cohort import ScanRow
from pipeline.domain.reading import DEFAULT_READING, Reading
from pipeline.domain.scan import Region, Scan
from pipeline.imaging.prepared import PREPARATION, PreparedCase, from_bytes, prepare_case, to_bytes
from pipeline.ingest.kept_scan import KeptScan
from pipeline.ingest.mask import read_region
from pipeline.ingest.source_memory import SourceMemory
from pipeline.store.keys import content_key
from pipeline.store.results import Kind, ResultStore

PREPARED = Kind("prepared", ".bin")
"""The prepared volumes in the per-case store, as :func:`pipeline.imaging.prepared.to_bytes`."""

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
        ``tumour`` and, where the row has a liver mask, ``liver``.

    Raises
    ------
    ImageError
        If a file cannot be read.
    """
    scan = _LAST_SCAN.read(images / row.image, row.modality, reading)
    regions = {"tumour": read_region(images / row.mask, row.mask_label, "tumour", scan, reading)}
    if row.liver_mask:
        regions["liver"] = read_region(images / row.liver_mask, None, "liver", scan, reading)
    return scan, regions


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

    def _prepare(self, row: ScanRow, look: str | None) -> tuple[str, PreparedCase]:
        scan, regions = read_case(row, self.images, self.reading)
        key = content_key(scan, regions, self.config.model_dump(mode="json"), PREPARATION)
        stored = self.store.load(PREPARED, key)
        if stored is None:
            case = prepare_case(scan, regions, self.config)
            about = {"made_by": PREPARATION, "facts": _facts(case)}
            self.store.save(PREPARED, key, to_bytes(case), about)
        else:
            case = from_bytes(stored)
        if self._look(row) == look:  # else they changed while they were read
            self._memory.remember(look, key)
        return key, case

    def _look(self, row: ScanRow) -> str | None:
        return self._memory.look(row, f"{PREPARATION} {self.config.model_dump_json()}")

    @property
    def _memory(self) -> SourceMemory:
        return SourceMemory(self.store, self.images, self.reading)


def _facts(case: PreparedCase) -> dict[str, float]:
    geometry = case.scan.geometry
    liver = case.regions.get("liver")
    return {
        **{f"size_{axis}": n for axis, n in zip("xyz", geometry.size, strict=True)},
        **{f"spacing_{axis}_mm": mm for axis, mm in zip("xyz", geometry.spacing_mm, strict=True)},
        "tumour_voxels": case.regions["tumour"].voxel_count,
        "tumour_mm3": case.regions["tumour"].volume_mm3,
        "liver_voxels": liver.voxel_count if liver else 0,
    }
