"""Matrices of counts, one for each angle, held by their non-zero entries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Self

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Entries = tuple[Integers, npt.NDArray[Any]]
"""Places in a flattened matrix, ascending, and the values there, not zero."""


def take_entries(matrix: npt.NDArray[Any]) -> Entries:
    """Take the entries of a matrix that are not zero."""
    flat = matrix.ravel()
    places = np.flatnonzero(flat)
    return places, flat[places]


@dataclass(frozen=True, slots=True)
class AngleMatrices:
    """The matrices of the angles along which something was found.

    Most entries are zero where there are many grey levels. All arrays have shape (entries,) and are
    in the order of angle, row, column.

    Parameters
    ----------
    angle : numpy.ndarray of int64
        Number of the matrix.
    row, column : numpy.ndarray of int64
        From 0.
    count : numpy.ndarray of float64
        Above 0; not whole numbers where angles were weighted.
    shape : (int, int)
        Of each matrix.
    angles : int
        Matrices that are not empty.
    directions : int
        Matrices, the empty ones included.
    """

    angle: Integers = field(repr=False)
    row: Integers = field(repr=False)
    column: Integers = field(repr=False)
    count: Floats = field(repr=False)
    shape: tuple[int, int]
    angles: int
    directions: int

    @classmethod
    def join(cls, matrices: Sequence[Entries], shape: tuple[int, int]) -> Self:
        """Join the entries of at least one matrix, all of one shape."""
        sizes = [len(places) for places, _ in matrices if len(places)]
        row, column = np.divmod(np.concatenate([places for places, _ in matrices]), shape[1])
        return cls(
            angle=np.repeat(np.arange(len(sizes)), sizes),
            row=row,
            column=column,
            count=np.concatenate([values for _, values in matrices]).astype(np.float64),
            shape=shape,
            angles=len(sizes),
            directions=len(matrices),
        )

    @classmethod
    def weigh(cls, matrices: Sequence[Entries], weights: Floats, shape: tuple[int, int]) -> Self:
        """Sum up matrices with weights; gives one matrix."""
        total = np.zeros(shape)
        for (places, values), weight in zip(matrices, weights, strict=True):
            total.ravel()[places] += values * weight
        return cls.join([take_entries(total)], shape)

    def sum(self, values: Floats) -> Floats:
        """Sum up values of the entries, shape (entries,); returns shape (angles,).

        One after the other, as PyRadiomics does: where a feature is what remains of two equal sums,
        rounding decides it.
        """
        # NumPy counts in whole numbers where there is no entry at all.
        return np.bincount(self.angle, values, self.angles).astype(np.float64, copy=False)

    def sum_by(self, group: Integers, groups: int, values: Floats) -> Floats:
        """Sum up values of the entries by a group from 0; returns shape (angles, groups)."""
        sums = np.bincount(self.angle * groups + group, values, self.angles * groups)
        return sums.astype(np.float64, copy=False).reshape(self.angles, groups)

    def slices(self) -> list[slice]:
        """Return the entries of each angle."""
        bounds = np.searchsorted(self.angle, np.arange(self.angles + 1)).tolist()
        return [slice(start, stop) for start, stop in pairwise(bounds)]


def mean_over_angles(values: Mapping[str, Floats]) -> dict[str, float]:
    """Average each feature over the angles, shape (angles,), that have a value.

    NaN where none has.
    """
    table = np.array(list(values.values()))
    valid = ~np.isnan(table)
    with np.errstate(invalid="ignore"):
        means = np.where(valid, table, 0.0).sum(axis=1) / valid.sum(axis=1)
    return dict(zip(values, means.tolist(), strict=True))
