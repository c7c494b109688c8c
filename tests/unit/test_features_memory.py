from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from pipeline.config.extraction import ExtractionParameters, PipelineSettings
from pipeline.features.memory import estimate_worker_bytes

GB = 1e9
FAST = ExtractionParameters(pipeline=PipelineSettings(engine="fast"))
PYRADIOMICS = ExtractionParameters(pipeline=PipelineSettings(engine="pyradiomics"))


def _image(folder: Path, slices: int) -> Path:
    """Write a whole CT's header over voxels that compress to nothing."""
    file = folder / f"{slices}.nrrd"
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros((slices, 512, 512), np.int16)), str(file), True)
    return file


@pytest.mark.parametrize(
    ("parameters", "measured_gb"), [(FAST, (0.468, 0.695)), (PYRADIOMICS, (0.887, 1.174))]
)
def test_the_estimate_lies_just_above_what_was_measured(
    tmp_path: Path, parameters: ExtractionParameters, measured_gb: tuple[float, float]
) -> None:
    for slices, measured in zip((120, 300), measured_gb, strict=True):
        estimate = estimate_worker_bytes([_image(tmp_path, slices)], parameters)
        assert 0.98 * measured < estimate / GB < 1.3 * measured


def test_whole_wavelets_of_pyradiomics_need_far_more(tmp_path: Path) -> None:
    wavelets = PYRADIOMICS.model_copy(update={"image_types": {"Wavelet": {}}})
    image = _image(tmp_path, 120)
    assert 5.05 < estimate_worker_bytes([image], wavelets) / GB < 6.0
    resampled = wavelets.model_copy(update={"settings": {"resampledPixelSpacing": [1, 1, 1]}})
    assert estimate_worker_bytes([image], resampled) / GB < 1.0


def test_the_largest_image_decides_and_what_cannot_be_read_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "broken.nrrd").write_bytes(b"rubbish")
    large, small = _image(tmp_path, 40), _image(tmp_path, 2)
    images = [small, tmp_path / "broken.nrrd", tmp_path / "absent.nrrd", large]
    assert estimate_worker_bytes(images, FAST) == estimate_worker_bytes([large], FAST)
    assert estimate_worker_bytes(images[1:3], FAST) == estimate_worker_bytes([], FAST) > 0
