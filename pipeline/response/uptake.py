"""Uptake of a tumour on PET in standardised uptake values (SUV)."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from pipeline.domain.scan import Modality, Region, Scan
from pipeline.response.enhancement import Reference
from pipeline.response.measured import Measured, Missing, divide
from pipeline.response.values import Values, read_values

PEAK_VOLUME_MM3 = 1000.0
"""SUVpeak is the highest mean of a sphere of 1 cm3 (PERCIST, doi 10.2967/jnumed.108.057307)."""

MAXIMUM_SHARE = 0.41
"""Metabolic volume: at or above this share of SUVmax (EANM, doi 10.1007/s00259-014-2961-x)."""

UPTAKE_MEASURES = ("suv_max", "suv_mean", "suv_peak", "mtv_ml", "tlg_ml", "suv_max_liver_ratio")


@dataclass(frozen=True, slots=True)
class MetabolicThreshold:
    """Which voxels are metabolically active: at or above the larger of the limits that are given.

    Parameters
    ----------
    share_of_maximum : float or None
        Of the tumour's SUVmax; 0.41 is EANM's.
    suv : float or None
        A fixed SUV; 2.5 and 4 are in use. PERCIST's is that of ``percist_threshold``.
    """

    share_of_maximum: float | None = MAXIMUM_SHARE
    suv: float | None = None

    def at(self, maximum: float) -> float:
        """Return the limit in SUV for a tumour with this maximum."""
        relative = 0.0 if self.share_of_maximum is None else self.share_of_maximum * maximum
        return max(relative, self.suv or 0.0)


def percist_threshold(liver: Reference) -> float:
    """Return ``1.5 * mean + 2 * sd`` of liver (PERCIST, doi 10.2967/jnumed.108.057307).

    PERCIST defines it on SUV by lean body mass; on SUV by weight it is an approximation.
    """
    return 1.5 * liver.mean + 2 * liver.sd


def measure_uptake(
    pet: Scan | None,
    tumour: Region,
    liver: Region | None,
    threshold: MetabolicThreshold | None = None,
) -> dict[str, Measured]:
    """Return SUVmax, SUVmean, SUVpeak, metabolic volume, glycolysis and ratio to liver.

    Parameters
    ----------
    pet : Scan or None
        PET in SUV; None where there is none.
    tumour : Region
        On its grid.
    liver : Region or None
        Reference liver on its grid.
    threshold : MetabolicThreshold, optional
        Default: 41 % of SUVmax.

    Returns
    -------
    dict
        ``suv_max``, ``suv_mean`` (whole tumour), ``suv_peak``; ``mtv_ml``; ``tlg_ml`` (mean SUV in
        the metabolic volume times it: SUV x mL); ``suv_max_liver_ratio`` (SUVmax over mean SUV
        of liver; 2 or more counts as positive, PMID 32071912).
    """
    if pet is None:
        return dict.fromkeys(UPTAKE_MEASURES, Missing("no PET"))
    values = _read_uptake(pet, tumour)
    if isinstance(values, Missing):
        return dict.fromkeys(UPTAKE_MEASURES, values)
    maximum = float(values.max())
    active = values[values >= (threshold or MetabolicThreshold()).at(maximum)]
    voxel_ml = tumour.geometry.voxel_volume_mm3 / 1000
    reference = Missing("no reference liver") if liver is None else _read_uptake(pet, liver)
    liver_mean = reference if isinstance(reference, Missing) else float(reference.mean())
    return {
        "suv_max": maximum,
        "suv_mean": float(values.mean()),
        "suv_peak": compute_suv_peak(pet, tumour),
        "mtv_ml": active.size * voxel_ml,
        "tlg_ml": float(active.sum()) * voxel_ml,
        "suv_max_liver_ratio": divide(maximum, liver_mean, "SUV of liver"),
    }


def compute_suv_peak(pet: Scan, tumour: Region) -> float:
    """Return the highest mean of a 1 cm3 sphere around any tumour voxel.

    The sphere holds the voxels whose centres lie within 6.2 mm, tumour or not, and is cut at the
    border of the image or at NaN: IBSI's global intensity peak (0F91, arXiv:1612.07003). Crop
    images no closer to the tumour than that. So in a dead tumour, or one smaller than the sphere,
    it takes the uptake of the liver around and can exceed ``suv_max``, which is of tumour alone.
    """
    radius_mm = float((3 * PEAK_VOLUME_MM3 / (4 * np.pi)) ** (1 / 3))
    sphere = _sphere(radius_mm, pet.geometry.spacing_mm[::-1])
    box = _box_around(tumour.inside, tuple(size // 2 for size in sphere.shape))
    values = pet.voxels[box].astype(np.float64)
    covered = np.isfinite(values)
    sums = ndimage.convolve(np.where(covered, values, 0), sphere, mode="constant")
    counts = ndimage.convolve(covered.astype(np.float64), sphere, mode="constant")
    return float((sums / counts)[tumour.inside[box]].max())


def _read_uptake(pet: Scan, region: Region) -> Values | Missing:
    if pet.modality is not Modality.PT:
        return Missing(f"uptake is measured on PET, the image is {pet.modality}")
    return read_values(pet, region)


def _sphere(radius_mm: float, spacing_zyx_mm: tuple[float, ...]) -> Values:
    """Return 1 for voxels whose centres lie in a sphere around the middle one, else 0 (z, y, x)."""
    reach = [int(radius_mm // spacing_mm) for spacing_mm in spacing_zyx_mm]
    axes = [
        (np.arange(-steps, steps + 1) * spacing_mm) ** 2
        for steps, spacing_mm in zip(reach, spacing_zyx_mm, strict=True)
    ]
    squares = axes[0][:, None, None] + axes[1][None, :, None] + axes[2][None, None, :]
    return np.asarray(squares <= radius_mm**2, dtype=np.float64)


def _box_around(inside: npt.NDArray[np.bool_], reach: tuple[int, ...]) -> tuple[slice, ...]:
    """Return slices (z, y, x) of a region's bounding box, wider by the reach, in the image."""
    box = []
    for index, steps, size in zip(np.nonzero(inside), reach, inside.shape, strict=True):
        box.append(slice(max(0, index.min() - steps), min(size, index.max() + steps + 1)))
    return tuple(box)
