"""Voxels of tumours as cells of a table and as bytes of the per-case store.

A row a visit's lesion. A lesion without voxels keeps its row and says why.
"""

import json
import zlib
from collections.abc import Mapping

import numpy as np
import pandas as pd

from pipeline.imaging.habitat_voxels import HabitatVoxels

CELLS = (
    "habitat_phases",
    "habitat_shape",
    "habitat_inside",
    "habitat_values",
    "habitat_missing",
)
"""Names of the phases, points of the lattice (z, y, x), both separated by commas; which points are
tumour (bits, the first the highest); values (32-bit floats, little end first); why there are none.
"""

_SEPARATOR = ","
_FLOAT = np.dtype("<f4")


def to_cells(voxels: HabitatVoxels) -> dict[str, object]:
    """Return voxels as the cells of a table, by column."""
    return {
        "habitat_phases": _SEPARATOR.join(voxels.phases),
        "habitat_shape": _SEPARATOR.join(map(str, voxels.inside.shape)),
        "habitat_inside": np.packbits(voxels.inside).tobytes(),
        "habitat_values": np.ascontiguousarray(voxels.values, dtype=_FLOAT).tobytes(),
        "habitat_missing": "",
    }


def without_voxels(reason: str) -> dict[str, object]:
    """Return the cells of a lesion that has none, with the reason."""
    return {
        "habitat_phases": "",
        "habitat_shape": "",
        "habitat_inside": b"",
        "habitat_values": b"",
        "habitat_missing": reason,
    }


def from_cells(cells: Mapping[str, object]) -> HabitatVoxels | None:
    """Return the voxels of a row, bit for bit as they were; None where it has none."""
    packed, values = cells["habitat_inside"], cells["habitat_values"]
    if not isinstance(packed, bytes) or not isinstance(values, bytes) or not values:
        return None
    phases = tuple(str(cells["habitat_phases"]).split(_SEPARATOR))
    shape = tuple(int(size) for size in str(cells["habitat_shape"]).split(_SEPARATOR))
    bits = np.unpackbits(np.frombuffer(packed, dtype=np.uint8), count=int(np.prod(shape)))
    table = np.frombuffer(values, dtype=_FLOAT).reshape(-1, len(phases))
    return HabitatVoxels(phases, bits.astype(np.bool_).reshape(shape), table.astype(np.float32))


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
