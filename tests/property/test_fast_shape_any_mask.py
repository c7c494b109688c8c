"""Shape features of any region equal PyRadiomics', and diameters a search of all pairs."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from shape_reference import Mask, Spacing, cut_to_box, reference_shape, reference_shape2d

from pipeline.features.fast.diameters import measure_diameters
from pipeline.features.fast.shape import compute_shape
from pipeline.features.fast.shape2d import compute_shape2d

spacings = st.tuples(*[st.floats(0.3, 6.0)] * 3)


def _masks(dimensions: int, longest: int) -> st.SearchStrategy[Mask]:
    """Regions with a voxel at each side of their array, dense and sparse ones."""
    shapes = array_shapes(min_dims=dimensions, max_dims=dimensions, min_side=1, max_side=longest)
    filled = st.booleans().flatmap(
        lambda fill: arrays(np.bool_, shapes, elements=st.booleans(), fill=st.just(fill))
    )
    return filled.filter(lambda mask: bool(mask.any())).map(cut_to_box)


@given(inside=_masks(3, 8), spacing_mm=spacings)
@settings(max_examples=150, deadline=None)
def test_equals_pyradiomics(inside: Mask, spacing_mm: Spacing) -> None:
    expected = reference_shape(inside, spacing_mm)
    # An open mesh may have almost no volume: then the reference's ratios are rounding errors.
    assume(abs(expected["MeshVolume"]) > 1e-4 * expected["VoxelVolume"])

    features = compute_shape(inside, spacing_mm)

    assert features == pytest.approx(expected, rel=1e-9, abs=0, nan_ok=True)


@given(plane=_masks(2, 12), axis=st.integers(0, 2), spacing_mm=spacings)
@settings(max_examples=80, deadline=None)
def test_planar_shape_equals_pyradiomics(plane: Mask, axis: int, spacing_mm: Spacing) -> None:
    inside = np.expand_dims(plane, axis)

    features = compute_shape2d(inside, spacing_mm, axis)

    expected = reference_shape2d(inside, spacing_mm, axis)
    assert features == pytest.approx(expected, rel=1e-9, abs=0, nan_ok=True)


@given(inside=_masks(3, 7), spacing_zyx_mm=spacings)
@settings(max_examples=80, deadline=None)
def test_diameters_are_those_of_all_pairs_of_vertices(
    inside: Mask, spacing_zyx_mm: Spacing
) -> None:
    padded = np.pad(inside, 1).astype(np.uint8)
    vertices = []
    for axis in range(3):
        middles = np.argwhere(np.diff(padded.astype(np.int8), axis=axis)) * 2
        middles[:, axis] += 1
        vertices.append(middles)
    steps = np.concatenate(vertices)[:, None] - np.concatenate(vertices)[None]
    distances = np.sqrt(((steps * np.array(spacing_zyx_mm) / 2) ** 2).sum(axis=2))

    diameters = measure_diameters(padded, spacing_zyx_mm)

    in_plane = [distances[steps[..., axis] == 0].max() for axis in range(3)]
    assert diameters == pytest.approx((*in_plane, distances.max()), rel=1e-12)
