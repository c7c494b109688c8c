"""A known motion of a real scan, with other contrast and noise, is found."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from registration_phantom import rotation

from pipeline.config.registration import RegistrationConfig, RegistrationMethod
from pipeline.domain.scan import Modality, Scan
from pipeline.imaging.alignment import Alignment, RigidMotion, align_scan
from pipeline.imaging.registration import register
from pipeline.imaging.registration_pair import Pair
from pipeline.ingest.volume import read_scan

TURN, SHIFT_MM = rotation(3.0, -2.0, 4.0), np.array([4.0, -5.0, 6.0])


def _other_contrast(scan: Scan) -> Scan:
    """Bend the scale of MR, brighten soft tissue of CT, and add noise."""
    values = scan.voxels.astype(np.float64)
    if scan.modality is Modality.MR:
        values = values.max() * (np.maximum(values, 0) / values.max()) ** 0.6
    else:
        values = np.where((values > 30) & (values < 200), 30 + 1.6 * (values - 30), values)
    low, high = np.percentile(values, [1, 99])
    noise = np.random.default_rng(0).normal(0, 0.02 * (high - low), values.shape)
    return Scan((values + noise).astype(np.float32), scan.geometry, scan.modality)


@pytest.mark.real_data
@pytest.mark.parametrize(("file", "modality"), [("CT", Modality.CT), ("MR_T1", Modality.MR)])
def test_a_known_motion_of_a_real_scan_is_found(
    real_data: Path, file: str, modality: Modality
) -> None:
    fixed = read_scan(real_data / f"sts/nifti/STS_003/{file}_image.nii.gz", modality)
    centre = fixed.geometry.corner_positions_mm().mean(axis=0)
    away = TURN @ -centre + centre + SHIFT_MM
    backwards = RigidMotion(tuple(TURN.ravel().tolist()), (away[0], away[1], away[2]))
    moved = align_scan(fixed, Alignment(backwards), fixed.geometry, float(fixed.voxels.min()))
    result = register(
        Pair(fixed, _other_contrast(moved)), RegistrationConfig(method=RegistrationMethod.RIGID)
    )
    assert result.failure == ""
    corners = fixed.geometry.corner_positions_mm()
    # The moved scan shows at y what the fixed one shows at TURN (y - centre) + centre + SHIFT_MM.
    expected = (corners - centre - SHIFT_MM) @ TURN + centre
    errors = (result.alignment.map_positions(corners) - expected) / fixed.geometry.spacing_mm
    assert np.linalg.norm(errors, axis=1).max() < 0.5


@pytest.mark.real_data
@pytest.mark.parametrize("patient", ["STS_003", "STS_010"])
@pytest.mark.parametrize(
    ("file", "modality"), [("CT", Modality.CT), ("MR_T1", Modality.MR), ("PET", Modality.PT)]
)
def test_a_second_visit_on_another_table_is_found(
    real_data: Path, patient: str, file: str, modality: Modality
) -> None:
    """The scan with other contrast and noise, 8, -5 and 6 mm aside and its origin elsewhere."""
    fixed = read_scan(real_data / f"sts/nifti/{patient}/{file}_image.nii.gz", modality)
    aside, table = np.array([8.0, -5.0, 6.0]), np.array([200.0, 0.0, -500.0])
    backwards = Alignment(RigidMotion(translation_mm=(-8.0, 5.0, -6.0)))
    moved = align_scan(fixed, backwards, fixed.geometry, float(fixed.voxels.min()))
    x, y, z = (table + fixed.geometry.origin_mm).tolist()
    away = replace(moved, geometry=replace(fixed.geometry, origin_mm=(x, y, z)))
    result = register(Pair(fixed, _other_contrast(away), same_session=False), RegistrationConfig())
    assert (result.method, result.failure) == (RegistrationMethod.RIGID, "")
    corners = fixed.geometry.corner_positions_mm()
    errors = result.alignment.map_positions(corners) - corners - aside - table
    assert np.linalg.norm(errors / fixed.geometry.spacing_mm, axis=1).max() < 0.5
