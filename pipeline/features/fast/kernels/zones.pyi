from typing import Any

import numpy as np
import numpy.typing as npt

def pick_neighbours(steps: npt.NDArray[np.int64], picked: npt.NDArray[np.uint16]) -> None: ...
def label_zones(
    volume: npt.NDArray[Any],
    offsets: npt.NDArray[np.intp],
    margin: int,
    picked: npt.NDArray[np.uint16],
    labels: npt.NDArray[np.int32],
    forest: npt.NDArray[np.int32],
    equal: npt.NDArray[Any],
) -> int: ...
def tally_zones(
    forest: npt.NDArray[np.int32],
    made: int,
    small: npt.NDArray[np.int64],
    large: npt.NDArray[np.int32],
) -> int: ...
