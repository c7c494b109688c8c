"""Perimeter and area of the marching-squares contour of a region in one plane."""

import numpy as np
import numpy.typing as npt

from pipeline.features.fast.kernels.mesh import count_cells

# A square's corners 0 to 3 are at y, x = (0, 0), (0, 1), (1, 1), (1, 0); its configuration has
# bit k set where corner k is in the region. These are the middles of the edges 0-1, 1-2, 2-3, 3-0:
MIDDLES_X2 = np.array([(0, 1), (1, 2), (2, 1), (1, 0)])
# The edges where each configuration's lines start and stop, in the turn that counts the area
# positive; two diagonal corners are kept apart. It is the method of Lorensen & Cline 1987,
# doi:10.1145/37401.37422, in a plane.
LINES = ("", "30", "01", "31", "12", "1230", "02", "32", "23", "20", "2301", "21", "13", "10", "03")
CONFIGURATION = np.repeat(np.arange(len(LINES)), [len(lines) // 2 for lines in LINES])
START_X2, STOP_X2 = MIDDLES_X2[np.array(list("".join(LINES)), dtype=int).reshape(-1, 2).T]


def measure_contour(
    padded: npt.NDArray[np.uint8], spacing_yx_mm: tuple[float, float]
) -> tuple[float, float]:
    """Sum the lines of all squares by counting the squares of each configuration.

    Parameters
    ----------
    padded : numpy.ndarray of uint8, shape (y, x), C-contiguous
        1 in the region, 0 outside and in the outermost layer.
    spacing_yx_mm : (float, float)
        Distance of pixels.

    Returns
    -------
    (float, float)
        Perimeter in mm and area in mm2.
    """
    # Above an empty plane, the corners 4 to 7 of marching cubes are the square's.
    sums = np.zeros((256, 4), dtype=np.int64)
    count_cells(np.stack((np.zeros_like(padded), padded)), sums)
    count, _, y, x = sums[16 * CONFIGURATION].T
    steps_x2 = STOP_X2 - START_X2
    lengths = np.sqrt(((steps_x2 * np.array(spacing_yx_mm)) ** 2).sum(axis=1))
    # Twice a line's signed area, seen from the origin, is the cross product of its ends.
    local_x4 = (START_X2[:, 0] * STOP_X2[:, 1] - START_X2[:, 1] * STOP_X2[:, 0]) * count
    shifted_x2 = y * steps_x2[:, 1] - x * steps_x2[:, 0]
    area_pixels = int((local_x4 + 2 * shifted_x2).sum()) / 8
    return float(np.dot(lengths, count)) / 2, area_pixels * float(np.prod(spacing_yx_mm))
