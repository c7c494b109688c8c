from typing import Any

import numpy as np
import numpy.typing as npt

def convolve_axis(
    volume: npt.NDArray[Any],
    taps: npt.NDArray[Any],
    offsets: npt.NDArray[np.intp],
    start: int,
    stop: int,
    out: npt.NDArray[Any],
) -> None: ...
