"""Co-occurrences and runs: the examples of the papers that introduced them, and PyRadiomics."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from radiomics import cMatrices
from texture_reference import region

from pipeline.domain.errors import CaseError
from pipeline.features.fast import cooccurrence_runs
from pipeline.features.fast.angle_matrices import AngleMatrices
from pipeline.features.fast.cooccurrence_runs import count_cooccurrences_and_runs
from pipeline.features.fast.discretisation import discretise
from pipeline.features.fast.grey_levels import GreyLevels
from pipeline.features.fast.texture_settings import TextureSettings

WHOLE = TextureSettings(bin_width=1)
PLANE = TextureSettings(bin_width=1, force_2d=True)
# Order of the angles in a plane: 135 degrees (down right), 90, 45, 0.
HARALICK = [[0, 0, 1, 1], [0, 0, 1, 1], [0, 2, 2, 2], [2, 2, 3, 3]]
GALLOWAY = [[0, 1, 2, 3], [0, 2, 3, 3], [2, 1, 1, 1], [3, 0, 3, 0]]


def test_cooccurrences_of_haralick_1973_figure_3() -> None:
    pairs = count_cooccurrences_and_runs(_levels([HARALICK]), PLANE, True, False).cooccurrences

    assert _dense(pairs).tolist() == [
        [[2, 1, 3, 0], [1, 2, 1, 0], [3, 1, 0, 2], [0, 0, 2, 0]],
        [[6, 0, 2, 0], [0, 4, 2, 0], [2, 2, 2, 2], [0, 0, 2, 0]],
        [[4, 1, 0, 0], [1, 2, 2, 0], [0, 2, 4, 1], [0, 0, 1, 0]],
        [[4, 2, 1, 0], [2, 4, 0, 0], [1, 0, 6, 1], [0, 0, 1, 2]],
    ]


def test_runs_of_galloway_1975_figure_1() -> None:
    runs = count_cooccurrences_and_runs(_levels([GALLOWAY]), PLANE, False, True).runs

    dense = _dense(runs)
    assert dense[3].tolist() == [[4, 0, 0, 0], [1, 0, 1, 0], [3, 0, 0, 0], [3, 1, 0, 0]]
    assert dense[2].tolist() == [[4, 0, 0, 0], [4, 0, 0, 0], [0, 0, 1, 0], [3, 1, 0, 0]]


@pytest.mark.parametrize("bins", [3, 40, 300])
@pytest.mark.parametrize("filled", [0.15, 0.8, 1.0])
def test_counts_in_a_volume_are_pyradiomics(bins: int, filled: float) -> None:
    generator = np.random.default_rng(bins)
    values = generator.integers(0, bins, (9, 11, 30), dtype=np.int16)
    values[:, :, 20:] = 1  # long runs
    levels = discretise(region(values, generator.random(values.shape) < filled), WHOLE)

    asymmetric = TextureSettings(bin_width=1, symmetrical_glcm=False)
    counted = count_cooccurrences_and_runs(levels, asymmetric, True, True)

    shown = levels.present - 1
    arguments = (levels.levels.astype(int), levels.levels > 0)
    glcm, _ = cMatrices.calculate_glcm(*arguments, np.array([1]), levels.highest, False, 0)
    np.testing.assert_array_equal(
        np.moveaxis(_dense(counted.cooccurrences), 0, -1), glcm[0][np.ix_(shown, shown)]
    )
    glrlm, _ = cMatrices.calculate_glrlm(*arguments, levels.highest, 30, False, 0)
    np.testing.assert_array_equal(np.moveaxis(_dense(counted.runs), 0, -1), glrlm[0][shown])


@pytest.mark.parametrize("distances", [(2,), (1, 3)])
def test_pairs_at_any_distance_are_pyradiomics(distances: tuple[int, ...]) -> None:
    values = np.random.default_rng(0).integers(0, 5, (4, 5, 6), dtype=np.int16)
    levels = discretise(region(values), WHOLE)

    settings = TextureSettings(distances=distances, symmetrical_glcm=False)
    counted = count_cooccurrences_and_runs(levels, settings, True, True).cooccurrences

    glcm, _ = cMatrices.calculate_glcm(
        levels.levels.astype(int), levels.levels > 0, np.array(distances), 5, False, 0
    )
    np.testing.assert_array_equal(np.moveaxis(_dense(counted), 0, -1), glcm[0])


def test_classes_counted_alone_equal_those_counted_together() -> None:
    values = np.random.default_rng(1).integers(0, 5, (4, 5, 6), dtype=np.int16)
    levels = discretise(region(values), WHOLE)

    both = count_cooccurrences_and_runs(levels, WHOLE, True, True)
    pairs = count_cooccurrences_and_runs(levels, WHOLE, True, False)
    runs = count_cooccurrences_and_runs(levels, WHOLE, False, True)

    assert pairs.runs is None
    assert runs.cooccurrences is None
    np.testing.assert_array_equal(_dense(both.cooccurrences), _dense(pairs.cooccurrences))
    np.testing.assert_array_equal(_dense(both.runs), _dense(runs.runs))


def test_angles_without_two_voxels_on_a_line_have_no_runs() -> None:
    inside = np.zeros((1, 1, 3), np.bool_)
    inside[0, 0, ::2] = True
    gap = count_cooccurrences_and_runs(_levels(np.ones((1, 1, 3)), inside), WHOLE, True, True)
    diagonal = np.eye(3, dtype=np.bool_)[np.newaxis]
    line = count_cooccurrences_and_runs(_levels(np.ones((1, 3, 3)), diagonal), WHOLE, True, True)

    # Two runs on one line, though apart; no pair of neighbours.
    assert _dense(gap.runs).tolist() == [[[2, 0, 0]]]
    assert _dense(gap.cooccurrences).size == 0
    # One run of three along the diagonal; the other three angles meet one voxel at a time.
    assert _dense(line.runs).tolist() == [[[0, 0, 1]]]
    assert line.runs is not None
    assert (line.runs.angles, line.runs.directions) == (1, 4)


def test_weights_are_exp_of_the_squared_length_and_the_length() -> None:
    settings = TextureSettings(bin_width=1, weighting_norm="euclidean")
    levels = discretise(region([[[0.0, 1.0]]], spacing_mm=(1.5, 1.0, 1.0)), settings)

    counted = count_cooccurrences_and_runs(levels, settings, True, True)

    weight = np.exp(-(1.5**2))
    np.testing.assert_allclose(_dense(counted.cooccurrences), [[[0, weight], [weight, 0]]])
    np.testing.assert_allclose(_dense(counted.runs), [[[1.5, 0], [1.5, 0]]])


def test_too_many_grey_levels_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cooccurrence_runs, "MOST_LEVELS_GLCM", 3)
    levels = _levels([HARALICK])

    with pytest.raises(CaseError, match="has 4 grey levels up to 4, too many"):
        count_cooccurrences_and_runs(levels, WHOLE, True, True)
    assert count_cooccurrences_and_runs(levels, WHOLE, False, True).runs is not None


def _levels(values: Any, inside: npt.NDArray[np.bool_] | None = None) -> GreyLevels:
    return discretise(region(np.array(values, np.int16), inside), WHOLE)


def _dense(matrices: AngleMatrices | None) -> npt.NDArray[np.float64]:
    """Return an array of shape (angles, rows, columns)."""
    assert matrices is not None
    dense = np.zeros((matrices.angles, *matrices.shape))
    dense[matrices.angle, matrices.row, matrices.column] = matrices.count
    return dense
