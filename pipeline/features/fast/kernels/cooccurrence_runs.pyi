from typing import Any

import numpy as np
import numpy.typing as npt

def rank_levels(
    levels: npt.NDArray[np.int32],
    rank_of_level: npt.NDArray[Any],
    ranks: npt.NDArray[Any],
    extents: npt.NDArray[np.int32],
) -> None: ...
def count_pairs_and_runs(
    ranks: npt.NDArray[Any],
    extents: npt.NDArray[np.int32],
    angle: tuple[int, int, int],
    levels: int,
    pairs: bool,
) -> tuple[npt.NDArray[np.uint32] | None, npt.NDArray[np.uint32]]: ...
def count_pairs(
    ranks: npt.NDArray[Any],
    extents: npt.NDArray[np.int32],
    angle: tuple[int, int, int],
    levels: int,
) -> npt.NDArray[np.uint32]: ...
