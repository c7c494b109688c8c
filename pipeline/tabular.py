"""Tables on disk: Parquet files written whole or not at all, features with their meaning."""

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.domain.errors import OutputError, PipelineError
from pipeline.domain.features import FeatureGroup, FeatureSpec, FeatureTable

ABOUT_KEY = b"about"
"""Where a Parquet file's metadata say how the table came to be."""

_SPECS_KEY = b"feature_specs"
_SHOWN = 8
"""Columns listed in a message before it says how many more there are."""


def write_bytes(content: bytes, path: Path, mode: int = 0o666) -> None:
    """Write a file so that it is either complete or absent, even when the machine stops.

    Parameters
    ----------
    content : bytes
        What to write.
    path : Path
        Its folder is made where it is absent; a file of this name is replaced.
    mode : int
        Who may read and write it, less what the process masks out. The file is created with it:
        there is no moment at which others can read a file that they must not.

    Raises
    ------
    OutputError
        If it cannot be written: no permission, no space, a folder in its place.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.unlink(missing_ok=True)  # of a process of this number that was killed
        handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        msg = f"{path}: cannot be written ({error.strerror}). Give another place, or make room."
        raise OutputError(msg) from None


def write_text(content: str, path: Path) -> None:
    """Write UTF-8 text, complete or not at all."""
    write_bytes(content.encode("utf-8"), path)


def write_json(content: object, path: Path) -> None:
    """Write JSON with sorted keys, so that the same content gives the same bytes."""
    write_text(json.dumps(content, indent=2, sort_keys=True, allow_nan=False) + "\n", path)


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV without its index; floats keep all their digits."""
    write_text(frame.to_csv(index=False, lineterminator="\n"), path)


def write_parquet(
    frame: pd.DataFrame, path: Path, about: Mapping[str, object] | None = None
) -> None:
    """Write a table as Parquet without its index.

    Parameters
    ----------
    frame : pandas.DataFrame
        The table.
    path : Path
        The file.
    about : mapping, optional
        What the file's metadata say of it, as JSON under :data:`ABOUT_KEY`: plain values.
    """
    arrow = pa.Table.from_pandas(frame, preserve_index=False)
    if about is not None:
        encoded = json.dumps(about, sort_keys=True).encode()
        arrow = arrow.replace_schema_metadata({**(arrow.schema.metadata or {}), ABOUT_KEY: encoded})
    _write_arrow(arrow, path)


def read_parquet(path: Path, columns: Sequence[str], stage: str) -> pd.DataFrame:
    """Read a table of an earlier stage.

    Parameters
    ----------
    path : Path
        The file.
    columns : sequence of str
        Those that tell it from the tables of other stages.
    stage : str
        Which makes it, for the message.

    Raises
    ------
    PipelineError
        If the file is absent, not Parquet, or lacks a column.
    """
    frame: pd.DataFrame = _read_arrow(path, stage).to_pandas()
    check_columns(frame, columns, str(path), stage)
    return frame


def check_columns(frame: pd.DataFrame, columns: Sequence[str], name: str, stage: str) -> None:
    """Refuse a table that lacks a column; ``name`` and ``stage`` say which one and whose.

    Raises
    ------
    PipelineError
        With the columns that were expected and that it has.
    """
    if not set(columns) <= set(frame.columns):
        got = ", ".join(map(str, frame.columns[:_SHOWN])) or "none"
        more = f" and {len(frame.columns) - _SHOWN} more" if len(frame.columns) > _SHOWN else ""
        msg = (
            f"{name}: expected the columns {', '.join(columns)}, got {got}{more}."
            f" Give the table of the stage {stage}, or run this stage again."
        )
        raise PipelineError(msg)


def read_about(path: Path) -> dict[str, Any]:
    """Read what a Parquet file's metadata say of it; empty where :func:`write_parquet` got none."""
    metadata = pq.read_schema(path).metadata or {}
    about: dict[str, Any] = json.loads(metadata.get(ABOUT_KEY, b"{}"))
    return about


def write_feature_table(table: FeatureTable, path: Path) -> None:
    """Write a feature table as Parquet; the specs travel in the file's metadata."""
    arrow = pa.Table.from_pandas(table.values.reset_index(), preserve_index=False)
    specs = [[spec.name, spec.group, spec.unit] for spec in table.specs]
    metadata = {**(arrow.schema.metadata or {}), _SPECS_KEY: json.dumps(specs).encode()}
    _write_arrow(arrow.replace_schema_metadata(metadata), path)


def read_feature_table(path: Path) -> FeatureTable:
    """Read what :func:`write_feature_table` wrote.

    Raises
    ------
    PipelineError
        If the file is absent, not Parquet, or another table.
    """
    arrow = _read_arrow(path, "assemble (serum: biomarkers)")
    written = (arrow.schema.metadata or {}).get(_SPECS_KEY)
    if written is None:
        msg = (
            f"{path}: expected a feature table with group and unit of each column, got another"
            " table. Give the table of the stage assemble (serum: biomarkers)."
        )
        raise PipelineError(msg)
    specs = json.loads(written)
    values = arrow.to_pandas().set_index("patient_id")
    return FeatureTable(
        values=values,
        specs=tuple(FeatureSpec(name, FeatureGroup(group), unit) for name, group, unit in specs),
    )


def _read_arrow(path: Path, stage: str) -> pa.Table:
    try:
        return pq.read_table(path)
    except FileNotFoundError:
        reason = "there is no such file"
    except (OSError, ValueError) as error:  # not Parquet, cut short, not allowed
        reason = str(error).partition("\n")[0]
    msg = (
        f"{path}: cannot be read as Parquet ({reason}). Correct the path, or run the stage {stage}."
    )
    raise PipelineError(msg)


def _write_arrow(table: pa.Table, path: Path) -> None:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    write_bytes(sink.getvalue().to_pybytes(), path)
