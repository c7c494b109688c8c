"""One perturbation: noise, another pose, another volume, another contour, in this order."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.config.stability import PerturbationSettings
from pipeline.domain.errors import CaseError
from pipeline.domain.scan import Region, Scan
from pipeline.imaging.perturbation.contour import randomise_contour
from pipeline.imaging.perturbation.noise import add_noise, estimate_noise_sd
from pipeline.imaging.perturbation.pose import draw_pose, move
from pipeline.imaging.perturbation.volume import change_volume


def perturb(
    scan: Scan, region: Region, settings: PerturbationSettings, seed: np.random.SeedSequence
) -> tuple[Scan, Region]:
    """Perturb a scan and a region of it as another scan and another reader might.

    The chain of Zwanenburg et al. 2019 (doi:10.1038/s41598-018-36938-4) with rotation, which
    they left out of the chain that they recommend. It is computed in double precision; at the end
    the voxels get their stored type again, rounded where that is whole numbers, so that what is
    extracted sees an image such as a scanner writes.

    Parameters
    ----------
    scan, region : Scan, Region
        On one grid; the region is not empty.
    settings : PerturbationSettings
        How far each step may go; a step of size 0 changes nothing.
    seed : numpy.random.SeedSequence
        Each step has a stream of its own, so that one step's setting leaves the others alone.

    Raises
    ------
    CaseError
        If a step leaves nothing of the region, naming the step.
    """
    noise, pose, volume, contour = (np.random.default_rng(child) for child in seed.spawn(4))
    sd = settings.noise_factor * estimate_noise_sd(scan.voxels)
    moving = replace(scan, voxels=add_noise(scan.voxels, sd, noise))
    where = draw_pose(settings.translation_percent, settings.rotation_degrees, pose)
    moving, moved = move(moving, region, where)
    _check_left(moved, region, "translation and rotation")
    change = float(volume.uniform(-1, 1)) * settings.volume_percent / 100
    resized = change_volume(moved, change, volume)
    redrawn = randomise_contour(
        moving, resized, settings.supervoxel_mm3, settings.supervoxel_compactness, contour
    )
    _check_left(redrawn, resized, "contour randomisation")
    return replace(moving, voxels=_in_type(moving.voxels, scan.voxels.dtype)), redrawn


def _check_left(after: Region, before: Region, step: str) -> None:
    if not after.inside.any():
        msg = (
            f"{step} left nothing of the {before.name} region of {before.voxel_count} voxels"
            f" ({before.volume_mm3:.0f} mm3): expected at least one voxel. Regions this small are"
            " not stable; lower the settings of configs/stability.yaml or raise min_region_mm3."
        )
        raise CaseError(msg)


def _in_type(voxels: npt.NDArray[np.float64], stored: np.dtype[Any]) -> npt.NDArray[Any]:
    if not np.issubdtype(stored, np.integer):
        return voxels.astype(stored)
    limits = np.iinfo(stored)
    return np.clip(np.rint(voxels), limits.min, limits.max).astype(stored)
