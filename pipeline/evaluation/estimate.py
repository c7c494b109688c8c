"""A figure with its interval: nothing is reported without one."""

from dataclasses import dataclass
from math import isfinite, nan


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value and the limits of its confidence interval; NaN where undefined.

    Parameters
    ----------
    value : float
        The point estimate.
    low, high : float
        Limits of the two-sided confidence interval.
    """

    value: float
    low: float
    high: float

    @property
    def is_defined(self) -> bool:
        """True where the value and both limits are finite."""
        return all(isfinite(number) for number in (self.value, self.low, self.high))

    def includes(self, number: float) -> bool:
        """Tell whether the interval contains a number; False where it is undefined."""
        return self.low <= number <= self.high


UNDEFINED = Estimate(nan, nan, nan)
"""The estimate of a figure that these data do not define."""
