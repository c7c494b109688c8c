"""Habitats are found where they are known, and mean the same in a new tumour."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.config.train import HabitatSettings
from pipeline.domain.errors import CaseError
from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.imaging.habitat_voxels import stack_phases
from pipeline.imaging.habitats import HabitatModel, find_habitats, fit_habitats
from pipeline.imaging.intensity import IntensityReference

SETTINGS = HabitatSettings(clusters=3, voxels_a_tumour=2000, seed=7)
PHASES = ("native", "arterial", "portal")
CENTRES = np.array([[0.0, -2.0, -1.0], [0.0, 1.0, 3.0], [0.0, 6.0, 2.0]])
MODEL = HabitatModel(PHASES, tuple(tuple(row) for row in CENTRES.tolist()))
GRID = Geometry((4, 3, 1), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))


def _tumour(seed: int, counts: tuple[int, int, int]) -> npt.NDArray[np.float64]:
    noise = np.random.default_rng(seed)
    values = np.repeat(CENTRES, counts, axis=0) + noise.normal(0, 0.1, (sum(counts), 3))
    return np.asarray(noise.permutation(values))


def test_known_clusters_are_found_in_order_of_enhancement() -> None:
    tumours = [_tumour(1, (300, 50, 20)), _tumour(2, (10, 200, 90)), _tumour(3, (0, 0, 80))]
    model = fit_habitats(tumours, PHASES, SETTINGS)
    assert model.phases == PHASES
    assert np.allclose(model.centres, CENTRES, atol=0.05)
    assert fit_habitats(tumours, PHASES, SETTINGS) == model


def test_a_large_tumour_does_not_outvote_the_others() -> None:
    """300 voxels of small tumours keep their habitat beside 200 000 of a large one."""
    large = np.random.default_rng(0).normal(CENTRES[0], 0.5, (200_000, 3))
    model = fit_habitats([large, _tumour(1, (0, 150, 150))], PHASES, SETTINGS)
    assert np.allclose(model.centres, CENTRES, atol=0.1)


def test_a_tumour_counted_by_hand() -> None:
    values = CENTRES[[0, 0, 1, 2, 2, 0]] + [0.3, 0.0, 0.0]
    found = find_habitats(MODEL, values)
    assert found.fractions == pytest.approx((1 / 2, 1 / 6, 1 / 3))
    assert found.dispersion == pytest.approx(0.3)


def test_a_habitat_that_a_tumour_lacks_has_no_share() -> None:
    assert find_habitats(MODEL, CENTRES[[2]]).fractions == (0, 0, 1)


def test_values_are_in_deviations_of_the_liver() -> None:
    voxels = np.arange(12.0).reshape(GRID.shape_zyx)
    native = Scan(voxels, GRID, Modality.CT)
    scans = {"native": native, "arterial": replace(native, voxels=-voxels)}
    livers = {"native": IntensityReference(2.0, 4.0), "arterial": IntensityReference(0.0, 1.0)}
    tumour = Region(voxels > 9, GRID, "tumour")
    assert stack_phases(scans, livers, tumour).tolist() == [[2.0, -10.0], [2.25, -11.0]]
    with pytest.raises(CaseError, match="the tumour has no voxel"):
        stack_phases(scans, livers, Region(voxels > 99, GRID, "tumour"))
    with pytest.raises(CaseError, match="the liver has no spread in the native phase"):
        stack_phases(scans, {**livers, "native": IntensityReference(2.0, 0.0)}, tumour)


def test_too_little_to_divide_is_refused() -> None:
    with pytest.raises(CaseError, match="at least 3 different voxels, got 1"):
        fit_habitats([np.ones((50, 3))], PHASES, SETTINGS)
    with pytest.raises(CaseError, match="at least 3 different voxels, got 0"):
        fit_habitats([], PHASES, SETTINGS)
