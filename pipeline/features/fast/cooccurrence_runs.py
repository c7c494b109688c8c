"""The matrices of GLCM and GLRLM of one discretised image, counted together."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.domain.errors import CaseError
from pipeline.features.fast.angle_matrices import AngleMatrices, Entries, take_entries
from pipeline.features.fast.directions import angle_lengths, list_angles
from pipeline.features.fast.grey_levels import GreyLevels
from pipeline.features.fast.kernels.cooccurrence_runs import (
    count_pairs,
    count_pairs_and_runs,
    rank_levels,
)
from pipeline.features.fast.neighbours import Step
from pipeline.features.fast.texture_settings import TextureSettings

MOST_LEVELS_GLCM = 4096
"""Most grey levels of a GLCM: PyRadiomics would need more than 1.7 GB for its counts alone."""

MOST_LEVELS_GLRLM = 65536
"""Most grey levels where only runs are counted."""

_COUNTERS_16_BIT = 1 << 16


@dataclass(frozen=True, slots=True)
class TextureMatrices:
    """Matrices of one image; their levels are the grey levels that occur, ascending.

    Parameters
    ----------
    cooccurrences : AngleMatrices or None
        GLCM, level by level; made symmetrical, or weighted and summed up, as the settings say.
    runs : AngleMatrices or None
        GLRLM, level by run length - 1; weighted and summed up as the settings say.
    """

    cooccurrences: AngleMatrices | None
    runs: AngleMatrices | None


@dataclass(frozen=True, slots=True)
class _Ranks:
    """Grey levels numbered without gaps, as the kernel's ``rank_levels`` gives them.

    ``voxels`` of each level, shape (levels,).
    """

    ranks: npt.NDArray[Any]
    extents: npt.NDArray[np.int32]
    voxels: npt.NDArray[np.int64]

    @property
    def levels(self) -> int:
        return len(self.voxels)


def count_cooccurrences_and_runs(
    levels: GreyLevels, settings: TextureSettings, glcm: bool, glrlm: bool
) -> TextureMatrices:
    """Count the co-occurrences and the runs of grey levels along each angle.

    Parameters
    ----------
    levels : GreyLevels
    settings : TextureSettings
        ``distances`` and ``symmetrical_glcm`` for the GLCM; ``force_2d`` and ``weighting_norm`` for
        both.
    glcm, glrlm : bool
        What is wanted.

    Raises
    ------
    CaseError
        If there are too many grey levels, or no two voxels to compare.
    """
    _check_levels(levels, glcm)
    shape = levels.levels.shape
    glcm_angles = list_angles(shape, settings, settings.distances) if glcm else ()
    glrlm_angles = list_angles(shape, settings, (1,)) if glrlm else ()
    ranked = _rank(levels, glcm)
    pairs: dict[Step, Entries] = {}
    runs: dict[Step, Entries] = {}
    for angle in glrlm_angles:
        table, positions = count_pairs_and_runs(
            ranked.ranks, ranked.extents, angle, ranked.levels, angle in glcm_angles
        )
        runs[angle] = _runs(positions, angle, ranked)
        if table is not None:
            np.fill_diagonal(table, positions[1:].sum(axis=0))
            pairs[angle] = _cooccurrences(table, settings)
    for angle in glcm_angles:
        if angle not in pairs:
            table = count_pairs(ranked.ranks, ranked.extents, angle, ranked.levels)
            pairs[angle] = _cooccurrences(table, settings)
    return TextureMatrices(
        _combine_pairs([pairs[angle] for angle in glcm_angles], glcm_angles, levels, settings),
        _combine_runs([runs[angle] for angle in glrlm_angles], glrlm_angles, levels, settings),
    )


def _check_levels(levels: GreyLevels, glcm: bool) -> None:
    number = len(levels.present)
    too_many = number > (MOST_LEVELS_GLCM if glcm else MOST_LEVELS_GLRLM)
    if too_many or levels.highest > MOST_LEVELS_GLRLM:
        msg = (
            f"the region has {number} grey levels up to {levels.highest}, too many for texture"
            " matrices. Set a larger binWidth, or check the intensities of the scan."
        )
        raise CaseError(msg)


def _rank(levels: GreyLevels, glcm: bool) -> _Ranks:
    stride = len(levels.present) + 1
    counters = stride * ((stride if glcm else 1) + max(levels.levels.shape))
    dtype = np.uint16 if counters <= _COUNTERS_16_BIT else np.uint32
    rank_of_level = np.zeros(levels.highest + 1, dtype)
    rank_of_level[levels.present] = np.arange(1, stride)
    ranks = np.empty(levels.levels.shape, dtype)
    extents = np.empty((*levels.levels.shape[:2], 2), np.int32)
    rank_levels(levels.levels, rank_of_level, ranks, extents)
    return _Ranks(ranks, extents, levels.voxels[levels.present])


def _cooccurrences(table: npt.NDArray[np.uint32], settings: TextureSettings) -> Entries:
    return take_entries(table + table.T if settings.symmetrical_glcm else table)


def _runs(positions: npt.NDArray[np.uint32], angle: Step, ranked: _Ranks) -> Entries:
    """Take the runs from the voxels at each position of a run, shape (positions, levels)."""
    longest = max(ranked.ranks.shape)
    runs = np.zeros((ranked.levels, longest), np.int64)
    if not positions.any() and not _any_line_of_two(ranked.ranks, angle):
        return take_entries(runs)
    at_position = positions.astype(np.int64).T
    at_position[:, 0] = ranked.voxels - at_position[:, 1:].sum(axis=1)
    runs[:, : len(positions)] = at_position
    runs[:, : len(positions) - 1] -= at_position[:, 1:]
    return take_entries(runs)


def _any_line_of_two(ranks: npt.NDArray[Any], angle: Step) -> bool:
    """Tell whether any line along the angle meets two voxels of the region, in a row or not.

    PyRadiomics leaves out angles that do not.
    """
    voxels = np.argwhere(ranks)
    step = np.array(angle)
    axis = int(np.flatnonzero(step)[0])
    starts = voxels - voxels[:, axis : axis + 1] * step[axis] * step
    lines = starts @ np.array([1 << 40, 1 << 20, 1])
    return len(np.unique(lines)) < len(lines)


def _combine_pairs(
    pairs: list[Entries],
    angles: tuple[Step, ...],
    levels: GreyLevels,
    settings: TextureSettings,
) -> AngleMatrices | None:
    """Weigh each angle by exp(-length**2), if at all."""
    shape = (len(levels.present), len(levels.present))
    if not pairs:
        return None
    if settings.weighting_norm is None:
        return AngleMatrices.join(pairs, shape)
    weights = np.ones(len(angles))
    if settings.weighting_norm != "no_weighting":
        weights = np.exp(-(angle_lengths(angles, levels.spacing_mm, settings.weighting_norm) ** 2))
    return AngleMatrices.weigh(pairs, weights, shape)


def _combine_runs(
    runs: list[Entries],
    angles: tuple[Step, ...],
    levels: GreyLevels,
    settings: TextureSettings,
) -> AngleMatrices | None:
    """Weigh each angle by its length, if at all."""
    shape = (len(levels.present), max(levels.levels.shape))
    if not runs:
        return None
    if settings.weighting_norm is None:
        return AngleMatrices.join(runs, shape)
    weights = np.ones(len(angles))
    if settings.weighting_norm != "no_weighting":
        weights = angle_lengths(angles, levels.spacing_mm, settings.weighting_norm)
    return AngleMatrices.weigh(runs, weights, shape)
