"""Grey levels of any region equal PyRadiomics', whatever the type of its voxels."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays, from_dtype
from radiomics import imageoperations
from texture_reference import region

from pipeline.domain.errors import CaseError
from pipeline.features.fast.discretisation import discretise
from pipeline.features.fast.grey_levels import RegionImage
from pipeline.features.fast.texture_settings import TextureSettings

TYPES = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "float32", "float64")

pytestmark = pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")


@st.composite
def regions(draw: st.DrawFn) -> RegionImage:
    dtype = np.dtype(draw(st.sampled_from(TYPES)))
    if dtype.kind == "f":
        elements = st.floats(-1000, 1000, width=32)
    else:
        elements = from_dtype(dtype).filter(lambda value: abs(int(value)) < 100_000)
    shape = draw(array_shapes(min_dims=3, max_dims=3, max_side=5))
    values = draw(arrays(dtype, shape, elements=elements))
    inside = draw(arrays(np.bool_, shape, elements=st.booleans(), fill=st.just(True)))
    assume(inside.any())
    return region(values, inside)


any_settings = st.one_of(
    st.builds(TextureSettings, bin_width=st.sampled_from([25, 25.0, 1, 0.1, 0.7, 33.3, 300])),
    st.builds(TextureSettings, bin_count=st.integers(1, 300)),
)


@given(image=regions(), chosen=any_settings)
@settings(max_examples=300, deadline=None)
def test_levels_equal_pyradiomics(image: RegionImage, chosen: TextureSettings) -> None:
    expected = _reference(image, chosen)
    if expected is None:
        with pytest.raises(CaseError, match="no room for the bins"):
            discretise(image, chosen)
        return

    levels = discretise(image, chosen)

    np.testing.assert_array_equal(levels.levels, expected)
    np.testing.assert_array_equal(levels.present, np.unique(expected[image.inside]))
    assert levels.highest == expected.max()


def _reference(image: RegionImage, chosen: TextureSettings) -> Any:
    """Return PyRadiomics' levels, or None where its bin edges overflow the type of the image."""
    try:
        levels, edges = imageoperations.binImage(
            image.values, image.inside, binWidth=chosen.bin_width, binCount=chosen.bin_count
        )
    except OverflowError:
        return None
    ascending = len(edges) and (np.diff(np.asarray(edges, np.float64)) >= 0).all()
    return levels if ascending else None
