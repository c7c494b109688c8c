"""What is said beside a probability: imputed inputs and values beyond the training range."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from pipeline.domain.features import FeatureGroup, FeatureSpec
from pipeline.modeling.bundle import ModelBundle
from pipeline.scoring.judgement import judge

SPECS = (
    FeatureSpec("size_volume_ml", FeatureGroup.SIZE, "mL"),
    FeatureSpec("afp_log_ratio", FeatureGroup.SERUM, "1"),
    FeatureSpec("never_seen", FeatureGroup.SERUM, "1"),
    FeatureSpec("mr_mean_arterial", FeatureGroup.RESPONSE, "1"),
    *(FeatureSpec(f"ct_arterial_tumour_f{n}", FeatureGroup.RADIOMICS, "1") for n in range(20)),
)
NAN = float("nan")


@dataclass
class SmallBundle:
    """A bundle's interface with a model that gives everybody 0.25."""

    features: tuple[FeatureSpec, ...] = SPECS

    def range_arrays(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        low = np.array([10.0, -5.0, NAN, 0.0, *[0.0] * 20])
        return low, low + 10

    def predict(self, values: pd.DataFrame) -> npt.NDArray[np.float64]:
        return np.full(len(values), 0.25)


def judged(row: list[float]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    values = pd.DataFrame([row], index=["P1"], columns=[spec.name for spec in SPECS])
    bundle: ModelBundle = SmallBundle()  # type: ignore[assignment] # has all that judge uses
    (prediction,) = judge(bundle, values)
    assert prediction.probability == 0.25
    return prediction.missing, prediction.warnings


def test_an_ordinary_patient_has_nothing_to_report() -> None:
    assert judged([15, -1, NAN, 5, *[5.0] * 20]) == ((), ())


def test_missing_inputs_are_named_or_counted_and_unlearned_ones_are_not() -> None:
    missing, _ = judged([15, NAN, NAN, NAN, *[NAN] * 3, *[5.0] * 17])
    assert missing == ("afp_log_ratio", "1 of 1 MR measures", "3 of 20 radiomics features")


def test_a_region_that_a_scan_lacks_is_named_with_its_reason() -> None:
    row = [15, -1, NAN, 5, *[NAN] * 20]
    values = pd.DataFrame([row, row], index=["P1", "P2"], columns=[spec.name for spec in SPECS])
    bundle: ModelBundle = SmallBundle()  # type: ignore[assignment] # has all that judge uses
    reason = "preop CT portal lesion 1: no viable region: no native phase"
    first, second = judge(bundle, values, {"P2": [reason]})
    assert first.missing == ("20 of 20 radiomics features",)
    assert second.missing == ("20 of 20 radiomics features", reason)


@pytest.mark.parametrize(("beyond", "warned"), [(1, False), (2, True)])
def test_more_than_one_in_twenty_image_features_beyond_the_range_is_a_warning(
    beyond: int, warned: bool
) -> None:
    _, warnings = judged([15, -1, NAN, 5, *[99.0] * beyond, *[5.0] * (20 - beyond)])
    assert bool(warnings) is warned


def test_a_single_measure_beyond_the_range_is_named_with_its_value() -> None:
    _, warnings = judged([900, -1, NAN, 5, *[5.0] * 20])
    assert warnings == ("size_volume_ml = 900 lies outside the range seen in training",)
