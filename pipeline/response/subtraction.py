"""Statistics of the contrast gain inside a tumour."""

import numpy as np
import numpy.typing as npt

from pipeline.domain.scan import Region, Scan
from pipeline.response.measured import Measured, Missing
from pipeline.response.values import read_values

HIGH_PERCENTILE = 95.0
"""Stands for the most vital part; unlike the maximum, one voxel does not move it."""

STATISTICS = ("gain_mean", "gain_sd", "gain_p95", "gain_entropy_bits")


def measure_subtraction(subtraction: Scan, tumour: Region, bin_width: float) -> dict[str, Measured]:
    """Return mean, standard deviation, 95th percentile and entropy of the gain in a tumour.

    Parameters
    ----------
    subtraction : Scan
        Contrast phase minus native phase (``subtract_native``), HU or the MR signal's unit.
    tumour : Region
        On the same grid.
    bin_width : float
        Of the histogram whose entropy is taken, bins starting at multiples of it (as IBSI's fixed
        bin size); 25 HU is the custom on CT. MR needs normalised signals to be comparable.
    """
    values = read_values(subtraction, tumour)
    if isinstance(values, Missing):
        return dict.fromkeys(STATISTICS, values)
    spread = float(values.std(ddof=1)) if values.size > 1 else Missing("the tumour is one voxel")
    return {
        "gain_mean": float(values.mean()),
        "gain_sd": spread,
        "gain_p95": float(np.percentile(values, HIGH_PERCENTILE)),
        "gain_entropy_bits": _entropy_bits(values, bin_width),
    }


def _entropy_bits(values: npt.NDArray[np.float64], bin_width: float) -> float:
    """Return the Shannon entropy of the histogram (IBSI TLU2, doi 10.1148/radiol.2020191145)."""
    _, counts = np.unique(np.floor(values / bin_width), return_counts=True)
    shares = counts / values.size
    return float(-(shares * np.log2(shares)).sum()) + 0.0
