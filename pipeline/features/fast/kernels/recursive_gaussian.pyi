from typing import Any

import numpy as np
import numpy.typing as npt

def filter_axis(
    volume: npt.NDArray[Any],
    taps: npt.NDArray[np.float64],
    start: int,
    stop: int,
    out: npt.NDArray[np.float32],
) -> None: ...
def add_scaled(
    addend: npt.NDArray[np.float32], factor: float, total: npt.NDArray[np.float32]
) -> None: ...
