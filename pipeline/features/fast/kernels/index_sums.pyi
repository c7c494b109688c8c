import numpy as np
import numpy.typing as npt

def sum_indices(padded: npt.NDArray[np.uint8], sums: npt.NDArray[np.int64]) -> None: ...
