"""Reading what earlier stages wrote, with an error that says which stage to run."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.domain.errors import PipelineError

_NEXT_STEP = "Run the stage that writes it, or dvc repro."


def read_json(path: Path) -> Any:
    """Read a JSON file of an earlier stage.

    Raises
    ------
    PipelineError
        If it is absent or not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        msg = f"{path}: cannot be read ({error.strerror}). {_NEXT_STEP}"
        raise PipelineError(msg) from None
    except ValueError as error:
        msg = f"{path}: expected JSON, got: {error}. {_NEXT_STEP}"
        raise PipelineError(msg) from None


def read_table(path: Path, read: Callable[[Path], pd.DataFrame] = pd.read_csv) -> pd.DataFrame:
    """Read a table of an earlier stage; an empty file is a table without rows.

    Parameters
    ----------
    path : Path
        The file.
    read : callable
        Reads it, such as ``pandas.read_parquet``.

    Raises
    ------
    PipelineError
        If it is absent or unreadable.
    """
    try:
        return read(path)
    except pd.errors.EmptyDataError:
        return pd.DataFrame()
    except OSError as error:
        reason = error.strerror or str(error)
    except ValueError as error:
        reason = str(error)
    msg = f"{path}: cannot be read ({reason}). {_NEXT_STEP}"
    raise PipelineError(msg)
