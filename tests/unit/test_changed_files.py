"""Files that change while a process lives leave nothing wrong in the store."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK as sitk

from pipeline.cases import Preparation
from pipeline.config.extraction import ExtractionParameters
from pipeline.config.loading import load_settings
from pipeline.config.measure import MeasureConfig
from pipeline.config.prepare import PrepareConfig
from pipeline.config.registration import RegistrationConfig, RegistrationMethod
from pipeline.config.stability import StabilityConfig
from pipeline.domain.cohort import ScanRow
from pipeline.domain.scan import Modality, Timepoint
from pipeline.features.extraction import plan_extraction
from pipeline.features.stability.perturbed import PerturbedCase, extract_perturbed
from pipeline.habitat_samples import habitat_cells
from pipeline.region_cases import RegionCase, RegionLoader, list_region_cases
from pipeline.stages.extract import extract_case
from pipeline.store.results import ResultStore
from pipeline.visits import load_visit

MEASURE = load_settings(
    MeasureConfig, Path(__file__).parents[2] / "configs" / "measure.yaml"
).model_copy(update={"lipiodol_tolerated_percent": 100.0})
PREPARE = PrepareConfig(registration=RegistrationConfig(method=RegistrationMethod.NONE))
SHAPE = (16, 40, 60)
LESION = (slice(4, 12), slice(12, 22), slice(12, 22))
VIABLE = (slice(4, 12), slice(12, 22), slice(12, 17))
HU = {"native": (50, 50), "arterial": (60, 130), "portal": (110, 100)}
"""Of liver and viable tissue; the rest of the lesion has 50 HU."""


def _write(path: Path, voxels: npt.NDArray[np.generic]) -> str:
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing((2, 2, 4))
    sitk.WriteImage(image, str(path))
    return path.name


def _write_images(folder: Path, more_hu: int = 0) -> None:
    for phase, (liver, viable) in HU.items():
        voxels = np.random.default_rng(1).normal(liver, 3, SHAPE)
        voxels[LESION] += 50 - liver
        voxels[VIABLE] += viable - 50 + (0 if phase == "native" else more_hu)
        _write(folder / f"{phase}.nii.gz", np.rint(voxels).astype(np.int16))


@pytest.fixture
def rows(tmp_path: Path) -> list[ScanRow]:
    lesion = np.zeros(SHAPE, np.uint8)
    lesion[LESION] = 1
    mask = _write(tmp_path / "mask.nii.gz", lesion)
    liver = _write(tmp_path / "liver.nii.gz", np.ones(SHAPE, np.uint8))
    _write_images(tmp_path)
    return [
        ScanRow(
            patient_id="P1",
            timepoint=Timepoint.PREOP,
            modality=Modality.CT,
            phase=phase,
            image=f"{phase}.nii.gz",
            mask=mask,
            liver_mask=liver,
        )
        for phase in ("arterial", "portal", "native")
    ]


def _parameters(*regions: str) -> dict[Modality, ExtractionParameters]:
    content = {"featureClass": {"firstorder": ["Mean"]}, "pipeline": {"regions": list(regions)}}
    return {Modality.CT: ExtractionParameters.model_validate(content)}


def _preparation(folder: Path, store: str) -> Preparation:
    return Preparation(folder, PREPARE, ResultStore(folder / store))


def _arterial(rows: list[ScanRow], region: str) -> RegionCase:
    return next(
        case
        for case in list_region_cases(rows, _parameters(region), PREPARE.phase_order)
        if case.row.phase == "arterial"
    )


def _mean(case: RegionCase, loader: RegionLoader) -> float:
    return extract_case(case, loader, _parameters("tumour"))["original_firstorder_Mean"]


def test_a_region_of_changed_images_is_found_anew(rows: list[ScanRow], tmp_path: Path) -> None:
    """The viable part has 130 HU, and 230 HU once the image has changed."""
    case = _arterial(rows, "viable")
    loader = RegionLoader(_preparation(tmp_path, "store"), MEASURE)
    assert _mean(case, loader) == pytest.approx(130, abs=3)
    _write_images(tmp_path, more_hu=100)
    assert _mean(case, loader) == pytest.approx(230, abs=3)


class _Overtaken(RegionLoader):
    """The images change between the look for a result and the loading of what it is made of."""

    def name(self, case: RegionCase) -> str:
        name = RegionLoader.name(self, case)
        _write_images(self.preparation.images, more_hu=100)
        return name


@pytest.mark.parametrize(("region", "means"), [("tumour", (90, 140)), ("viable", (130, 230))])
def test_a_region_is_kept_under_the_name_of_the_files_that_were_read(
    rows: list[ScanRow], tmp_path: Path, region: str, means: tuple[float, float]
) -> None:
    """Half of the lesion is viable."""
    case, preparation = _arterial(rows, region), _preparation(tmp_path, "store")
    assert _mean(case, _Overtaken(preparation, MEASURE)) == pytest.approx(means[1], abs=3)
    _write_images(tmp_path)
    assert _mean(case, RegionLoader(preparation, MEASURE)) == pytest.approx(means[0], abs=3)


def test_perturbations_are_kept_under_the_key_of_what_was_perturbed(
    rows: list[ScanRow], tmp_path: Path
) -> None:
    preparation, row = _preparation(tmp_path, "store"), rows[0]
    extraction = plan_extraction(_parameters("tumour")[Modality.CT])

    def perturb(key: str) -> float:
        case = PerturbedCase("case", key, lambda: preparation.take(row), 10.0)
        config = StabilityConfig(perturbations=2)
        first, _ = extract_perturbed(case, extraction, config, preparation.store)
        assert first.result is not None
        return first.result["original_firstorder_Mean"]

    before = preparation.key(row)
    _write_images(tmp_path, more_hu=100)
    changed = perturb(before)
    assert perturb(preparation.key(row)) == changed
    _write_images(tmp_path)
    assert perturb(before) < changed - 20


def test_voxels_of_habitats_are_kept_under_the_keys_of_their_visit(
    rows: list[ScanRow], tmp_path: Path
) -> None:
    preparation, visit = _preparation(tmp_path, "store"), _arterial(rows, "viable").visit
    loaded = load_visit(visit, preparation)
    _write_images(tmp_path, more_hu=100)
    before = habitat_cells(loaded, preparation, MEASURE)
    after = habitat_cells(load_visit(visit, preparation), preparation, MEASURE)
    assert after == habitat_cells(
        load_visit(visit, fresh := _preparation(tmp_path, "fresh")), fresh, MEASURE
    )
    assert after != before
