"""The maximal correlation coefficient against the eigenvalues of PyRadiomics' matrix Q."""

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.features.fast.angle_matrices import AngleMatrices, take_entries
from pipeline.features.fast.maximal_correlation import maximal_correlation

EPSILON = np.spacing(1.0)


def _mcc(counts: npt.NDArray[np.float64]) -> float:
    matrices = AngleMatrices.join([take_entries(counts)], (len(counts), len(counts)))
    joint = counts / counts.sum()
    p = matrices.count / counts.sum()
    return float(maximal_correlation(matrices, p, joint.sum(1)[None], joint.sum(0)[None])[0])


def _from_q(counts: npt.NDArray[np.float64]) -> float:
    """Root of the second largest eigenvalue of Q, of which each element is summed up apart."""
    joint = counts / counts.sum()
    x, y = joint.sum(axis=1), joint.sum(axis=0)
    q = np.array(
        [
            [(a * b / (share * y + EPSILON)).sum() for b in joint]
            for a, share in zip(joint, x, strict=True)
        ]
    )
    return float(np.sqrt(np.sort(np.linalg.eigvals(q).real)[-2]))


def test_two_levels_have_a_closed_form() -> None:
    """For two levels the coefficient is phi, the correlation of the two indicators."""
    assert _mcc(np.array([[30.0, 10.0], [10.0, 50.0]])) == pytest.approx(
        (30 * 50 - 10 * 10) / (40 * 60), rel=1e-12
    )


@pytest.mark.parametrize("symmetric", [True, False])
def test_any_matrix_gives_the_eigenvalue_of_q(symmetric: bool) -> None:
    counts = np.random.default_rng(3).poisson(3, (30, 30)).astype(float)
    if symmetric:
        counts += counts.T

    assert _mcc(counts) == pytest.approx(_from_q(counts), rel=1e-10)


@pytest.mark.parametrize("common", [1e4, 3e5, 1e7])
def test_rare_levels_that_are_neighbours_give_the_eigenvalue_of_q(common: float) -> None:
    """A block of rare levels alone has the coefficient 1, less what the constant takes off."""
    counts = np.zeros((5, 5))
    counts[:2, :2] = [[common, common / 2], [common / 2, common]]
    counts[2:, 2:] = [[0, 1, 0], [1, 0, 2], [0, 2, 0]]

    assert _mcc(counts) == pytest.approx(_from_q(counts), rel=2e-7)
