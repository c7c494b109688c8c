"""First order, GLDM, NGTDM and GLSZM of any small region equal PyRadiomics'."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from radiomics.firstorder import RadiomicsFirstOrder
from radiomics.gldm import RadiomicsGLDM
from radiomics.glszm import RadiomicsGLSZM
from radiomics.ngtdm import RadiomicsNGTDM
from scipy import ndimage
from texture_reference import reference_class, region

from pipeline.domain.errors import CaseError
from pipeline.features.fast.discretisation import discretise
from pipeline.features.fast.firstorder import compute_firstorder
from pipeline.features.fast.gldm import compute_gldm
from pipeline.features.fast.glszm import compute_glszm, count_zones
from pipeline.features.fast.grey_levels import RegionImage
from pipeline.features.fast.neighbourhood import count_neighbourhoods
from pipeline.features.fast.ngtdm import compute_ngtdm
from pipeline.features.fast.texture_settings import TextureSettings

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # PyRadiomics' empty averages

Compute = Callable[[RegionImage, TextureSettings], dict[str, float]]

OWN: dict[Any, Compute] = {
    RadiomicsFirstOrder: lambda image, own: compute_firstorder(image, discretise(image, own), own),
    RadiomicsGLDM: lambda image, own: compute_gldm(
        count_neighbourhoods(discretise(image, own), own, ngtdm=False)
    ),
    RadiomicsNGTDM: lambda image, own: compute_ngtdm(
        count_neighbourhoods(discretise(image, own), own, gldm=False)
    ),
    RadiomicsGLSZM: lambda image, own: compute_glszm(discretise(image, own), own),
}


@st.composite
def regions(draw: st.DrawFn) -> RegionImage:
    """Regions of one voxel and more, whole or full of holes, to the border of their array."""
    shape = draw(array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=6))
    step = draw(st.sampled_from([0.3, 25, 90, 2000]))
    dtype = draw(st.sampled_from([np.int16, np.float32, np.float64]))
    levels = draw(arrays(np.int16, shape, elements=st.integers(-4, 4)))
    inside = draw(arrays(np.bool_, shape, elements=st.booleans()))
    if not inside.any() or draw(st.booleans()):
        inside = np.ones(shape, np.bool_)
    spacing_mm = draw(st.tuples(*[st.sampled_from([0.5, 0.7, 3.0])] * 3))
    return region((levels * step).astype(dtype), inside, spacing_mm)


any_settings = st.builds(
    TextureSettings,
    bin_width=st.sampled_from([25, 7.5]),
    bin_count=st.sampled_from([None, 5]),
    distances=st.sampled_from([(1,), (2,), (1, 3), (1, 1, 2), (4,)]),
    force_2d=st.booleans(),
    force_2d_axis=st.integers(0, 2),
    gldm_a=st.integers(0, 3),
    voxel_array_shift=st.sampled_from([0, 1000]),
)

ONE_VOXEL = region(np.full((1, 1, 1), 7, np.int16))
LINE = region(np.array([[[10, 30, 30, 80, 10]]], np.int16))
PLANE = region(np.arange(12.0).reshape(3, 1, 4) * 30)
FLAT = region(np.full((3, 3, 3), 0.1))
APART = region(np.array([[[1, 0, 60, 0, 1]]], np.int16), np.array([[[1, 0, 1, 0, 1]]], np.bool_))
MANY_LEVELS = region(np.arange(512).reshape(8, 8, 8).astype(np.float32) * 90)


@pytest.mark.parametrize("kind", OWN, ids=lambda kind: kind.__name__)
@given(image=regions(), chosen=any_settings)
@example(image=ONE_VOXEL, chosen=TextureSettings())
@example(image=LINE, chosen=TextureSettings(force_2d=True, force_2d_axis=2))
@example(image=LINE, chosen=TextureSettings())
@example(image=PLANE, chosen=TextureSettings(distances=(1, 2)))
@example(image=FLAT, chosen=TextureSettings())
@example(image=APART, chosen=TextureSettings())
@example(image=MANY_LEVELS, chosen=TextureSettings())
@settings(max_examples=60, deadline=None)
def test_features_equal_pyradiomics(kind: Any, image: RegionImage, chosen: TextureSettings) -> None:
    try:
        expected = _execute(reference_class(kind, image, chosen))
    except RuntimeError:  # PyRadiomics finds no angles
        with pytest.raises(CaseError, match="can be neighbours"):
            OWN[kind](image, chosen)
        return

    found = OWN[kind](image, chosen)

    _forgive_rounded_zeros(found, expected)
    assert found == pytest.approx(expected, rel=1e-9, nan_ok=True)


def _execute(features: Any) -> dict[str, float]:
    features.enableAllFeatures()
    if isinstance(features, RadiomicsFirstOrder):
        features.enableFeatureByName("StandardDeviation")
    with np.errstate(all="ignore"):
        return {name: float(value) for name, value in features.execute().items()}


def _forgive_rounded_zeros(found: dict[str, float], expected: dict[str, float]) -> None:
    """Set a skewness to 0 that is: cubes on both sides of the mean cancel but for rounding."""
    for values in (found, expected):
        if abs(values.get("Skewness", 1)) < 1e-12:
            values["Skewness"] = 0


@given(
    levels=arrays(np.int16, (6, 9, 20), elements=st.integers(0, 2)),
    chosen=st.builds(TextureSettings, force_2d=st.booleans(), force_2d_axis=st.integers(0, 2)),
)
@settings(max_examples=60, deadline=None)
def test_zones_are_the_connected_components(
    levels: np.ndarray[Any, Any], chosen: TextureSettings
) -> None:
    levels[0, 0, 0] = 1  # so that there is a region, and level 1 is level 1
    found = count_zones(discretise(region(levels, levels > 0), _unit_bins(chosen)), chosen)

    connected = np.ones((3, 3, 3))
    if chosen.force_2d:
        np.moveaxis(connected, chosen.force_2d_axis, 0)[[0, 2]] = 0
    expected: dict[tuple[float, float], int] = {}
    for level in (1, 2):
        labels, _ = ndimage.label(levels == level, connected)
        for size in np.bincount(labels.ravel())[1:]:
            expected[level, size] = expected.get((level, size), 0) + 1
    pairs = zip(found.levels.tolist(), found.sizes.tolist(), strict=True)
    assert dict(zip(pairs, found.counts, strict=True)) == expected


def _unit_bins(chosen: TextureSettings) -> TextureSettings:
    return TextureSettings(1.0, force_2d=chosen.force_2d, force_2d_axis=chosen.force_2d_axis)
