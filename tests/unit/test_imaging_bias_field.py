"""N4 takes out a known field; what it cannot work on is refused."""


import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK as sitk

from pipeline.domain.errors import CaseError
from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality, Scan
from pipeline.imaging.bias_field import correct_bias_field

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
    corrected = correct_bias_field(scan)
    left = corrected.scan.voxels[body] / true[body]
    assert _variation(left) < 0.2 * _variation(field[body])
    assert corrected.scan.voxels.dtype == np.float32
    assert 0.4 < corrected.smallest < 0.85 < 1.15 < corrected.largest < 2.0
    foreground_mean = scan.voxels[body].mean()
    assert corrected.scan.voxels[body].mean() == pytest.approx(foreground_mean, rel=0.01)


def test_the_bits_do_not_depend_on_the_number_of_threads() -> None:
    true, _ = _body()
    scan = Scan((true * _field()).astype(np.float32), GRID, Modality.MR)
    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    results = []
    try:
        for threads in (1, 2):
            sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
            results.append(correct_bias_field(scan).scan.voxels.tobytes())
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)
    assert results[0] == results[1]


def test_only_mr_with_a_foreground_is_corrected() -> None:
    true, _ = _body()
    with pytest.raises(CaseError, match="on MR only, got CT"):
        correct_bias_field(Scan(true, GRID, Modality.CT))
    with pytest.raises(CaseError, match=r"no foreground .* got 7 to 7"):
        correct_bias_field(Scan(np.full(GRID.shape_zyx, 7.0), GRID, Modality.MR))
    with pytest.raises(CaseError, match=r"no foreground .* positive values"):
        correct_bias_field(Scan(-true, GRID, Modality.MR))
