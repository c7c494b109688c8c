"""First-order features: closed forms, and percentiles as numpy's."""

import numpy as np
import numpy.typing as npt
import pytest
from texture_reference import region

from pipeline.features.fast.discretisation import discretise
from pipeline.features.fast.firstorder import PERCENTS, compute_firstorder, find_percentiles
from pipeline.features.fast.grey_levels import RegionImage
from pipeline.features.fast.texture_settings import TextureSettings


def compute(image: RegionImage, settings: TextureSettings | None = None) -> dict[str, float]:
    settings = settings or TextureSettings()
    return compute_firstorder(image, discretise(image, settings), settings)


def test_four_values() -> None:
    found = compute(region([[[1.0, 2.0, 3.0, 6.0]]], spacing_mm=(1.0, 2.0, 3.0)))

    assert found == pytest.approx(
        {
            "Minimum": 1,
            "Maximum": 6,
            "Range": 5,
            "Mean": 3,
            "Median": 2.5,
            "10Percentile": 1.3,
            "90Percentile": 5.1,
            "InterquartileRange": 3.75 - 1.75,
            "MeanAbsoluteDeviation": (2 + 1 + 0 + 3) / 4,
            "RobustMeanAbsoluteDeviation": 0.5,  # of 2 and 3
            "Variance": (4 + 1 + 0 + 9) / 4,
            "StandardDeviation": 3.5**0.5,
            "Skewness": (-8 - 1 + 27) / 4 / 3.5**1.5,
            "Kurtosis": (16 + 1 + 81) / 4 / 3.5**2,
            "Energy": 50,
            "TotalEnergy": 300,
            "RootMeanSquared": 12.5**0.5,
            "Entropy": 0,
            "Uniformity": 1,
        },
        rel=1e-14,
        abs=1e-15,
    )


def test_voxels_outside_do_not_count() -> None:
    inside = np.array([[[True, False, True]]])

    assert compute(region([[[1.0, 1e9, 3.0]]], inside))["Mean"] == 2


def test_shift_is_added_to_energies_only() -> None:
    image = region([[[-1.0, 1.0]]])

    found = compute(image, TextureSettings(voxel_array_shift=1))

    assert (found["Energy"], found["RootMeanSquared"], found["Mean"]) == (4, 2**0.5, 0)


def test_entropy_is_of_the_grey_levels() -> None:
    found = compute(region([[[0, 10, 30, 60]]]))  # levels 1, 1, 2, 3

    assert found["Entropy"] == pytest.approx(1.5, rel=1e-12)
    assert found["Uniformity"] == 0.25 + 2 * 0.0625


def test_flat_region_has_no_skewness_and_no_kurtosis() -> None:
    found = compute(region(np.full((2, 3, 4), 7, np.int16)))

    assert [found[name] for name in ("Variance", "Skewness", "Kurtosis")] == [0, 0, 0]


def test_whole_numbers_and_floats_give_the_same() -> None:
    values = np.random.default_rng(1).integers(-1000, 1000, (20, 20, 20)).astype(np.int16)

    assert compute(region(values)) == compute(region(values.astype(np.float64)))


rng = np.random.default_rng(0)
SAMPLES = {
    "one": [3.0],
    "two": [5.0, -5.0],
    "normal": rng.normal(size=10_001),
    "ties": rng.integers(0, 3, 5_000).astype(float),
    "outlier": np.append(rng.normal(size=1_000), 1e12),
    "negative outlier": np.append(rng.normal(size=1_000), -1e12),
    "largest numbers": rng.normal(size=500) * 1e307,
    "smallest numbers": rng.integers(0, 9, 500) * 5e-324,
    "equal": np.full(77, 0.1),
}


@pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES)
def test_percentiles_are_exactly_numpys(sample: npt.NDArray[np.float64]) -> None:
    values = np.asarray(sample)

    found = find_percentiles(values, float(values.min()), float(values.max()))

    assert found == np.percentile(values, PERCENTS).tolist()
