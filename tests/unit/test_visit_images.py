"""Images of a visit for measuring: reference liver, cut-outs, and a breath between two phases."""

from dataclasses import dataclass, replace
from math import dist, pi
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK as sitk

from pipeline.cases import Preparation
from pipeline.config.loading import load_settings
from pipeline.config.measure import MeasureConfig, ReferenceTissue
from pipeline.config.prepare import PrepareConfig
from pipeline.config.registration import RegistrationConfig, RegistrationMethod
from pipeline.domain.cohort import ScanRow
from pipeline.domain.errors import RegionAbsentError
from pipeline.domain.regions import RegionName
from pipeline.domain.scan import Modality, Region, Timepoint
from pipeline.imaging.alignment import Alignment
from pipeline.imaging.registration import Registration
from pipeline.imaging.registration_verdict import Quality
from pipeline.regions import find_region
from pipeline.response.lesion_response import measure_response
from pipeline.response.measured import Missing
from pipeline.store.results import ResultStore
from pipeline.visit_images import find_reference, find_viable_part, lesion_images
from pipeline.visits import Visit, group_visits, load_visit

CONFIG = load_settings(MeasureConfig, Path(__file__).parents[2] / "configs" / "measure.yaml")
SIZE, SPACING_MM = (130, 110, 44), (1.0, 1.0, 2.0)
SHIFT_MM = (6.5, 0.0, 2.6)  # 7.0 mm, between voxels
TUMOUR_AT, TUMOUR_MM, NODULE_MM = (48.0, 55.0, 44.0), 20.0, 9.0
NOISE_HU = 3.0
LEVELS_HU = {"native": (95, 55, 55), "arterial": (95, 130, 65)}
"""Dead tumour, living nodule in its middle, liver."""


@dataclass(frozen=True)
class Body:
    """A liver with a tumour, displaced along x, y, z; positions in mm from the first voxel."""

    shift_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def within(
        self, centre_mm: tuple[float, float, float], radii_mm: tuple[float, float, float]
    ) -> npt.NDArray[np.bool_]:
        axes = (
            ((np.arange(size) * step - centre - shift) / radius) ** 2
            for size, step, centre, shift, radius in zip(
                SIZE, SPACING_MM, centre_mm, self.shift_mm, radii_mm, strict=True
            )
        )
        x, y, z = axes
        return np.asarray(z[:, None, None] + y[None, :, None] + x[None, None, :] <= 1)

    def ball(self, radius_mm: float) -> npt.NDArray[np.bool_]:
        return self.within(TUMOUR_AT, (radius_mm, radius_mm, radius_mm))

    @property
    def liver(self) -> npt.NDArray[np.bool_]:
        return self.within((62.0, 55.0, 44.0), (52.0, 42.0, 38.0))

    def image(self, phase: str) -> npt.NDArray[np.int16]:
        dead, alive, liver = LEVELS_HU[phase]
        voxels = np.full(SIZE[::-1], -80.0)
        voxels[self.liver] = liver
        voxels[self.ball(TUMOUR_MM)] = dead
        voxels[self.ball(NODULE_MM)] = alive
        seed = sorted(LEVELS_HU).index(phase)
        voxels += np.random.default_rng(seed).normal(0, NOISE_HU, voxels.shape)
        return voxels.round().astype(np.int16)


def write(path: Path, voxels: npt.NDArray[Any]) -> str:
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing(SPACING_MM)
    sitk.WriteImage(image, str(path))
    return path.name


def visit(
    folder: Path,
    native: Body,
    method: RegistrationMethod = RegistrationMethod.NONE,
    *,
    copied: bool = False,
) -> Visit:
    """Return a lesion on two phases; copied: the arterial phase's masks serve both."""
    rows = []
    for phase, body in {"arterial": Body(), "native": native}.items():
        drawn = Body() if copied else body
        files: dict[str, npt.NDArray[Any]] = {
            "image": body.image(phase),
            "mask": drawn.ball(TUMOUR_MM).astype(np.uint8),
            "liver_mask": drawn.liver.astype(np.uint8),
        }
        image, mask, liver = (
            write(folder / f"{phase}_{name}.nii.gz", voxels) for name, voxels in files.items()
        )
        row = ScanRow(
            patient_id="P1",
            timepoint=Timepoint.PREOP,
            modality=Modality.CT,
            phase=phase,
            image=image,
            mask=mask,
            liver_mask=liver,
        )
        rows.append(row)
    prepare = PrepareConfig(registration=RegistrationConfig(method=method))
    preparation = Preparation(folder, prepare, ResultStore(folder / "store"))
    (group,) = group_visits(rows, prepare.phase_order)
    return load_visit(group, preparation)


def viable_ml(seen: Visit) -> float:
    viable = find_viable_part(seen, CONFIG)
    assert isinstance(viable, Region)
    return viable.volume_mm3 / 1000


def ball_ml(radius_mm: float) -> float:
    return 4 / 3 * pi * radius_mm**3 / 1000


def crescent_ml(radius_mm: float, shift_mm: float) -> float:
    """Return what a ball leaves uncovered of itself when it is shifted."""
    return pi * (radius_mm**2 * shift_mm - shift_mm**3 / 12) / 1000


def band_ml(radius_mm: float, outward_mm: float, inward_mm: float) -> float:
    return ball_ml(radius_mm + outward_mm) - ball_ml(radius_mm - inward_mm)


def test_a_breath_of_7_mm_is_undone_by_registration(tmp_path: Path) -> None:
    """Dead tumour is denser than liver, so that a shift makes it gain where it meets liver.

    Bound of the registered case: the native phase is read between its voxels, and passes the
    threshold of about half the 40 HU that it falls by where neighbours beyond a border weigh as
    much as the others. The weights' mean is the point that is read and their variance along any
    line at most (2 mm / 2)^2, so that happens within 1.1 mm of the border (Cantelli's inequality),
    less than half a voxel's diagonal. With the residual of the registration added, only voxels of
    two bands may change: around the nodule, and inside the tumour.
    """
    shift_mm = dist(SHIFT_MM, (0, 0, 0))
    unshifted = viable_ml(visit(_folder(tmp_path, "same"), Body()))
    drawn_ml = np.count_nonzero(Body().ball(NODULE_MM)) * np.prod(SPACING_MM) / 1000
    assert unshifted == pytest.approx(drawn_ml, rel=0.005)

    found = visit(_folder(tmp_path, "found"), Body(SHIFT_MM), RegistrationMethod.RIGID)
    ((x, y, z),) = found.alignment("native").map_positions(np.array([TUMOUR_AT])) - SHIFT_MM
    residual_mm = dist((x, y, z), TUMOUR_AT)
    assert residual_mm < min(SPACING_MM) / 2
    width_mm = residual_mm + dist(SPACING_MM, (0, 0, 0)) / 2
    bound_ml = band_ml(NODULE_MM, width_mm, width_mm) + band_ml(TUMOUR_MM, 0, width_mm)
    assert abs(viable_ml(found) - unshifted) < bound_ml
    assert viable_ml(found) == pytest.approx(unshifted, rel=0.2)  # most of the bands is right

    breathed = viable_ml(visit(_folder(tmp_path, "breathed"), Body(SHIFT_MM)))
    crescents_ml = crescent_ml(NODULE_MM, shift_mm) + crescent_ml(TUMOUR_MM, shift_mm)
    assert breathed == pytest.approx(ball_ml(NODULE_MM) + crescents_ml, rel=0.05)
    assert breathed - unshifted > bound_ml


def test_masks_drawn_once_are_measured_where_the_breath_took_them(tmp_path: Path) -> None:
    found = visit(tmp_path, Body(SHIFT_MM), RegistrationMethod.RIGID, copied=True)
    for name, at_mm in (("tumour", TUMOUR_AT), ("liver", (62.0, 55.0, 44.0))):
        region = found.phases["native"].regions[name]
        off_mm = np.subtract(region.centroid_mm, np.add(at_mm, SHIFT_MM))
        assert (np.abs(off_mm) < np.array(SPACING_MM) / 2 + 0.3).all()  # whole voxels
    own = visit(_folder(tmp_path, "own"), Body(SHIFT_MM), RegistrationMethod.RIGID)
    for name in ("mean_native", "enhancement_arterial", "lipiodol_percent"):
        here, there = (
            measure_response(lesion_images(one, CONFIG), CONFIG)[name] for one in (found, own)
        )
        assert here == pytest.approx(there, abs=1.5)  # half a voxel of a rim that differs by 40 HU


def _failed(seen: Visit) -> Visit:
    nothing = Registration(Alignment(), RegistrationMethod.NONE, Quality(), "not registered: noise")
    return replace(seen, registrations={"native": nothing})


def test_a_failed_registration_is_told_where_positions_would_be_compared(seen: Visit) -> None:
    failed, reason = _failed(seen), "the native phase is not registered"
    measures = measure_response(lesion_images(failed, CONFIG), CONFIG)
    for name in ("necrosis_fraction", "gain_mean", "aphe_ratio", "tumour_liver_ratio_native"):
        assert measures[name] == Missing(reason)
    assert measures["mean_native"] == pytest.approx(90, abs=10)  # its own mask still holds
    assert failed.reference_on("native") is None
    for region in (RegionName.LIVER_REFERENCE, RegionName.VIABLE):
        with pytest.raises(RegionAbsentError, match=reason):
            find_region(region, failed, "native", CONFIG)


def test_a_copied_mask_without_a_place_measures_nothing_on_its_phase(seen: Visit) -> None:
    why = "the native phase has a copied mask and is not registered"
    misplaced = replace(_failed(seen), misplaced={"native": why})
    measures = measure_response(lesion_images(misplaced, CONFIG), CONFIG)
    for name in ("mean_native", "enhancement_arterial", "lipiodol_percent", "lipiodol_complete"):
        assert measures[name] == Missing(why)
    assert measures["mean_arterial"] == pytest.approx(100, abs=10)


def _folder(parent: Path, name: str) -> Path:
    (parent / name).mkdir()
    return parent / name


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Visit:
    return visit(tmp_path_factory.mktemp("visit"), Body())


def test_the_viable_part_lies_on_the_whole_grid(seen: Visit) -> None:
    viable = find_viable_part(seen, CONFIG)
    assert isinstance(viable, Region)
    scan = seen.phases["arterial"].scan
    assert not viable.geometry.difference(scan.geometry)
    assert viable.centroid_mm == pytest.approx(TUMOUR_AT, abs=0.3)
    cut = lesion_images(seen, CONFIG).phases["arterial"]
    assert cut.scan.voxels.size < scan.voxels.size
    assert cut.tumour.voxel_count == seen.phases["arterial"].regions["tumour"].voxel_count
    assert cut.tumour.centroid_mm == pytest.approx(TUMOUR_AT, abs=0.01)


def test_reference_liver_is_the_sphere_on_every_phase(seen: Visit) -> None:
    reference = find_reference(seen, CONFIG)
    assert reference.description == "sphere, other side"  # the lesion leaves no room on its own
    for region in reference.regions.values():
        assert region is not None
        assert region.volume_mm3 == pytest.approx(1000, rel=0.05)


def test_the_whole_liver_keeps_its_distance(seen: Visit) -> None:
    config = CONFIG.model_copy(update={"reference": ReferenceTissue.WHOLE})
    reference = find_reference(seen, config)
    assert reference.description == "whole liver: as configured"
    region = reference.regions["arterial"]
    assert region is not None
    body = Body()
    expected = body.liver & ~body.within(TUMOUR_AT, (30.0, 30.0, 30.0))
    # Distances are taken between voxel centres, those of the tumour within its radius.
    assert region.voxel_count == pytest.approx(np.count_nonzero(expected), rel=0.02)


@pytest.mark.parametrize(
    ("kept", "description"),
    [
        (49, "whole liver: the sphere has 49 voxels, fewer than 50"),
        (50, "sphere, lesion's side"),
    ],
)
def test_a_sphere_of_few_voxels_is_not_enough(seen: Visit, kept: int, description: str) -> None:
    placement = seen.placement
    assert placement is not None
    inside = np.zeros_like(placement.region.inside)
    inside[tuple(np.argwhere(placement.region.inside)[:kept].T)] = True
    small = Region(inside, placement.region.geometry, "liver_reference")
    elsewhere = replace(placement, region=small, same_side=True)
    assert find_reference(replace(seen, placement=elsewhere), CONFIG).description == description


def test_without_a_place_the_reason_is_told(seen: Visit) -> None:
    nowhere = replace(seen, placement=None, no_placement="no place for it")
    assert find_reference(nowhere, CONFIG).description == "whole liver: no place for it"
