"""Contours of an RTSTRUCT are filled on the slices where they lie, or refused."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pytest
from mask_files import (
    FRAME,
    axial_grid,
    contour,
    rectangle,
    scan_on,
    structure_set,
    write_structure_set,
)
from pydicom.dataset import Dataset
from pydicom.uid import ImplicitVRLittleEndian
from scipy.spatial.transform import Rotation

from pipeline.domain.geometry import Geometry
from pipeline.domain.reading import DEFAULT_READING, Reading
from pipeline.domain.scan import Region
from pipeline.ingest.dicom.mask_facts import read_mask_facts
from pipeline.ingest.dicom.mask_labels import Labelled
from pipeline.ingest.mask import read_region
from pipeline.ingest.read_error import ReadError

GRID = axial_grid(size=(20, 16, 8), spacing_mm=(1.0, 1.0, 2.0), origin_mm=(-50.0, 10.0, 100.0))
RESAMPLE = Reading(resample_masks=True)


def slice_mm(number: float) -> float:
    return 100.0 + 2.0 * number


def square(number: float, low: float = 2.5, high: float = 6.5) -> Dataset:
    """Return a contour around the voxels 3 to 6 along x and y, unless told otherwise."""
    return rectangle((low - 50, low + 10), (high - 50, high + 10), slice_mm(number))


def read(folder: Path, contours: Sequence[Dataset], reading: Reading = DEFAULT_READING) -> Region:
    path = write_structure_set(folder / "rs.dcm", [(1, "GTV", contours)])
    return read_region(path, "GTV", "tumour", scan_on(GRID), reading)


def voxels_of_slices(region: Region) -> list[int]:
    return [int(count) for count in region.inside.sum(axis=(1, 2))]


def test_a_square_on_two_slices(tmp_path: Path) -> None:
    region = read(tmp_path, [square(3), square(2)])
    expected = np.zeros(GRID.shape_zyx, dtype=bool)
    expected[2:4, 3:7, 3:7] = True
    np.testing.assert_array_equal(region.inside, expected)
    assert region.geometry == GRID


@pytest.mark.parametrize("kind", ["CLOSED_PLANAR", "CLOSEDPLANAR_XOR"])
def test_hole_and_island_in_any_order(tmp_path: Path, kind: str) -> None:
    rings = [square(4, 4.5, 8.5), square(4, 0.5, 14.5), square(4, 5.5, 7.5)]
    for ring in rings:
        ring.ContourGeometricType = kind
    region = read(tmp_path, rings)
    expected = np.zeros((16, 20), dtype=bool)
    expected[1:15, 1:15] = True
    expected[5:9, 5:9] = False
    expected[6:8, 6:8] = True
    np.testing.assert_array_equal(region.inside[4], expected)


@pytest.mark.parametrize("offset", [-0.5, -0.4, 0.0, 0.4, 0.49])
def test_contours_beside_the_slices_go_to_the_nearest(tmp_path: Path, offset: float) -> None:
    region = read(tmp_path, [square(number + offset) for number in (3, 4, 5)])
    assert voxels_of_slices(region) == [0, 0, 0, 16, 16, 16, 0, 0]


def test_slices_between_two_lesions_stay_empty(tmp_path: Path) -> None:
    region = read(tmp_path, [square(number) for number in (0, 1, 5, 6)])
    assert voxels_of_slices(region) == [16, 16, 0, 0, 0, 16, 16, 0]


def test_planes_twice_as_far_apart_as_slices(tmp_path: Path) -> None:
    contours = [square(number) for number in (1, 3, 5)]
    with pytest.raises(
        ReadError, match=r"one plane a slice, 2 mm apart, got planes 4 mm"
    ) as caught:
        read(tmp_path, contours)
    assert caught.value.code == "mask-off-grid"
    # Each plane stands for two slices; centres on the outer border count on the low side only.
    assert voxels_of_slices(read(tmp_path, contours, RESAMPLE)) == [16, 16, 16, 16, 16, 16, 0, 0]


def test_planes_closer_than_slices(tmp_path: Path) -> None:
    contours = [square(number / 2) for number in range(4, 9)]
    with pytest.raises(ReadError, match=r"2 mm apart, got planes 1 mm apart"):
        read(tmp_path, contours)
    assert voxels_of_slices(read(tmp_path, contours, RESAMPLE)) == [0, 0, 16, 16, 16, 0, 0, 0]


def test_planes_at_unequal_distances_are_not_resampled(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="other planes than the slices"):
        read(tmp_path, [square(number) for number in (2, 2.3, 4, 4.9)], RESAMPLE)


def test_an_oblique_scan(tmp_path: Path) -> None:
    matrix = Rotation.from_euler("xyz", (20, 15, -40), degrees=True).as_matrix()
    grid = replace(GRID, direction=tuple(matrix.ravel().tolist()))
    corners = np.array([(2.5, 4.5, 3), (9.5, 4.5, 3), (9.5, 7.5, 3), (2.5, 7.5, 3)])
    points = (corners * GRID.spacing_mm) @ matrix.T + GRID.origin_mm
    path = write_structure_set(tmp_path / "rs.dcm", [(1, "GTV", [contour(points.tolist())])])
    region = read_region(path, None, "tumour", scan_on(grid))
    expected = np.zeros(grid.shape_zyx, dtype=bool)
    expected[3, 5:8, 3:10] = True
    np.testing.assert_array_equal(region.inside, expected)
    with pytest.raises(ReadError, match=r"not parallel to the slices.*extends 2\.\d+ mm"):
        read_region(path, None, "tumour", scan_on(GRID))


def test_a_scan_stored_from_head_to_feet(tmp_path: Path) -> None:
    grid = Geometry(GRID.size, GRID.spacing_mm, (-50, 10, 114), (1, 0, 0, 0, 1, 0, 0, 0, -1))
    path = write_structure_set(tmp_path / "rs.dcm", [(1, "GTV", [square(2), square(3)])])
    region = read_region(path, None, "tumour", scan_on(grid))
    assert voxels_of_slices(region) == [0, 0, 0, 0, 16, 16, 0, 0]


def test_labels(tmp_path: Path) -> None:
    regions = [(4, "GTV", [square(1)]), (7, "Liver ", [square(1), square(2)]), (9, "Couch", [])]
    path = write_structure_set(tmp_path / "rs.dcm", regions)
    for label, count in (("GTV", 16), ("gtv", 16), ("liver", 32), (7, 32), ("4", 16)):
        assert read_region(path, label, "t", scan_on(GRID)).voxel_count == count
    with pytest.raises(ReadError, match=r"got 4 \(GTV\), 7 \(Liver\)\.") as caught:
        read_region(path, None, "t", scan_on(GRID))
    assert caught.value.code == "label-missing"
    with pytest.raises(ReadError, match="no segment or contour 'Couch'") as caught:
        read_region(path, "Couch", "t", scan_on(GRID))
    assert caught.value.code == "label-absent"


@pytest.mark.parametrize(
    ("points", "distance"),
    [((-3.5, 2.5), "3 mm"), ((2.5, 22.5), "7 mm"), ((2.5, 17.5), "2 mm")],
)
def test_contours_beside_the_image(
    tmp_path: Path, points: tuple[float, float], distance: str
) -> None:
    with pytest.raises(ReadError, match=f"partly outside.*up to {distance} beyond") as caught:
        read(tmp_path, [square(2, *points)])
    assert caught.value.code == "mask-off-grid"


@pytest.mark.parametrize(("number", "distance"), [(-1, "1 mm"), (9.5, "4 mm")])
def test_contours_above_and_below_the_image(tmp_path: Path, number: float, distance: str) -> None:
    with pytest.raises(ReadError, match=f"partly outside.*up to {distance} beyond"):
        read(tmp_path, [square(2), square(number)])


def test_points_and_lines_enclose_nothing(tmp_path: Path) -> None:
    point = contour([(-45, 15, slice_mm(2))], "POINT")
    line = contour([(-45, 15, slice_mm(2)), (-40, 15, slice_mm(2))], "OPEN_PLANAR")
    stray = contour([(-45, 15, slice_mm(2))])
    assert read(tmp_path, [point, line, stray, square(2)]).voxel_count == 16
    with pytest.raises(ReadError, match="only contours of type OPEN_PLANAR, POINT") as caught:
        read(tmp_path, [point, line])
    assert caught.value.code == "mask-empty"


def _turned(points: list[float], how: str) -> list[float]:
    rows = np.reshape(points, (-1, 3))
    changed: dict[str, Any] = {
        "equal": rows,
        "another first point": np.roll(rows, 1, axis=0),
        "the other way round": rows[::-1],
        "closed": np.vstack([rows, rows[:1]]),
        "rounded otherwise": rows + np.array([0.001, 0, 0]),
    }
    return [float(value) for value in changed[how].ravel()]


@pytest.mark.parametrize(
    "how", ["equal", "another first point", "the other way round", "closed", "rounded otherwise"]
)
def test_a_contour_stored_twice(tmp_path: Path, how: str) -> None:
    twin = square(2)
    twin.ContourData = _turned([float(value) for value in twin.ContourData], how)
    twin.NumberOfContourPoints = len(twin.ContourData) // 3
    with pytest.raises(ReadError, match="two equal contours"):
        read(tmp_path, [square(2), twin])


def test_two_planes_of_a_thicker_series(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"2 mm apart, got planes 4 mm apart"):
        read(tmp_path, [square(1), square(3)])
    beside = square(3, 8.5, 10.5)  # another lesion, two voxels wide
    assert voxels_of_slices(read(tmp_path, [square(1), beside])) == [0, 16, 0, 4, 0, 0, 0, 0]


def test_another_frame_of_reference(tmp_path: Path) -> None:
    path = write_structure_set(tmp_path / "rs.dcm", [(1, "GTV", [square(2)])])
    with pytest.raises(ReadError, match="another frame of reference") as caught:
        read_region(path, None, "t", scan_on(GRID, "1.2.3"), RESAMPLE)
    assert caught.value.code == "frame-differs"
    assert FRAME not in str(caught.value)


@pytest.mark.parametrize(
    ("numbers", "count", "message"),
    [
        (b"1\\2\\3\\4\\5\\6\\7\\8", 3, "three coordinates a contour point, got 8 numbers"),
        (b"1\\2\\3\\4\\5\\6\\7\\8\\9", 4, "the 4 contour points announced, got 3"),
        (b"1\\2\\nan\\4\\5\\6\\7\\8\\9", 3, "within 100000 mm, got others, or NaN"),
        (b"1\\2\\3\\4\\5\\6\\7\\8\\9e99", 3, "within 100000 mm"),
        (b"1\\2\\3\\4\\five\\6\\7\\8\\9", 3, "damaged or missing attributes"),
        (b"", 3, "the 3 contour points announced, got 0"),
    ],
)
def test_damaged_coordinates(tmp_path: Path, numbers: bytes, count: int, message: str) -> None:
    dataset = structure_set([(1, "GTV", [square(2)])])
    item = dataset.ROIContourSequence[0].ContourSequence[0]
    item.NumberOfContourPoints = count
    item["ContourData"].VR = "OB"
    item["ContourData"]._value = numbers + b" " * (len(numbers) % 2)
    dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    dataset.save_as(tmp_path / "rs.dcm", enforce_file_format=True)
    with pytest.raises(ReadError, match=message):
        read_region(tmp_path / "rs.dcm", None, "t", scan_on(GRID))


@pytest.mark.filterwarnings("ignore:The value for the data element")  # the writer's, over 64 kB
def test_a_contour_that_takes_for_ever(tmp_path: Path) -> None:
    y = np.tile([10.5, 24.5], 40_000)
    points = np.stack([np.full_like(y, -45.0), y, np.full_like(y, slice_mm(2))], axis=1)
    with pytest.raises(ReadError, match="cross pixel rows at most"):
        read(tmp_path, [contour(points.tolist())])


def test_no_contours_at_all(tmp_path: Path) -> None:
    path = write_structure_set(tmp_path / "rs.dcm", [])
    with pytest.raises(ReadError, match="holds no segment or contour") as caught:
        read_region(path, None, "t", scan_on(GRID))
    assert caught.value.code == "mask-empty"


def test_many_planes_at_unequal_distances_are_not_resampled(tmp_path: Path) -> None:
    heights = np.arange(0, 7, 0.25) + np.where(np.arange(28) % 7 == 3, 0.1, 0.0)
    with pytest.raises(ReadError, match="other planes than the slices"):
        read(tmp_path, [square(float(height)) for height in heights], RESAMPLE)


def test_closely_spaced_planes_are_resampled(tmp_path: Path) -> None:
    region = read(tmp_path, [square(float(height)) for height in np.arange(1, 6.1, 0.25)], RESAMPLE)
    # From 1/8 slice before slice 1 to 1/8 slice after slice 6.
    assert voxels_of_slices(region) == [0, 16, 16, 16, 16, 16, 16, 0]


def test_a_lesion_of_thicker_slices_among_lesions_of_one_slice(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"2 mm apart, got planes 4 mm apart"):
        read(tmp_path, [square(0), square(2), square(5, 9.5, 12.5), square(7, 9.5, 12.5)])
    # Far apart, in one place: only the first two are of one lesion.
    tall = replace(GRID, size=(20, 16, 40))
    contours = [square(number) for number in (1, 3, 12, 30)]
    path = write_structure_set(tmp_path / "rs.dcm", [(1, "GTV", contours)])
    with pytest.raises(ReadError, match=r"2 mm apart, got planes 4 mm apart"):
        read_region(path, "GTV", "t", scan_on(tall))


def test_lesions_beside_each_other_on_every_second_slice(tmp_path: Path) -> None:
    lesions = [square(1, 2.5, 4.5), square(3, 5.5, 7.5), square(5, 8.5, 10.5)]
    assert voxels_of_slices(read(tmp_path, lesions)) == [0, 4, 0, 4, 0, 4, 0, 0]


def test_lesions_further_apart_than_slices_can_be(tmp_path: Path) -> None:
    tall = replace(GRID, size=(20, 16, 20))
    contours = [square(number) for number in (2, 8, 14)]  # 12 mm
    path = write_structure_set(tmp_path / "rs.dcm", [(1, "GTV", contours)])
    for reading in (DEFAULT_READING, RESAMPLE):
        region = read_region(path, "GTV", "t", scan_on(tall), reading)
        assert np.flatnonzero(region.inside.any(axis=(1, 2))).tolist() == [2, 8, 14]


@pytest.mark.parametrize(("step", "message"), [(1.2, r"2\.4 mm"), (0.8, r"1\.6 mm")])
def test_planes_that_shift_against_the_slices(tmp_path: Path, step: float, message: str) -> None:
    """Three such planes still have a slice each, so the volume would be wrong by a fifth."""
    contours = [square(2 + step * number) for number in range(3)]
    with pytest.raises(ReadError, match=f"2 mm apart, got planes {message} apart"):
        read(tmp_path, contours)


def test_planes_as_uneven_as_slices_may_be(tmp_path: Path) -> None:
    """Pairs of neighbours 1.12 slices apart, as where positions are rounded to one decimal."""
    region = read(tmp_path, [square(number) for number in (0, 1.12, 5, 6.12)])
    assert voxels_of_slices(region) == [16, 16, 0, 0, 0, 16, 16, 0]


def polygon(*corners: tuple[float, float]) -> Dataset:
    return contour([(x - 50, y + 10, slice_mm(2)) for x, y in corners])


def test_a_contour_moved_by_a_fraction_of_a_voxel_is_the_same(tmp_path: Path) -> None:
    """By the even-odd rule the two would cancel and leave nothing."""
    with pytest.raises(ReadError, match="two equal contours"):
        read(tmp_path, [square(2, 2.3, 12.3), square(2, 2.6, 12.6)])


def test_the_halves_of_a_square_are_not_the_same(tmp_path: Path) -> None:
    """Two triangles of equal area and equal bounding boxes."""
    lower = polygon((2.5, 2.5), (8.5, 2.5), (2.5, 8.5))
    upper = polygon((8.5, 2.5), (8.5, 8.5), (2.5, 8.5))
    assert read(tmp_path, [lower, upper]).voxel_count == 36


def test_a_wall_of_one_voxel_is_no_twin(tmp_path: Path) -> None:
    assert read(tmp_path, [square(2, 2.5, 12.5), square(2, 3.5, 11.5)]).voxel_count == 100 - 64


def test_many_contours_on_a_slice_are_compared_quickly(tmp_path: Path) -> None:
    """Of 2000 contours in a row of 100 and 20 lines all pairs would take half a minute."""
    grid = replace(GRID, size=(300, 60, 3))
    squares = [
        rectangle((3 * i - 50.5, 3 * j + 9.5), (3 * i - 49.5, 3 * j + 10.5), slice_mm(1))
        for i in range(100)
        for j in range(20)
    ]
    path = write_structure_set(tmp_path / "rs.dcm", [(1, "Vessels", squares)])
    started = perf_counter()
    assert read_region(path, None, "t", scan_on(grid)).voxel_count == 2000
    assert perf_counter() - started < 10


def test_a_marker_is_no_region_to_choose_from(tmp_path: Path) -> None:
    marker = contour([(-45, 15, slice_mm(2))], "POINT")
    path = write_structure_set(
        tmp_path / "rs.dcm", [(1, "GTV", [square(2)]), (2, "Marker", [marker])]
    )
    assert read_region(path, None, "tumour", scan_on(GRID)).voxel_count == 16
    assert read_mask_facts(path).regions == (Labelled(1, "GTV"),)
