from typing import Any

import numpy as np
import numpy.typing as npt

def find_range(values: npt.NDArray[Any], inside: npt.NDArray[np.uint8]) -> tuple[float, float]: ...
def assign_levels(
    values: npt.NDArray[Any],
    inside: npt.NDArray[np.uint8],
    edges: npt.NDArray[np.float64],
    levels: npt.NDArray[np.int32],
    voxels: npt.NDArray[np.int64],
) -> None: ...
