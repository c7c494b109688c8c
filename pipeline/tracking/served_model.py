"""The bundle as an MLflow model: assembled features in, probabilities out.

MLflow stores this file as the model's code, so the stored model holds no pickle.
"""

from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.pyfunc import PythonModel, PythonModelContext


class BundleModel(PythonModel):  # type: ignore[misc] # its base is not typed
    """Scores rows of assembled features with a bundle of this pipeline."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the bundle, which verifies its hashes and its worked example."""
        from pipeline.modeling.bundle import load_bundle

        self.bundle = load_bundle(Path(context.artifacts["bundle"]))

    def predict(
        self,
        context: PythonModelContext,  # noqa: ARG002 # mlflow's signature
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,  # noqa: ARG002 # mlflow's signature
    ) -> pd.DataFrame:
        """Return the probability of the positive outcome, one row a row of the input."""
        probability = self.bundle.predict(model_input)
        return pd.DataFrame({"probability": probability}, index=model_input.index)


mlflow.models.set_model(BundleModel())
