"""Voxels of tumours as cells of a table and as bytes of the per-case store.

A row a visit's lesion. A lesion without voxels keeps its row and says why.
"""

import json
import zlib
from collections.abc import Mapping

import numpy as np
import pandas as pd

from pipeline.domain.errors import CaseError
from pipeline.imaging.habitat_voxels import HabitatVoxels

CELLS = ("habitat_phases", "habitat_values", "habitat_missing")
"""Names of the phases, separated by commas; values, voxel by voxel in the order of the phases
(32-bit floats, little end first); why there are none.
"""

_SEPARATOR = ","
_FLOAT = np.dtype("<f4")
_NEXT_STEP = "Run the stage measure again."


def to_cells(voxels: HabitatVoxels) -> dict[str, object]:
    """Return voxels as the cells of a table, by column."""
    return {
        "habitat_phases": _SEPARATOR.join(voxels.phases),
        "habitat_values": np.ascontiguousarray(voxels.values, dtype=_FLOAT).tobytes(),
        "habitat_missing": "",
    }


def without_voxels(reason: str) -> dict[str, object]:
    """Return the cells of a lesion that has none, with the reason."""
    return {"habitat_phases": "", "habitat_values": b"", "habitat_missing": reason}


def from_cells(cells: Mapping[str, object]) -> HabitatVoxels | None:
    """Return the voxels of a row, bit for bit as they were; None where it has none.

    Raises
    ------
    CaseError
        If the values are not those of whole voxels, or not all of them are finite.
    """
    values = cells["habitat_values"]
    if values is None or isinstance(values, float) or values == b"":  # NaN: no row was measured
        return None
    phases = tuple(str(cells["habitat_phases"]).split(_SEPARATOR))
    voxel = len(phases) * _FLOAT.itemsize
    if not all(phases) or len(set(phases)) < len(phases):
        msg = f"habitat_phases: expected different names, got {', '.join(phases)!r}. {_NEXT_STEP}"
        raise CaseError(msg)
    if not isinstance(values, bytes) or len(values) % voxel:
        got = f"{len(values)} bytes" if isinstance(values, bytes) else type(values).__name__
        msg = f"habitat_values: expected bytes, {voxel} a voxel, got {got}. {_NEXT_STEP}"
        raise CaseError(msg)
    table = np.frombuffer(values, dtype=_FLOAT).reshape(-1, len(phases))
    if not np.isfinite(table).all():
        msg = f"habitat_values: expected finite numbers, got NaN or infinity. {_NEXT_STEP}"
        raise CaseError(msg)
    return HabitatVoxels(phases, table.astype(np.float32))


def to_bytes(cells: Mapping[str, object]) -> bytes:
    """Write the cells of a row; the same ones give the same bytes."""
    blobs = {name: value for name, value in cells.items() if isinstance(value, bytes)}
    texts = {name: value for name, value in cells.items() if name not in blobs}
    header = {"texts": texts, "sizes": {name: len(blob) for name, blob in blobs.items()}}
    encoded = json.dumps(header).encode()
    content = len(encoded).to_bytes(8, "little") + encoded + b"".join(blobs.values())
    return zlib.compress(content, level=1)


def from_bytes(payload: bytes) -> dict[str, object]:
    """Read what :func:`to_bytes` wrote."""
    content = zlib.decompress(payload)
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    cells: dict[str, object] = dict(header["texts"])
    for name, size in header["sizes"].items():
        cells[name] = content[start : start + size]
        start += size
    return {name: cells[name] for name in CELLS}


def split_cells(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Part a table of measures from the voxels beside them.

    Parameters
    ----------
    rows : pandas.DataFrame
        Key columns, measures and, where there are any, ``CELLS``.

    Returns
    -------
    measures, voxels : pandas.DataFrame
        Each with ``patient_id, timepoint, modality, lesion_id``.
    """
    keys = ["patient_id", "timepoint", "modality", "lesion_id"]
    held = [name for name in CELLS if name in rows.columns]
    return rows.drop(columns=held), rows[[*keys, *held]].reindex(columns=[*keys, *CELLS])
