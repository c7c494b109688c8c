"""N4 takes out a known field; what it cannot work on is refused."""

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK as sitk

from pipeline.domain.errors import CaseError
from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.imaging.bias_field import correct, estimate_bias_field

GRID = Geometry((72, 64, 32), (3.0, 3.0, 5.0), (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))


def _body() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Return a body of two tissues with noise, and where it is; air around it."""
    z, y, x = np.indices(GRID.shape_zyx)
    u, v, w = (x - 35.5) / 36, (y - 31.5) / 32, (z - 15.5) / 16
    body = u**2 + v**2 < 0.8
    tissue = np.where((u + 0.2) ** 2 + v**2 + 0.3 * w**2 < 0.2, 300.0, 200.0)
    noise = np.random.default_rng(0).normal(0, 5, GRID.shape_zyx)
    return np.where(body, tissue, 10.0) + np.abs(noise), body


def _field() -> npt.NDArray[np.float64]:
    """Return a coil's brightness: 0.6 to 1.6, smooth."""
    z, y, x = np.indices(GRID.shape_zyx)
    return np.asarray(np.exp(0.4 * np.sin(x / 25) + 0.3 * (y / 64 - 0.5) - 0.2 * (z / 32 - 0.5)))


def _variation(values: npt.NDArray[np.float64]) -> float:
    return float(values.std() / values.mean())


def test_a_known_field_is_taken_out() -> None:
    """What is left of the field is the ratio of the result to the image without one."""
    true, body = _body()
    field = _field()
    scan = Scan((true * field).astype(np.float32), GRID, Modality.MR)
    estimated = estimate_bias_field(scan)
    corrected = correct(scan, estimated.factors)
    left = corrected.voxels[body] / true[body]
    assert _variation(left) < 0.25 * _variation(field[body])
    assert corrected.voxels.dtype == np.float32
    assert 0.4 < estimated.smallest < 0.85 < 1.15 < estimated.largest < 2.0
    assert estimated.factors[body].mean() == pytest.approx(1, abs=0.01)


def test_a_lesion_that_enhances_is_not_taken_for_the_coil() -> None:
    """A hump as smooth as a coil's field keeps its height only where it is known to be a lesion."""
    z, y, x = np.indices(GRID.shape_zyx)
    distance_mm = np.sqrt(((x - 26) * 3.0) ** 2 + ((y - 32) * 3.0) ** 2 + ((z - 16) * 5.0) ** 2)
    tissue, inside = _body()
    true = np.where(inside, tissue * (1 + np.exp(-(distance_mm**2) / (2 * 35**2))), tissue)
    scan = Scan(true.astype(np.float32), GRID, Modality.MR)
    lesion = (distance_mm < 70) & inside
    core, around = distance_mm < 35, inside & ~lesion

    def contrast(lesions: list[Region]) -> float:
        values = correct(scan, estimate_bias_field(scan, lesions).factors).voxels
        return float(values[core].mean() / values[around].mean())

    planted = float(true[core].mean() / true[around].mean())
    assert contrast([Region(lesion, GRID, "tumour")]) == pytest.approx(planted, rel=0.05)
    assert contrast([]) < 0.9 * planted


def test_the_bits_do_not_depend_on_the_number_of_threads() -> None:
    true, _ = _body()
    scan = Scan((true * _field()).astype(np.float32), GRID, Modality.MR)
    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    results = []
    try:
        for threads in (1, 2):
            sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
            results.append(estimate_bias_field(scan).factors.tobytes())
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)
    assert results[0] == results[1]


def test_only_mr_with_a_foreground_is_corrected() -> None:
    true, _ = _body()
    with pytest.raises(CaseError, match="on MR only, got CT"):
        estimate_bias_field(Scan(true, GRID, Modality.CT))
    with pytest.raises(CaseError, match=r"no foreground .* got 7 to 7"):
        estimate_bias_field(Scan(np.full(GRID.shape_zyx, 7.0), GRID, Modality.MR))
    with pytest.raises(CaseError, match=r"no foreground .* positive values"):
        estimate_bias_field(Scan(-true, GRID, Modality.MR))
