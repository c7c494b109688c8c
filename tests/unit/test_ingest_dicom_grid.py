"""When slices form a grid: what is rounding, what is jitter, and what is an error."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from dicom_series import make_phase, write_slices
from pydicom.dataset import Dataset

from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality
from pipeline.ingest.codes import Code
from pipeline.ingest.dicom.series import read_series, read_series_geometry, stack_problem
from pipeline.ingest.dicom.stacks import survey
from pipeline.ingest.nifti_writer import write_nifti
from pipeline.ingest.read_error import ReadError


def problem(folder: Path, slices: list[Dataset]) -> ReadError | None:
    (stack,) = survey(write_slices(folder, slices)).stacks
    return stack_problem(stack)


def geometry(folder: Path, slices: list[Dataset]) -> Geometry:
    write_slices(folder, slices)
    return read_series(folder, Modality.CT).geometry


@pytest.mark.parametrize("gap_mm", [0.4, 0.625, 1.25, 3.27, 5])
@pytest.mark.parametrize("start_mm", [0, 0.004, -803.337])
def test_positions_rounded_to_two_decimals_pass(
    tmp_path: Path, gap_mm: float, start_mm: float
) -> None:
    heights = [round(start_mm + gap_mm * index, 2) for index in range(60)]
    assert geometry(tmp_path, make_phase(1, heights)).spacing_mm[2] == pytest.approx(
        gap_mm, abs=1e-3
    )


def test_a_hundredth_of_the_gap_is_jitter(tmp_path: Path) -> None:
    jitter = np.random.default_rng(0).uniform(-0.005, 0.005, 60)
    heights = [5 * (index + shift) for index, shift in enumerate(jitter)]
    assert problem(tmp_path, make_phase(1, heights)) is None


def test_small_deviations_that_add_up_are_an_error(tmp_path: Path) -> None:
    heights = np.cumsum([5.0] * 20 + [5.09] * 20)
    found = problem(tmp_path, make_phase(1, heights.tolist()))
    assert found is not None
    assert (found.code, found.got) == (Code.SLICES_UNEVEN, "s881.dcm 0.877 mm off")


def test_uneven_gaps_are_measured(tmp_path: Path) -> None:
    found = problem(tmp_path, make_phase(1, [0, 5, 10, 15.5, 20, 25]))
    assert found is not None
    assert found.code == Code.SLICES_UNEVEN
    assert found.got == "5.5 mm between s898.dcm and s897.dcm; gaps from 4.5 to 5.5 mm"


def test_several_missing_slices_are_counted(tmp_path: Path) -> None:
    found = problem(tmp_path, make_phase(1, [0, 5, 10, 20, 25, 40, 45, 50]))
    assert found is not None
    assert found.code == Code.SLICE_MISSING
    assert found.got == (
        "10 mm between s898.dcm and s897.dcm and at 1 other place: 3 slices missing"
    )


def _shift(axis: int, millimetres: Callable[[int], float]) -> list[Dataset]:
    slices = make_phase(1, [2.5 * index for index in range(40)])
    for index, item in enumerate(slices):
        position = list(map(float, item.ImagePositionPatient))
        position[axis] += millimetres(index)
        item.ImagePositionPatient = [f"{value:.6g}" for value in position]
    return slices


def test_a_tilted_gantry_is_measured_in_degrees(tmp_path: Path) -> None:
    slices = _shift(1, lambda index: 2.5 * index * float(np.tan(np.radians(12))))
    found = problem(tmp_path, slices)
    assert found is not None
    assert found.code == Code.GANTRY_TILT
    assert found.got.endswith(": 12 degrees")
    assert "dcm2niix" in found.next_step


def test_rounding_of_positions_is_no_tilt(tmp_path: Path) -> None:
    assert problem(tmp_path, _shift(0, lambda index: 0.002 * index)) is None


def test_a_slice_beside_the_others_is_named(tmp_path: Path) -> None:
    found = problem(tmp_path, _shift(0, lambda index: 3.0 * (index == 7)))
    assert found is not None
    assert (found.code, found.got) == (Code.DICOM_IRREGULAR, "s893.dcm 3 mm beside it")


@pytest.mark.parametrize("sign", [1, -1])
def test_oblique_slices_either_way_along_their_normal(tmp_path: Path, sign: int) -> None:
    """A plane turned about two axes; the expected grid is computed from the rotation alone."""
    a, b = np.radians([25, -40])
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_z = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    turn = about_z @ about_x
    slices = make_phase(1, [0] * 6)
    for index, item in enumerate(slices):
        position = np.array([10, -20, 30]) + sign * 1.5 * index * turn[:, 2]
        item.ImagePositionPatient = [f"{value:.8f}" for value in position]
        item.ImageOrientationPatient = [f"{value:.10f}" for value in turn[:, :2].T.ravel()]
        item.SOPInstanceUID = f"1.2.{index + 1}"
    write_slices(tmp_path, slices)
    scan = read_series(tmp_path, Modality.CT)
    assert scan.geometry.direction == pytest.approx(turn.ravel().tolist(), abs=1e-9)
    assert scan.geometry.spacing_mm == pytest.approx((0.6, 0.8, 1.5), abs=1e-6)
    order = [1, 2, 3, 4, 5, 6][::sign]
    assert scan.voxels[:, 0, 0].tolist() == order
    first = np.array([10, -20, 30]) + sign * 1.5 * (order[0] - 1) * turn[:, 2]
    assert scan.geometry.origin_mm == pytest.approx(first.tolist(), abs=1e-6)


def _turned(degrees: float) -> list[str]:
    """Return cosines of an axial plane turned about z."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return [f"{value:.10f}" for value in (c, s, 0, -s, c, 0)]


def test_rounded_cosines_give_a_rotation_that_fits_into_nifti(tmp_path: Path) -> None:
    """Four decimals: each corner stays within 0.03 mm of where the cosines put it."""
    a, b = np.radians([17.3, 9.7])
    about_z = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    cosines = (about_z @ about_x)[:, :2].round(4)
    normal = np.cross(*cosines.T)
    slices = make_phase(1, [0] * 40, Rows=256, Columns=256, PixelSpacing=["0.8", "0.8"])
    for index, item in enumerate(slices):
        item.ImagePositionPatient = [f"{value:.6f}" for value in 3 * index * normal]
        item.ImageOrientationPatient = [f"{value:.4f}" for value in cosines.T.ravel()]
        item.SOPInstanceUID = f"1.2.{index + 1}"
    write_slices(tmp_path, slices)
    grid = read_series_geometry(tmp_path)
    write_nifti(np.zeros(grid.shape_zyx, np.int16), grid, tmp_path / "image.nii.gz")
    right, down, up = 255 * 0.8 * cosines[:, 0], 255 * 0.8 * cosines[:, 1], 39 * 3 * normal
    expected = [i * right + j * down + k * up for i in (0, 1) for j in (0, 1) for k in (0, 1)]
    off = np.linalg.norm(grid.corner_positions_mm() - expected, axis=1)
    assert 0 < off.max() < 0.03


def test_slices_turned_by_half_a_degree_are_one_irregular_stack(tmp_path: Path) -> None:
    """Turned by 0.5 degrees about a corner, the middle of 200 x 200 mm moves 1.23 mm."""
    slices = make_phase(1, [2.5 * index for index in range(8)])
    for index, item in enumerate(slices):
        item.Rows, item.Columns, item.PixelSpacing = 200, 200, ["1", "1"]
        item.ImageOrientationPatient = _turned(0.5 * (index % 2))
    found = problem(tmp_path, slices)
    assert found is not None
    assert (found.code, found.what) == (Code.DICOM_IRREGULAR, "slices differ in orientation")
    assert found.got.endswith(" in s899.dcm, 1.23 mm")
