"""From a row of ``scans.csv`` to its scan and regions in memory, as stored or prepared.

Used by every step that looks at voxels - the stages prepare, extract and measure, and the
commands extract and predict - so that training and scoring see the same volumes.
"""

from pathlib import Path

from pipeline.config.prepare import PrepareConfig
from pipeline.domain.cohort import ScanRow
from pipeline.domain.reading import DEFAULT_READING, Reading
from pipeline.domain.scan import Region, Scan
from pipeline.imaging.prepared import PREPARATION, PreparedCase, from_bytes, prepare_case, to_bytes
from pipeline.ingest.mask import read_region
from pipeline.ingest.volume import read_scan
from pipeline.store import ResultStore, content_key

STORE_KIND = "prepared"
"""Folder of the prepared volumes in the per-case store."""

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
        Without ``mask_label``, every voxel of the mask above zero is tumour.
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
    scan = read_scan(images / row.image, row.modality, reading)
    regions = {"tumour": read_region(images / row.mask, row.mask_label, "tumour", scan, reading)}
    if row.liver_mask:
        regions["liver"] = read_region(images / row.liver_mask, None, "liver", scan, reading)
    return scan, regions


def load_or_prepare(
    row: ScanRow,
    images: Path,
    config: PrepareConfig,
    store: ResultStore,
    reading: Reading = DEFAULT_READING,
) -> PreparedCase:
    """Return the prepared volume of a row, from the store where it has been prepared before.

    The files are read each time, because the store knows volumes by what is in them.

    Raises
    ------
    ImageError
        If a file cannot be read, or a mask is not on the grid of its scan.
    CaseError
        If no region has a voxel.
    """
    return load_or_prepare_keyed(row, images, config, store, reading)[1]


def load_or_prepare_keyed(
    row: ScanRow,
    images: Path,
    config: PrepareConfig,
    store: ResultStore,
    reading: Reading = DEFAULT_READING,
) -> tuple[str, PreparedCase]:
    """Do as :func:`load_or_prepare`, and return the volume's key in the store before it."""
    scan, regions = read_case(row, images, reading)
    key = content_key(scan, regions, config.model_dump(mode="json"), PREPARATION)
    stored = store.load(STORE_KIND, key)
    if stored is not None:
        return key, from_bytes(stored)
    case = prepare_case(scan, regions, config)
    store.save(STORE_KIND, key, to_bytes(case))
    return key, case
