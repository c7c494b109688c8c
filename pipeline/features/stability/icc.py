"""Intraclass correlation coefficients of many features at once, with their intervals.

Names and formulas as in Shrout PE, Fleiss JL. Intraclass correlations: uses in assessing rater
reliability. Psychol Bull 1979;86:420-428 (doi:10.1037/0033-2909.86.2.420); intervals also in McGraw
KO, Wong SP. Psychol Methods 1996;1:30-46 (doi:10.1037/1082-989X.1.1.30). Arrays have the shape
(cases, measurements, features). Coefficients may be negative: they are estimates.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.stats import f as f_distribution

CONFIDENCE = 0.95
"""Of the intervals, two-sided."""

CONSTANT_WITHIN = 1e-10
"""Values that differ by less than this share of their size count as equal: that is rounding."""

_UPPER = (1 + CONFIDENCE) / 2

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Agreement:
    """One coefficient of many features.

    Parameters
    ----------
    icc, low, high : numpy.ndarray, shape (features,)
        Estimate and interval; NaN where ``reason`` is not empty.
    cases : numpy.ndarray of int, shape (features,)
        Cases that were used.
    reason : tuple of str
        Why a feature has no coefficient.
    """

    icc: Floats = field(repr=False)
    low: Floats = field(repr=False)
    high: Floats = field(repr=False)
    cases: npt.NDArray[np.int64] = field(repr=False)
    reason: tuple[str, ...] = field(repr=False)


def icc_1_1(values: Floats) -> Agreement:
    """Compute ICC(1,1): measurements that are exchangeable, such as random perturbations.

    What is missing or not finite is left out. Where cases have unequal numbers of measurements,
    ``k0 = (N - sum k_i^2 / N) / (n - 1)`` stands for their number (Donner A. Int Stat Rev
    1986;54:67-82, doi:10.2307/1403259); the interval is then approximate.
    """
    known = np.isfinite(values)
    counts = known.sum(axis=1)
    cases = (counts > 0).sum(axis=0)
    total = counts.sum(axis=0)
    centred, constant = _centred(values, known)
    with np.errstate(divide="ignore", invalid="ignore"):
        means = centred.sum(axis=1) / counts
        means_or_zero = np.where(counts > 0, means, 0.0)
        within = np.where(known, (centred - means_or_zero[:, None, :]) ** 2, 0.0).sum(axis=(0, 1))
        between = (counts * means_or_zero**2).sum(axis=0)  # about the grand mean, which is zero
        size = (total - (counts**2).sum(axis=0) / total) / (cases - 1)
        freedom = (cases - 1, total - cases)
        ms_between, ms_within = between / freedom[0], within / freedom[1]
        icc = (ms_between - ms_within) / (ms_between + (size - 1) * ms_within)
        low, high = _one_ratio_interval(ms_between / ms_within, size, *freedom)
    reason = _reasons(cases, total > cases, constant)
    return _agreement(icc, low, high, cases, reason)


def icc_2_1(values: Floats) -> Agreement:
    """Compute ICC(2,1): readers drawn from many, absolute agreement of a single reading.

    Cases with a missing reading are left out, feature by feature. The interval rests on
    Satterthwaite's approximation.
    """
    parts = _two_way(values)
    n, k = parts.cases, parts.readers
    rows, columns, error = parts.ms_rows, parts.ms_columns, parts.ms_error
    with np.errstate(divide="ignore", invalid="ignore"):
        icc = (rows - error) / (rows + (k - 1) * error + k * (columns - error) / n)
        spread = n * (1 + (k - 1) * icc) - k * icc
        reader_part = k * icc * columns / error
        freedom = (k - 1) * (n - 1) * (reader_part + spread) ** 2
        freedom = freedom / ((n - 1) * reader_part**2 + spread**2)
        freedom = np.where(error == 0, k - 1.0, freedom)  # its limit
        below = f_distribution.ppf(_UPPER, n - 1, freedom)
        above = f_distribution.ppf(_UPPER, freedom, n - 1)
        rest = k * columns + (k * n - k - n) * error
        low = n * (rows - below * error) / (below * rest + n * rows)
        high = n * (above * rows - error) / (rest + n * above * rows)
    return _agreement(icc, low, high, n, parts.reason)


def icc_3_1(values: Floats) -> Agreement:
    """Compute ICC(3,1): these very readers, consistency: their constant differences do not count.

    Cases with a missing reading are left out, feature by feature.
    """
    parts = _two_way(values)
    n, k = parts.cases, parts.readers
    rows, error = parts.ms_rows, parts.ms_error
    with np.errstate(divide="ignore", invalid="ignore"):
        icc = (rows - error) / (rows + (k - 1) * error)
        sizes = np.full(n.shape, float(k))
        low, high = _one_ratio_interval(rows / error, sizes, n - 1, (n - 1) * (k - 1))
    return _agreement(icc, low, high, n, parts.reason)


@dataclass(frozen=True, slots=True)
class _TwoWay:
    """Mean squares of cases by readers; each an array over features."""

    ms_rows: Floats
    ms_columns: Floats
    ms_error: Floats
    cases: npt.NDArray[np.int64]
    readers: int
    reason: tuple[str, ...]


def _two_way(values: Floats) -> _TwoWay:
    readers = values.shape[1]
    complete = np.isfinite(values).sum(axis=1) == readers
    known = np.broadcast_to(complete[:, None, :], values.shape)
    n = complete.sum(axis=0)
    centred, constant = _centred(values, known)
    with np.errstate(divide="ignore", invalid="ignore"):
        row_means = centred.mean(axis=1)
        column_means = centred.sum(axis=0) / n
        rows = readers * (row_means**2).sum(axis=0)
        columns = n * (column_means**2).sum(axis=0)
        left = centred - row_means[:, None, :] - column_means[None, :, :]
        error = np.where(known, left**2, 0.0).sum(axis=(0, 1))
        error = np.where(error <= (rows + columns) * CONSTANT_WITHIN**2, 0.0, error)
        reason = _reasons(n, np.full(n.shape, readers > 1), constant)
        return _TwoWay(
            ms_rows=rows / (n - 1),
            ms_columns=columns / (readers - 1),
            ms_error=error / ((n - 1) * (readers - 1)),
            cases=n,
            readers=readers,
            reason=reason,
        )


def _centred(values: Floats, known: npt.NDArray[np.bool_]) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Return values less each feature's mean, 0 where unknown, and which features are constant."""
    filled = np.where(known, values, 0.0)
    size = np.abs(filled).max(axis=(0, 1), initial=0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        filled = np.where(size > 0, filled / size, 0.0)  # coefficients do not depend on the unit
        mean = filled.sum(axis=(0, 1)) / known.sum(axis=(0, 1))
    centred = np.where(known, filled - mean, 0.0)
    constant = np.abs(centred).max(axis=(0, 1), initial=0.0) < CONSTANT_WITHIN
    return centred, constant


def _one_ratio_interval(
    ratio: Floats, size: Floats, above: npt.NDArray[np.int64], below: npt.NDArray[np.int64]
) -> tuple[Floats, Floats]:
    """Return the interval that a variance ratio gives a coefficient; (1, 1) for infinite ratios."""
    lowest = ratio / f_distribution.ppf(_UPPER, above, below)
    highest = ratio * f_distribution.ppf(_UPPER, below, above)
    low, high = ((limit - 1) / (limit + size - 1) for limit in (lowest, highest))
    perfect = np.isposinf(ratio)
    return np.where(perfect, 1.0, low), np.where(perfect, 1.0, high)


def _reasons(
    cases: npt.NDArray[np.int64],
    repeated: npt.NDArray[np.bool_],
    constant: npt.NDArray[np.bool_],
) -> tuple[str, ...]:
    """Say of each feature why it has no coefficient; empty where it has."""
    reasons = []
    for count, again, same in zip(cases, repeated, constant, strict=True):
        if count == 0:
            reasons.append("no case has a value")
        elif count == 1:
            reasons.append("fewer than two cases have a value")
        elif not again:
            reasons.append("no case has two values")
        else:
            reasons.append("the same value in all cases" if same else "")
    return tuple(reasons)


def _agreement(
    icc: Floats, low: Floats, high: Floats, cases: npt.NDArray[np.int64], reason: tuple[str, ...]
) -> Agreement:
    without = np.array([bool(text) for text in reason], dtype=bool)
    icc, low, high = (np.where(without, np.nan, numbers) for numbers in (icc, low, high))
    return Agreement(icc, low, high, cases, reason)
