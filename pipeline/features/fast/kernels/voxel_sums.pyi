import numpy as np
import numpy.typing as npt

_Values = npt.NDArray[np.float64]

def sum_powers(
    values: _Values, mean: float, shift: float
) -> tuple[float, float, float, float, float]: ...
def robust_deviation(values: _Values, low: float, high: float) -> float: ...
def count_buckets(
    values: _Values, low: float, scale: float, counts: npt.NDArray[np.int64]
) -> None: ...
def collect_buckets(
    values: _Values,
    low: float,
    scale: float,
    wanted: npt.NDArray[np.uint8],
    collected: _Values,
) -> None: ...
