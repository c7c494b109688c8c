"""PyRadiomics' normalisation of a whole image to mean 0 and standard deviation 1."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk


def normalise(values: npt.NDArray[Any], settings: Mapping[str, Any]) -> npt.NDArray[np.float64]:
    """Return a normalised image, for settings with ``normalize``.

    Parameters
    ----------
    values : numpy.ndarray, shape (z, y, x)
        The whole image: voxels far from the region count too.
    settings : mapping
        ``removeOutliers``, the number of standard deviations at which values are cut off, and
        ``normalizeScale``, by which the result is multiplied.
    """
    # SimpleITK's own sums: their last digits depend on how it splits the image among threads.
    image = sitk.Normalize(sitk.GetImageFromArray(values))
    normalised: npt.NDArray[np.float64] = sitk.GetArrayFromImage(image)
    outliers = settings.get("removeOutliers")
    if outliers is not None:
        normalised.clip(-outliers, outliers, out=normalised)
    normalised *= settings.get("normalizeScale", 1)
    return normalised
