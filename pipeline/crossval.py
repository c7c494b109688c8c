"""Cross-validate the training procedure on any table of features.

The declared candidate of train.yaml is fitted on all columns but the identifier, the target and
the group, with every step that learns from data inside the training part. Writes predictions.csv
(id, repeat, fold, y, p) and metrics.json.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli import ExitCode, at_least_one, run_command

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.config.train import TrainConfig
    from pipeline.modeling.crossvalidation import LabelledTable
    from pipeline.modeling.splits import Repeats


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of the table are not predictors.

    Parameters
    ----------
    target, id : str
        Outcome (0 or 1) and row identifier.
    group : str or None
        Patient, where a patient may have several rows.
    """

    target: str
    id: str
    group: str | None


def read_table(path: Path, columns: Columns) -> "pd.DataFrame":
    """Read a CSV, CSV.gz or Parquet file; identifiers and groups as text.

    Raises
    ------
    ModelingError
        If the file cannot be read or lacks a named column.
    """
    import pandas as pd

    from pipeline.domain.errors import ModelingError

    keys = [name for name in (columns.id, columns.group) if name is not None]
    try:
        if path.suffix == ".parquet":
            table = pd.read_parquet(path)
        else:
            table = pd.read_csv(path, dtype=dict.fromkeys(keys, str))
    except (OSError, ValueError) as error:
        msg = f"{path}: cannot be read as CSV or Parquet ({error}). Check the path and the format."
        raise ModelingError(msg) from None
    absent = [name for name in (columns.target, *keys) if name not in table]
    if absent:
        msg = (
            f"{path}: expected the columns {', '.join((columns.target, *keys))}, lacking"
            f" {', '.join(absent)}. Correct --target, --id or --group."
        )
        raise ModelingError(msg)
    empty = [name for name in keys if table[name].isna().any()]
    if empty:
        msg = (
            f"{path}: column {', '.join(empty)}: expected a value in every row, got"
            " empty cells. Fill them in."
        )
        raise ModelingError(msg)
    return table.astype(dict.fromkeys(keys, str))


def label_table(table: "pd.DataFrame", columns: Columns) -> "LabelledTable":
    """Tell predictors, outcome and groups apart.

    Raises
    ------
    ModelingError
        If the target is not 0 or 1 (or true and false) in every row.
    """
    import numpy as np

    from pipeline.domain.errors import ModelingError
    from pipeline.modeling.crossvalidation import LabelledTable

    target = table[columns.target]
    if not (target.notna().all() and target.isin([0, 1]).all()):
        odd = target[~target.isin([0, 1])].tolist()
        found = ", ".join(sorted({repr(value) for value in odd})[:5])
        msg = (
            f"column {columns.target}: expected 0 or 1 in every row, got also {found}."
            " Recode the outcome (1 for what is predicted) and leave out rows without one."
        )
        raise ModelingError(msg)
    rows = table.set_index(columns.id)
    predictors = rows.drop(columns=[c for c in (columns.target, columns.group) if c is not None])
    groups = None if columns.group is None else table[columns.group].to_numpy(dtype=object)
    return LabelledTable(predictors, target.to_numpy(dtype=np.int64), groups)


def cross_validate_table(
    table: "LabelledTable", repeats: "Repeats", config: "TrainConfig", jobs: int
) -> "pd.DataFrame":
    """Return the declared candidate's out-of-fold predictions: ``id, repeat, fold, y, p``."""
    from pipeline.modeling.crossvalidation import Experiment, cross_validate

    candidate = config.declared.candidate
    experiment = Experiment("table", tuple(map(str, table.values.columns)), candidate)
    predictions = cross_validate(table, [experiment], repeats, config, jobs)
    declared = predictions[predictions["candidate"] == candidate]
    return declared.rename(columns={"patient_id": "id"})[["id", "repeat", "fold", "y", "p"]]


def summarise(predictions: "pd.DataFrame", table: "LabelledTable") -> dict[str, float | None]:
    """Return the figures of metrics.json; the slope is None where it is not defined."""
    from math import isfinite

    from pipeline.evaluation.calibration import calibration_slope
    from pipeline.modeling.scores import summarise_predictions

    slope = calibration_slope(predictions["y"], predictions["p"], 0.95).value
    return {
        **summarise_predictions(predictions),
        "calibration_slope": slope if isfinite(slope) else None,
        "n": int(table.y.size),
        "events": int(table.y.sum()),
    }


def _command(argv: Sequence[str]) -> ExitCode:
    args = _parse(argv)

    from pipeline.config.loading import load_settings
    from pipeline.config.train import TrainConfig
    from pipeline.modeling.given_folds import read_folds
    from pipeline.modeling.leakage import check_predictors
    from pipeline.modeling.splits import split_repeatedly
    from pipeline.modeling.table_checks import check_training_table
    from pipeline.tabular import write_csv, write_json

    config = load_settings(TrainConfig, args.config)
    columns = Columns(args.target, args.id, args.group)
    raw = read_table(args.table, columns)
    table = label_table(raw, columns)
    warnings = check_training_table(table.values, table.y, table.groups, config)
    check_predictors(table.values, raw[columns.target].astype(int), config.not_predictors)
    if config.preprocessing.minimum_icc is not None:
        warnings.append("minimum_icc is not applied: this table's features have no known ICC")
    if args.folds is None:
        repeats = split_repeatedly(
            table.y, table.groups, config.outer_folds, config.repeats, config.seed
        )
    else:
        repeats = read_folds(args.folds, table.values.index.tolist(), table.groups)
    predictions = cross_validate_table(table, repeats, config, args.jobs)
    write_csv(predictions, args.out / "predictions.csv")
    metrics = summarise(predictions, table)
    write_json({**metrics, "warnings": warnings}, args.out / "metrics.json")
    print(", ".join(f"{name} {value:.4g}" for name, value in metrics.items() if value is not None))
    return ExitCode.DONE


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="pipeline.crossval", description=__doc__)
    parser.add_argument("table", type=Path, help="CSV, CSV.gz or Parquet, a row a patient")
    parser.add_argument("--target", required=True, help="column of the outcome, 0 or 1")
    parser.add_argument("--id", required=True, help="column that identifies the row")
    parser.add_argument("--group", help="column of the patient, where one has several rows")
    parser.add_argument("--folds", type=Path, help="JSON file with the folds to use")
    parser.add_argument("--config", type=Path, default=Path("configs/train.yaml"))
    parser.add_argument("--out", type=Path, required=True, help="folder for the results")
    parser.add_argument("--jobs", type=at_least_one, default=1, help="processes (default: 1)")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    return run_command(_command, argv)


if __name__ == "__main__":
    raise SystemExit(main())
