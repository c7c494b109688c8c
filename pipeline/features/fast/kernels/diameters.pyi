import numpy as np
import numpy.typing as npt

def find_row_ends(
    padded: npt.NDArray[np.uint8], first: npt.NDArray[np.int32], last: npt.NDArray[np.int32]
) -> None: ...
def find_planar_hulls(
    first: npt.NDArray[np.int32],
    last: npt.NDArray[np.int32],
    row_mm: float,
    along_mm: float,
    on_hull: npt.NDArray[np.uint8],
) -> float: ...
def find_farthest_pair(
    points: npt.NDArray[np.float64], radii: npt.NDArray[np.float64]
) -> float: ...
