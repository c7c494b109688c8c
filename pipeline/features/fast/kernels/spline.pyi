import numpy as np
import numpy.typing as npt

def filter_axis(
    values: npt.NDArray[np.float64], axis: int, low: int, high: int, bound: float
) -> bool: ...
