"""PyRadiomics' settings of discretisation and texture, defaults filled in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class TextureSettings:
    """What decides the texture features of one image.

    Each setting has PyRadiomics' name, default and meaning; see the page on customisation in its
    documentation.

    Parameters
    ----------
    bin_width : float
        ``binWidth``, in units of the image; not used where ``bin_count`` is given.
    bin_count : int or None
        ``binCount``.
    distances : tuple of int
        ``distances`` in voxels (Chebyshev norm), for GLCM, GLDM and NGTDM.
    force_2d : bool
        ``force2D``: neighbours lie in the plane perpendicular to ``force_2d_axis`` only.
    force_2d_axis : int
        ``force2Ddimension``: 0 is z, 1 is y, 2 is x.
    weighting_norm : str or None
        ``weightingNorm``: manhattan, euclidean, infinity, no_weighting; None averages the features
        of the angles.
    symmetrical_glcm : bool
        ``symmetricalGLCM``.
    gldm_a : float
        ``gldm_a``: largest difference in grey level of dependent voxels.
    voxel_array_shift : float
        ``voxelArrayShift``, added to the voxels for Energy, TotalEnergy and RootMeanSquared.
    """

    bin_width: float = 25.0
    bin_count: int | None = None
    distances: tuple[int, ...] = (1,)
    force_2d: bool = False
    force_2d_axis: int = 0
    weighting_norm: str | None = None
    symmetrical_glcm: bool = True
    gldm_a: float = 0.0
    voxel_array_shift: float = 0.0

    @classmethod
    def from_native(cls, settings: Mapping[str, Any]) -> Self:
        """Read them from PyRadiomics' ``setting`` merged with those of the image type."""
        return cls(
            bin_width=settings.get("binWidth", 25),
            bin_count=settings.get("binCount"),
            distances=tuple(settings.get("distances", (1,))),
            force_2d=bool(settings.get("force2D", False)),
            force_2d_axis=int(settings.get("force2Ddimension", 0)),
            weighting_norm=settings.get("weightingNorm"),
            symmetrical_glcm=bool(settings.get("symmetricalGLCM", True)),
            gldm_a=settings.get("gldm_a", 0),
            voxel_array_shift=settings.get("voxelArrayShift", 0),
        )
