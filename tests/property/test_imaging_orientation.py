"""Ordering axes and cropping move no voxel in the patient and change no value."""

import itertools

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.imaging.crop import bounding_box, crop_region, crop_scan
from pipeline.imaging.orient import orient_region, orient_scan


def _tilt(degrees: float) -> npt.NDArray[np.float64]:
    angle = np.deg2rad(degrees)
    cosine, sine = np.cos(angle), np.sin(angle)
    about_x = np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]])
    about_z = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])
    return np.asarray(about_x @ about_z)


@st.composite
def scans(draw: st.DrawFn) -> Scan:
    """Small scans with every order and sense of the axes, tilted by up to 20 degrees."""
    size = draw(st.tuples(*[st.integers(2, 5)] * 3))
    axes = np.eye(3)[:, list(draw(st.permutations(range(3))))]
    signs = draw(st.tuples(*[st.sampled_from((-1.0, 1.0))] * 3))
    direction = _tilt(draw(st.floats(-20, 20))) @ (axes * np.array(signs))
    spacing = draw(st.tuples(*[st.floats(0.3, 6.0)] * 3))
    origin = draw(st.tuples(*[st.floats(-300, 300)] * 3))
    geometry = Geometry(size, spacing, origin, tuple(direction.ravel()))
    count = int(np.prod(size))
    order = np.random.default_rng(draw(st.integers(0, 2**32 - 1))).permutation(count)
    voxels = order.astype(np.int16).reshape(geometry.shape_zyx)  # every value once
    return Scan(voxels, geometry, Modality.CT)


def _positions_by_value(scan: Scan) -> dict[int, npt.NDArray[np.float64]]:
    """Return where each value lies, by the definition of a grid (x, y, z in mm)."""
    grid = scan.geometry
    matrix = np.reshape(grid.direction, (3, 3))
    positions = {}
    for z, y, x in itertools.product(*map(range, scan.voxels.shape)):
        offset = matrix @ (np.array([x, y, z]) * np.array(grid.spacing_mm))
        positions[int(scan.voxels[z, y, x])] = np.array(grid.origin_mm) + offset
    return positions


@given(scans())
@settings(max_examples=60, deadline=None)
def test_ordering_axes_leaves_every_value_where_it_was(scan: Scan) -> None:
    before, after = _positions_by_value(scan), _positions_by_value(orient_scan(scan))
    assert before.keys() == after.keys()
    assert all(np.allclose(before[value], after[value], rtol=0, atol=1e-6) for value in before)


@given(scans())
@settings(max_examples=60, deadline=None)
def test_ordered_axes_point_left_back_and_up(scan: Scan) -> None:
    oriented = orient_scan(scan)
    matrix = np.reshape(oriented.geometry.direction, (3, 3))
    assert np.abs(matrix).argmax(axis=0).tolist() == [0, 1, 2]
    assert (np.diag(matrix) > 0).all()
    assert oriented.voxels.dtype == scan.voxels.dtype


@given(scans())
@settings(max_examples=30, deadline=None)
def test_a_region_turns_with_its_scan(scan: Scan) -> None:
    region = Region(scan.voxels % 3 == 0, scan.geometry, "tumour")
    oriented = orient_scan(scan)
    turned = orient_region(region)
    assert (turned.inside == (oriented.voxels % 3 == 0)).all()
    assert turned.geometry == oriented.geometry
    assert turned.name == "tumour"


@given(scans(), st.floats(0, 8), st.data())
@settings(max_examples=60, deadline=None)
def test_cropping_keeps_values_positions_and_the_margin(
    scan: Scan, margin_mm: float, data: st.DataObject
) -> None:
    z, y, x = (data.draw(st.integers(0, length - 1)) for length in scan.voxels.shape)
    inside = np.zeros(scan.voxels.shape, dtype=bool)
    inside[z, y, x] = True
    region = Region(inside, scan.geometry, "tumour")
    box = bounding_box([region], scan.geometry, margin_mm)
    before, after = _positions_by_value(scan), _positions_by_value(crop_scan(scan, box))
    assert all(np.allclose(before[value], after[value], rtol=0, atol=1e-6) for value in after)
    # Everything within the margin along the axes is kept, and nothing a voxel further out.
    indices = np.indices(scan.voxels.shape)
    spacing_zyx = np.array(scan.geometry.spacing_mm)[::-1]
    gaps_mm = (
        np.abs(indices - np.array([z, y, x])[:, None, None, None])
        * spacing_zyx[:, None, None, None]
    )
    near = (gaps_mm <= margin_mm - 1e-9).all(axis=0)
    far = (gaps_mm >= (margin_mm + spacing_zyx + 1e-9)[:, None, None, None]).any(axis=0)
    kept = np.isin(scan.voxels, list(after))
    assert kept[near].all()
    assert not kept[far].any()
    assert crop_region(region, box).voxel_count == 1
