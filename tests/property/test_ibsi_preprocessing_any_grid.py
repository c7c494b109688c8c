"""Interpolation around a region is that of SimpleITK on the whole grid, wherever both lie."""

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipeline.config.extraction import ExtractionParameters
from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.features.ibsi.grid import centred_grid
from pipeline.features.ibsi.preprocessing import HALF, prepare_by_standard

UNTURNED = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
spacings = st.tuples(*[st.sampled_from([0.7, 0.977, 1.0, 1.5, 2.0, 3.0])] * 3)


@settings(deadline=None, max_examples=50)
@given(
    old_mm=spacings,
    new_mm=spacings,
    shape=st.tuples(*[st.integers(4, 9)] * 3),
    interpolator=st.sampled_from(["sitkLinear", "sitkBSpline"]),
    margin_sigma_mm=st.sampled_from([0.5, 1.5]),
    seed=st.integers(0, 2**32 - 1),
)
def test_values_and_region(
    old_mm: tuple[float, float, float],
    new_mm: tuple[float, float, float],
    shape: tuple[int, int, int],
    interpolator: str,
    margin_sigma_mm: float,
    seed: int,
) -> None:
    generator = np.random.default_rng(seed)
    values = generator.normal(0, 100, shape)
    low = [int(generator.integers(0, size - 2)) for size in shape]
    inside = np.zeros(shape, np.bool_)
    inside[tuple(slice(start, start + 3) for start in low)] = generator.random((3, 3, 3)) < 0.9
    geometry = Geometry(shape[::-1], old_mm, (-4.0, 5.0, 6.0), UNTURNED)
    grid = centred_grid(geometry, new_mm)
    mask = _resample(inside.astype(float), geometry, grid, "sitkLinear") >= HALF
    assume(np.ptp(np.argwhere(mask), axis=0).any() if mask.any() else False)

    parameters = ExtractionParameters.model_validate(
        {
            "imageType": {"LoG": {"sigma": [margin_sigma_mm]}},
            "setting": {
                "resampledPixelSpacing": list(new_mm),
                "interpolator": interpolator,
                "minimumROIDimensions": 1,
            },
            "pipeline": {"engine": "fast", "preset": "ibsi"},
        }
    )
    scan, region = Scan(values, geometry, Modality.MR), Region(inside, geometry, "tumour")
    found = prepare_by_standard(scan, region, parameters)
    expected = _resample(values, geometry, grid, interpolator)
    assert np.count_nonzero(found.inside) == np.count_nonzero(mask)
    assert found.values[found.inside] == pytest.approx(expected[mask], rel=1e-9, abs=1e-9)
    reach = int(4 * margin_sigma_mm / min(new_mm) + 0.5)
    near = found.cut((reach, reach, reach)).values
    box = tuple(slice(line.min(), line.max() + 1 + 2 * reach) for line in np.argwhere(mask).T)
    mirrored = np.pad(expected, reach, mode="symmetric")
    assert near == pytest.approx(mirrored[box], rel=1e-9, abs=1e-9)


def _resample(
    values: "np.typing.NDArray[np.float64]", old: Geometry, new: Geometry, interpolator: str
) -> "np.typing.NDArray[np.float64]":
    image = sitk.GetImageFromArray(values)
    image.SetSpacing(old.spacing_mm)
    image.SetOrigin(old.origin_mm)
    method = getattr(sitk, interpolator)
    resampled = sitk.Resample(
        image, new.size, sitk.Transform(), method, new.origin_mm, new.spacing_mm
    )
    array: np.typing.NDArray[np.float64] = sitk.GetArrayFromImage(resampled)
    return array
