import numpy as np
import numpy.typing as npt

_Block = npt.NDArray[np.float64]

def interpolate_nearest(
    block: _Block, frame: npt.NDArray[np.intp], lines: npt.NDArray[np.float64], out: _Block
) -> None: ...
def interpolate_linear(
    block: _Block, frame: npt.NDArray[np.intp], lines: npt.NDArray[np.float64], out: _Block
) -> None: ...
def interpolate_spline(
    block: _Block, frame: npt.NDArray[np.intp], lines: npt.NDArray[np.float64], out: _Block
) -> None: ...
def mark_nearest(
    block: npt.NDArray[np.uint8],
    frame: npt.NDArray[np.intp],
    lines: npt.NDArray[np.float64],
    out: npt.NDArray[np.uint8],
) -> None: ...
def lies_near_whole(values: npt.NDArray[np.float64], margin: float) -> bool: ...
