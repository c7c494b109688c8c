"""Named numbers as a Parquet table of one row, so that any tool can read the store.

``pandas.read_parquet`` on the folder of a kind gives one row an entry: the key, who made it, the
names and the values.
"""

import io
import json
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.parquet as pq

_TYPES = pa.schema(
    [
        ("key", pa.string()),
        ("made_by", pa.string()),
        ("settings", pa.string()),
        ("name", pa.list_(pa.string())),
        ("value", pa.list_(pa.float64())),
    ]
)


def to_row(
    values: Mapping[str, float], key: str, made_by: str, settings: Mapping[str, object]
) -> bytes:
    """Write values; the same values give the same bytes. NaN and infinities are kept."""
    row = {
        "key": [key],
        "made_by": [made_by],
        "settings": [json.dumps(settings, sort_keys=True)],
        "name": [list(values)],
        "value": [[float(value) for value in values.values()]],
    }
    sink = io.BytesIO()
    pq.write_table(pa.table(row, schema=_TYPES), sink, compression="zstd")
    return sink.getvalue()


def from_row(payload: bytes) -> dict[str, float]:
    """Read what :func:`to_row` wrote, bit for bit and in the same order."""
    # Not read_table: that loads Arrow's data sets, longer than a cohort's rows take.
    table = pq.ParquetFile(io.BytesIO(payload)).read(columns=["name", "value"])
    names, values = (table.column(name)[0].as_py() for name in ("name", "value"))
    return dict(zip(names, values, strict=True))
