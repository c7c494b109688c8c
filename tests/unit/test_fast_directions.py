"""Angles to neighbours and their lengths."""

import numpy as np
import pytest
from radiomics import cMatrices

from pipeline.domain.errors import CaseError
from pipeline.features.fast.directions import angle_lengths, list_angles
from pipeline.features.fast.texture_settings import TextureSettings


@pytest.mark.parametrize("shape", [(6, 7, 8), (2, 2, 8), (1, 5, 3), (4, 1, 1)])
@pytest.mark.parametrize("distances", [(1,), (2,), (2, 1), (1, 3), (1, 1)])
@pytest.mark.parametrize("force_2d", [False, True])
def test_angles_are_pyradiomics(
    shape: tuple[int, int, int], distances: tuple[int, ...], force_2d: bool
) -> None:
    settings = TextureSettings(force_2d=force_2d, force_2d_axis=1)
    try:
        expected = cMatrices.generate_angles(
            np.array(shape), np.array(distances), False, force_2d, settings.force_2d_axis
        )
    except RuntimeError:
        with pytest.raises(CaseError, match="no two voxels"):
            list_angles(shape, settings, distances)
        return

    assert list_angles(shape, settings, distances) == tuple(map(tuple, expected.tolist()))


def test_a_space_diagonal_is_measured_in_mm() -> None:
    lengths = [
        angle_lengths([(1, -1, 1), (0, 0, 1)], (3.0, 4.0, 12.0), norm).tolist()
        for norm in ("manhattan", "euclidean", "infinity")
    ]

    assert lengths == [[19.0, 3.0], [13.0, 3.0], [12.0, 3.0]]
