"""For any grid: what is written is read, and any change of one field is noticed."""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from pipeline.domain.geometry import GRID_TOLERANCE_MM, Geometry
from pipeline.ingest.mask import read_region
from pipeline.ingest.volume import read_geometry

NO_DEADLINE = settings(deadline=None)  # the first example pays for imports

coordinate = st.floats(-500, 500, allow_nan=False)
triples = st.tuples(coordinate, coordinate, coordinate)
sizes = st.tuples(st.integers(2, 6), st.integers(2, 6), st.integers(2, 6))
spacings = st.tuples(st.floats(0.3, 5), st.floats(0.3, 5), st.floats(0.3, 5))
angles = st.tuples(st.floats(-180, 180), st.floats(-85, 85), st.floats(-180, 180))


@st.composite
def geometries(draw: st.DrawFn) -> Geometry:
    matrix = Rotation.from_euler("xyz", draw(angles), degrees=True).as_matrix()
    if draw(st.booleans()):
        matrix[:, 2] *= -1  # left-handed grids exist: slices stored from head to feet
    return Geometry(draw(sizes), draw(spacings), draw(triples), tuple(matrix.ravel().tolist()))


@NO_DEADLINE
@given(geometries())
def test_a_grid_equals_itself(grid: Geometry) -> None:
    assert grid.difference(grid) == ""


@NO_DEADLINE
@given(geometries(), st.integers(0, 2), st.floats(2 * GRID_TOLERANCE_MM, 100))
def test_a_shift_of_the_origin_is_noticed(grid: Geometry, axis: int, shift_mm: float) -> None:
    origin = list(grid.origin_mm)
    origin[axis] += shift_mm
    moved = replace(grid, origin_mm=(origin[0], origin[1], origin[2]))
    assert "origin_mm" in grid.difference(moved)
    assert "origin_mm" in moved.difference(grid)


@NO_DEADLINE
@given(geometries(), st.integers(0, 2), st.floats(2 * GRID_TOLERANCE_MM, 5))
def test_another_spacing_is_noticed(grid: Geometry, axis: int, widening_mm: float) -> None:
    spacing = list(grid.spacing_mm)
    spacing[axis] += widening_mm
    wider = replace(grid, spacing_mm=(spacing[0], spacing[1], spacing[2]))
    assert "spacing_mm" in grid.difference(wider)


@NO_DEADLINE
@given(geometries(), st.integers(0, 2))
def test_a_mirrored_axis_is_noticed(grid: Geometry, axis: int) -> None:
    matrix = np.reshape(grid.direction, (3, 3)).copy()
    matrix[:, axis] *= -1
    assert "direction" in grid.difference(replace(grid, direction=tuple(matrix.ravel().tolist())))


@NO_DEADLINE
@given(geometries(), st.integers(0, 2))
def test_another_size_is_noticed(grid: Geometry, axis: int) -> None:
    size = list(grid.size)
    size[axis] += 1
    assert "size" in grid.difference(replace(grid, size=(size[0], size[1], size[2])))


@settings(max_examples=25, deadline=None)
@given(geometries(), st.sampled_from([".nii.gz", ".nrrd", ".mha"]), st.integers(1, 255))
def test_masks_come_back_on_their_grid(grid: Geometry, suffix: str, label: int) -> None:
    labels = np.zeros(grid.shape_zyx, np.uint8)
    labels[-1, 0, 1] = label
    image = sitk.GetImageFromArray(labels)
    image.SetSpacing(grid.spacing_mm)
    image.SetOrigin(grid.origin_mm)
    image.SetDirection(grid.direction)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"mask{suffix}"
        sitk.WriteImage(image, str(path))
        region = read_region(path, label, "tumour")
        assert grid.difference(read_geometry(path)) == ""
    assert np.argwhere(region.inside).tolist() == [[grid.size[2] - 1, 0, 1]]
