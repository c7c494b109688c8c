from dataclasses import replace

import numpy as np
import pytest

from pipeline.config.prepare import PrepareConfig
from pipeline.domain.errors import CaseError, GeometryError
from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.imaging.crop import bounding_box
from pipeline.imaging.intensity import IntensityReference, measure_references, standardise
from pipeline.imaging.itk import from_itk, to_itk
from pipeline.imaging.prepared import from_bytes, prepare_case, to_bytes
from pipeline.imaging.resample import resample_onto

GRID = Geometry((8, 6, 5), (1.0, 2.0, 3.0), (10.0, -20.0, 0.1), (-1, 0, 0, 0, 1, 0, 0, 0, 1))
SCAN = Scan(np.arange(240, dtype=np.int16).reshape(5, 6, 8), GRID, Modality.CT)


def _region(name: str, z: slice, y: slice, x: slice) -> Region:
    inside = np.zeros(GRID.shape_zyx, dtype=bool)
    inside[z, y, x] = True
    return Region(inside, GRID, name)


TUMOUR = _region("tumour", slice(2, 3), slice(2, 4), slice(3, 5))
LIVER = _region("liver", slice(1, 4), slice(1, 5), slice(2, 6))


def test_a_box_covers_all_regions_and_a_margin_in_whole_voxels() -> None:
    box = bounding_box([TUMOUR, LIVER], GRID, margin_mm=2.0)
    assert (box.start, box.stop) == ((0, 0, 0), (8, 6, 5))
    assert bounding_box([TUMOUR], GRID, margin_mm=1.0).start == (2, 1, 1)
    assert bounding_box([TUMOUR], GRID, margin_mm=1.0).stop == (6, 5, 4)


def test_no_voxel_is_a_failure_of_the_case() -> None:
    empty = replace(TUMOUR, inside=np.zeros_like(TUMOUR.inside))
    with pytest.raises(CaseError, match="all regions are empty"):
        bounding_box([empty], GRID, 1.0)


def test_a_prepared_case_has_canonical_axes_one_grid_and_the_same_values() -> None:
    case = prepare_case(SCAN, {"tumour": TUMOUR, "liver": LIVER}, PrepareConfig(margin_mm=0))
    assert case.scan.geometry.direction == (1, 0, 0, 0, 1, 0, 0, 0, 1)
    assert case.scan.geometry.size == (4, 4, 3)
    assert case.scan.voxels.dtype == np.int16
    # The x axis pointed to the right: it is reversed, values stay.
    assert (case.scan.voxels == SCAN.voxels[1:4, 1:5, 2:6][:, :, ::-1]).all()
    assert (case.scan.voxels[case.regions["tumour"].inside] > 0).sum() == 4
    assert {region.geometry for region in case.regions.values()} == {case.scan.geometry}


def test_references_are_measured_before_cropping() -> None:
    case = prepare_case(SCAN, {"tumour": TUMOUR, "liver": LIVER}, PrepareConfig(margin_mm=0))
    healthy = SCAN.voxels[LIVER.inside & ~TUMOUR.inside]
    assert case.references["image"].mean == pytest.approx(119.5)
    assert case.references["image"].deviation == pytest.approx(np.sqrt((240**2 - 1) / 12))
    assert case.references["liver"].mean == pytest.approx(healthy.mean())


def test_a_mask_on_another_grid_is_refused() -> None:
    moved = replace(TUMOUR, geometry=replace(GRID, origin_mm=(10.0, -20.0, 1.6)))
    with pytest.raises(GeometryError, match=r"tumour mask .* origin_mm .* 1.5 mm apart"):
        prepare_case(SCAN, {"tumour": moved}, PrepareConfig())


@pytest.mark.parametrize("dtype", ["int16", "uint8", "float32", "float64"])
def test_a_prepared_case_survives_bytes_bit_for_bit(dtype: str) -> None:
    tilted = replace(GRID, spacing_mm=(1 / 3, 0.1, np.nextafter(3.0, 4.0)))
    scan = Scan(SCAN.voxels.astype(dtype), tilted, Modality.MR)
    regions = {"tumour": Region(TUMOUR.inside, tilted, "tumour")}
    case = prepare_case(scan, regions, PrepareConfig(margin_mm=1))
    again = from_bytes(to_bytes(case))
    assert again.scan.geometry == case.scan.geometry
    assert again.scan.modality is Modality.MR
    assert again.scan.voxels.dtype == case.scan.voxels.dtype
    assert again.scan.voxels.tobytes() == case.scan.voxels.tobytes()
    assert (again.regions["tumour"].inside == case.regions["tumour"].inside).all()
    assert again.references == case.references
    assert again.bias_field == case.bias_field
    assert to_bytes(again) == to_bytes(case)
    assert again.texture_scan.voxels.tobytes() == case.texture_scan.voxels.tobytes()


def test_only_texture_is_taken_without_the_bias_field() -> None:
    rng = np.random.default_rng(0)
    ramp = np.linspace(0.7, 1.4, 8) * rng.normal(100, 3, GRID.shape_zyx)
    mr = Scan(ramp.astype(np.float32), GRID, Modality.MR)
    regions = {"tumour": TUMOUR, "liver": LIVER}
    case = prepare_case(mr, regions, PrepareConfig(margin_mm=100))
    assert (case.scan.voxels == mr.voxels[:, :, ::-1]).all()
    assert case.texture_scan.voxels.std() < 0.5 * case.scan.voxels.std()
    texture_liver = case.texture_scan.voxels[
        case.regions["liver"].inside & ~case.regions["tumour"].inside
    ]
    assert case.references["liver"].mean == pytest.approx(texture_liver.mean(), rel=1e-5)
    for same in (
        prepare_case(mr, regions, PrepareConfig(bias_field=False)),
        prepare_case(mr, regions, PrepareConfig(), phase="adc"),
        prepare_case(SCAN, regions, PrepareConfig()),
    ):
        assert same.texture_scan is same.scan


def test_standardised_values_are_hundredths_of_a_deviation() -> None:
    scaled = standardise(SCAN, IntensityReference(mean=100.0, deviation=20.0))
    assert scaled.voxels.dtype == np.float32
    assert scaled.voxels[0, 0, 0] == -500.0
    assert scaled.voxels[2, 3, 4] == 5 * (SCAN.voxels[2, 3, 4] - 100)


def test_a_liver_that_is_all_tumour_is_no_reference() -> None:
    whole = replace(TUMOUR, name="liver")
    assert measure_references(SCAN, {"tumour": TUMOUR, "liver": whole}).keys() == {"image"}


def test_itk_keeps_type_values_and_grid() -> None:
    again = from_itk(to_itk(SCAN), Modality.CT)
    assert again.geometry == GRID
    assert again.voxels.dtype == np.int16
    assert (again.voxels == SCAN.voxels).all()


def test_linear_interpolation_is_exact_on_a_linear_image() -> None:
    """On a grid shifted by half voxels, values of a plane are those of the plane."""
    z, y, x = np.indices(GRID.shape_zyx)
    plane = Scan((2.0 * x - 3.0 * y + 5.0 * z).astype(np.float32), GRID, Modality.MR)
    # Half a voxel along each axis; the x axis points towards -x.
    target = replace(GRID, size=(7, 5, 4), origin_mm=(9.5, -19.0, 1.6))
    moved = resample_onto(plane, target, fill=-1.0)
    z, y, x = np.indices(target.shape_zyx)
    expected = 2.0 * (x + 0.5) - 3.0 * (y + 0.5) + 5.0 * (z + 0.5)
    assert np.allclose(moved.voxels, expected, atol=1e-4)


def test_beyond_the_scan_is_the_fill_value_and_the_same_grid_is_not_touched() -> None:
    away = replace(GRID, origin_mm=(500.0, 0.0, 0.0))
    assert (resample_onto(SCAN, away, fill=-1024.0).voxels == -1024.0).all()
    assert resample_onto(SCAN, GRID, fill=0.0) is SCAN
