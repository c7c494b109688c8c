"""Load a model bundle: everything that turns a patient's features into a probability."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from pipeline.domain.errors import BundleError
from pipeline.domain.features import FeatureSpec
from pipeline.modeling.bundle_contents import (
    SCHEMA_VERSION,
    BundleContents,
    OutcomeDescription,
    TrainingCounts,
    TrainingRange,
)
from pipeline.modeling.estimators import Matrix
from pipeline.modeling.manifest import MANIFEST, check_manifest, hash_file
from pipeline.modeling.serialisation import load_procedure
from pipeline.modeling.table_checks import list_some

CONTENTS = "bundle.json"
EXAMPLE = "example.json"
MODEL = "model/procedure.skops"
CONFIGS = "configs"

EXAMPLE_TOLERANCE = 1e-9
"""Largest change of the worked example's probability: rounding of another processor stays far
below, another version of a library that matters does not."""


@dataclass(frozen=True, slots=True)
class ModelBundle:
    """A trained model with what is needed to use and to judge it.

    Parameters
    ----------
    folder : Path
        Where it lies.
    contents : BundleContents
        What ``bundle.json`` says.
    procedure : sklearn.pipeline.Pipeline
        Fitted preprocessing and model.
    sha256 : str
        Hash of the manifest, and so of the whole bundle.
    """

    folder: Path
    contents: BundleContents = field(repr=False)
    procedure: Pipeline = field(repr=False)
    sha256: str

    @property
    def features(self) -> tuple[FeatureSpec, ...]:
        """Inputs of the model, in order."""
        return self.contents.features

    @property
    def outcome(self) -> OutcomeDescription:
        """What is predicted."""
        return self.contents.outcome

    @property
    def training(self) -> TrainingCounts:
        """Patients and events in training."""
        return self.contents.training

    @property
    def out_of_fold(self) -> dict[str, float | None]:
        """Simple cross-validated figures of the procedure, such as ``auc``."""
        return self.contents.out_of_fold

    @property
    def training_ranges(self) -> dict[str, TrainingRange]:
        """Range of each feature in training, by name."""
        names = [spec.name for spec in self.features]
        return dict(zip(names, self.contents.training_ranges, strict=True))

    @property
    def synthetic(self) -> bool:
        """True where the model was trained on simulated patients."""
        return self.contents.synthetic

    @property
    def configs_folder(self) -> Path:
        """Settings that turn a scan into features the way training did."""
        return self.folder / CONFIGS

    def range_arrays(self) -> tuple[Matrix, Matrix]:
        """Return lowest and highest training values, shape (features,), NaN where none."""
        ranges = self.contents.training_ranges
        low = np.array([item.minimum for item in ranges], dtype=np.float64)
        high = np.array([item.maximum for item in ranges], dtype=np.float64)
        return low, high

    def example_row(self) -> pd.DataFrame:
        """Return the worked example's features as a table of one row: nobody's, the medians."""
        example = _read_json(self.folder / EXAMPLE)
        return pd.DataFrame([example["features"]]).astype(np.float64)

    def predict(self, values: pd.DataFrame) -> Matrix:
        """Return the probability of the positive outcome.

        Parameters
        ----------
        values : pandas.DataFrame
            A row a patient, at least the bundle's features in any order; NaN is imputed with
            the training median.

        Returns
        -------
        numpy.ndarray, shape (patients,)
            Within 0 and 1; a row's answer does not depend on the other rows.

        Raises
        ------
        BundleError
            If features are absent, or values are infinite or not numbers.
        """
        names = [spec.name for spec in self.features]
        absent = [name for name in names if name not in values.columns]
        if absent:
            msg = (
                f"features: expected all {len(names)} of the bundle, lacking {list_some(absent)}."
                " Prepare the patient with the bundle's own settings; a value that is not known"
                " is an empty cell, not an absent column."
            )
            raise BundleError(msg)
        X = _as_numbers(values[names])
        # Row by row: matrix products of several rows round differently from those of one, and a
        # patient's answer must be the same bits whoever else is scored.
        with threadpool_limits(limits=1):
            answers = [self.procedure.predict_proba(row[np.newaxis, :])[0, 1] for row in X]
        return np.array(answers, dtype=np.float64)


def load_bundle(folder: Path) -> ModelBundle:
    """Verify and load a bundle, and recompute its worked example.

    Raises
    ------
    BundleError
        If files are missing or altered, the schema version is another, the model file holds an
        unknown type, or the example's probability is not reproduced.
    """
    check_manifest(folder)
    contents = _read_contents(folder / CONTENTS)
    procedure = load_procedure((folder / MODEL).read_bytes(), str(folder / MODEL))
    bundle = ModelBundle(folder, contents, procedure, hash_file(folder / MANIFEST))
    check_example(bundle)
    return bundle


def check_example(bundle: ModelBundle) -> None:
    """Recompute the bundle's worked example.

    Raises
    ------
    BundleError
        If the probability differs by more than ``EXAMPLE_TOLERANCE``.
    """
    expected = float(_read_json(bundle.folder / EXAMPLE)["probability"])
    got = float(bundle.predict(bundle.example_row())[0])
    if not abs(got - expected) <= EXAMPLE_TOLERANCE:
        msg = (
            f"{bundle.folder / EXAMPLE}: expected probability {expected!r}, got {got!r}"
            f" (tolerance {EXAMPLE_TOLERANCE:g}). The installed libraries differ from those of"
            f" training ({_describe(bundle.contents.versions)}); install these, or train again."
        )
        raise BundleError(msg)


def _as_numbers(values: pd.DataFrame) -> Matrix:
    try:
        X: Matrix = values.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        msg = f"features: expected numbers, got {error}. Encode text before scoring."
        raise BundleError(msg) from None
    unbounded = np.flatnonzero(np.isinf(X).any(axis=0)).tolist()
    infinite = [str(values.columns[place]) for place in unbounded]
    if infinite:
        msg = (
            f"features {list_some(infinite)}: expected finite numbers, got infinity."
            " Leave the value empty where it is not known."
        )
        raise BundleError(msg)
    return X


def _read_contents(path: Path) -> BundleContents:
    content = _read_json(path)
    version = content.get("schema_version")
    if version != SCHEMA_VERSION:
        msg = (
            f"{path}: expected schema_version {SCHEMA_VERSION}, got {version!r}. Use the software"
            " version that made the bundle, or train again."
        )
        raise BundleError(msg)
    try:
        return BundleContents.from_dict(content)
    except (KeyError, TypeError, ValueError) as error:
        msg = f"{path}: expected the contents of a bundle, got a problem with {error}. Train again."
        raise BundleError(msg) from None


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        msg = f"{path}: cannot be read ({error}). Fetch the bundle anew or train again."
        raise BundleError(msg) from None
    return content


def _describe(versions: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())
