from typing import Any

import numpy as np
import numpy.typing as npt

def tally_dependence(
    volume: npt.NDArray[Any],
    offsets: npt.NDArray[np.intp],
    margin: int,
    alpha: int,
    counts: npt.NDArray[np.int64],
    room: npt.NDArray[Any],
) -> None: ...
def tally_difference(
    volume: npt.NDArray[Any],
    offsets: npt.NDArray[np.intp],
    margin: int,
    shift: int,
    differences: npt.NDArray[np.float64],
    room: npt.NDArray[Any],
) -> None: ...
