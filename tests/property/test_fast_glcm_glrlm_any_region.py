"""GLCM and GLRLM of any small region equal PyRadiomics'."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from texture_reference import Compared, compare_glcm, compare_glrlm, region

from pipeline.domain.errors import CaseError
from pipeline.features.fast.directions import list_angles
from pipeline.features.fast.discretisation import discretise
from pipeline.features.fast.grey_levels import RegionImage
from pipeline.features.fast.texture_settings import TextureSettings

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # PyRadiomics' empty averages


@st.composite
def regions(draw: st.DrawFn) -> RegionImage:
    """Regions of few or many levels, whole or full of holes, to the border of their array."""
    shape = draw(array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=6))
    step = draw(st.sampled_from([1, 25, 90]))
    dtype = draw(st.sampled_from([np.int16, np.float32, np.float64]))
    levels = draw(arrays(np.int16, shape, elements=st.integers(-4, 4)))
    inside = draw(arrays(np.bool_, shape, elements=st.booleans()))
    if draw(st.booleans()):
        inside = np.ones(shape, np.bool_)
    assume(inside.sum() > 1)
    spacing_mm = draw(st.tuples(*[st.sampled_from([0.5, 0.7, 1.0, 3.0])] * 3))
    return region(levels.astype(dtype) * dtype(step), inside, spacing_mm)


any_settings = st.builds(
    TextureSettings,
    bin_width=st.sampled_from([25, 7.5]),
    bin_count=st.sampled_from([None, 5]),
    distances=st.sampled_from([(1,), (2,), (1, 3), (1, 1)]),
    force_2d=st.booleans(),
    force_2d_axis=st.integers(0, 2),
    weighting_norm=st.sampled_from([None, "manhattan", "euclidean", "infinity", "no_weighting"]),
    symmetrical_glcm=st.booleans(),
)


@given(image=regions(), chosen=any_settings)
@settings(max_examples=100, deadline=None)
def test_glcm_equals_pyradiomics(image: RegionImage, chosen: TextureSettings) -> None:
    assume(_has_angles(image, chosen, chosen.distances))

    _assert_equal(compare_glcm(image, chosen), discretise(image, chosen).highest)


@given(image=regions(), chosen=any_settings)
@settings(max_examples=100, deadline=None)
def test_glrlm_equals_pyradiomics(image: RegionImage, chosen: TextureSettings) -> None:
    assume(_has_angles(image, chosen, (1,)))

    _assert_equal(compare_glrlm(image, chosen), discretise(image, chosen).highest)


def _has_angles(image: RegionImage, chosen: TextureSettings, distances: tuple[int, ...]) -> bool:
    try:
        list_angles(image.values.shape, chosen, distances)
    except CaseError:
        return False
    return True


def _assert_equal(compared: Compared, highest: int) -> None:
    # Where third and fourth powers of levels cancel out, what is left is rounding.
    nothing = 1e-15 * float(highest) ** 4
    assert compared.ours == pytest.approx(
        compared.reference, rel=1e-9, abs=max(1e-12, nothing), nan_ok=True
    )
