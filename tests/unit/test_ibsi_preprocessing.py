from itertools import product
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from pipeline.config.extraction import ExtractionParameters
from pipeline.domain.errors import CaseError
from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.features.fast.prepared_image import PreparedImage
from pipeline.features.ibsi.grid import centred_grid, part_around
from pipeline.features.ibsi.preprocessing import prepare_by_standard

UNTURNED = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
OBLIQUE = (0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, 1.0)
RANDOM = np.random.default_rng(5)


def _grid(shape: tuple[int, ...], spacing: Any, direction: Any = UNTURNED) -> Geometry:
    z, y, x = shape
    return Geometry((x, y, z), spacing, (-3.0, 7.0, 11.0), direction)


def _prepare(
    values: Any,
    inside: Any,
    spacing: Any = (1.0, 1.0, 1.0),
    modality: Modality = Modality.MR,
    images: Any = None,
    own: Any = None,
    **settings: object,
) -> PreparedImage:
    grid = _grid(values.shape, spacing)
    parameters = ExtractionParameters.model_validate(
        {
            "imageType": images or {"Original": {}},
            "setting": {"minimumROIDimensions": 1, **settings},
            "pipeline": {"engine": "fast", "preset": "ibsi", **(own or {})},
        }
    )
    return prepare_by_standard(
        Scan(values, grid, modality), Region(inside, grid, "tumour"), parameters
    )


def _line(values: list[float]) -> "np.typing.NDArray[np.float64]":
    return np.array(values, float).reshape(1, 1, -1)


@pytest.mark.parametrize("direction", [UNTURNED, OBLIQUE])
def test_both_grids_have_one_centre(direction: tuple[float, ...]) -> None:
    old = _grid((7, 6, 5), (3.0, 0.7, 2.5), direction)
    new = centred_grid(old, (2.0, 1.0, 2.5))
    # 5 x 3 / 2 = 7.5, 6 x 0.7 / 1 = 4.2, 7 x 2.5 / 2.5 = 7
    assert new.size == (8, 5, 7)
    centres = [grid.corner_positions_mm().mean(axis=0) for grid in (old, new)]
    assert centres[1] == pytest.approx(centres[0], abs=1e-9)
    assert new.direction == direction


def test_an_image_covered_but_for_rounding_gets_no_further_voxel() -> None:
    old = _grid((3, 3, 300), (0.1 * 3, 1.0, 1.0))
    assert centred_grid(old, (0.9, 1.0, 1.0)).size == (100, 3, 3)


def test_a_part_lies_on_its_grid_and_covers_what_a_region_can_reach() -> None:
    old = _grid((20, 20, 20), (3.0, 0.7, 2.5), OBLIQUE)
    whole = centred_grid(old, (2.0, 1.0, 2.0))
    part = part_around(whole, old, (slice(5, 9), slice(3, 12), slice(0, 2)), 2)
    first = whole.to_voxels(np.array([part.origin_mm]))[0]
    assert first == pytest.approx(np.rint(first), abs=1e-9)
    assert part.size[0] < whole.size[0]
    # Linear interpolation marks at most half a voxel beyond the region.
    for z, y, x in product((4.5, 8.5), (2.5, 11.5), (-0.5, 1.5)):
        place = np.array(old.origin_mm) + old.axes_mm @ (x, y, z)
        inner = part.to_voxels(place[np.newaxis])[0]
        assert (inner >= -0.5 - 1e-9).all()
        assert (inner <= np.array(part.size) - 0.5 + 1e-9).all()


@pytest.mark.parametrize("name", ["sitkLinear", "sitkBSpline"])
def test_interpolation_is_that_of_simpleitk_on_the_whole_centred_grid(name: str) -> None:
    values = RANDOM.normal(0, 100, (14, 15, 16))
    inside = np.zeros(values.shape, np.bool_)
    inside[4:9, 3:12, 0:7] = RANDOM.random((5, 9, 7)) < 0.8
    spacing, wanted = (0.8, 1.1, 3.0), [2.0, 1.0, 2.0]
    found = _prepare(values, inside, spacing, resampledPixelSpacing=wanted, interpolator=name)

    grid = centred_grid(_grid(values.shape, spacing), (2.0, 1.0, 2.0))
    image = _resample(values, spacing, grid, getattr(sitk, name))
    mask = _resample(inside.astype(float), spacing, grid, sitk.sitkLinear) >= 0.5
    assert found.spacing_mm == tuple(wanted)
    assert np.count_nonzero(found.inside) == np.count_nonzero(mask)
    assert found.values[found.inside] == pytest.approx(image[mask], rel=1e-9, abs=1e-9)


def _resample(values: Any, spacing: Any, grid: Geometry, interpolator: int) -> Any:
    image = sitk.GetImageFromArray(values)
    image.SetSpacing(spacing)
    image.SetOrigin((-3.0, 7.0, 11.0))
    return sitk.GetArrayFromImage(
        sitk.Resample(
            image, grid.size, sitk.Transform(), interpolator, grid.origin_mm, grid.spacing_mm
        )
    )


def test_a_half_filled_voxel_belongs_to_the_region() -> None:
    values = _line([0.0, 10.0, 20.0, 40.0])
    # New voxels lie between old ones 0 and 1, and between 2 and 3.
    found = _prepare(
        values,
        _line([0, 1, 1, 0]) == 1,
        resampledPixelSpacing=[2, 0, 0],
        interpolator="sitkLinear",
    )
    assert found.values[found.inside].tolist() == [5.0, 30.0]


@pytest.mark.parametrize(
    ("modality", "own", "expected"),
    [
        (Modality.CT, {}, [2.0, 7.0]),
        (Modality.MR, {}, [1.75, 7.25]),
        (Modality.CT, {"standardise": "image"}, [1.75, 7.25]),
    ],
)
def test_only_hounsfield_units_are_rounded(
    modality: Modality, own: dict[str, str], expected: list[float]
) -> None:
    values = np.array([[[1, 2, 6, 8], [2, 2, 7, 8]]], np.int16)
    found = _prepare(
        values,
        np.ones(values.shape, np.bool_),
        modality=modality,
        own=own,
        resampledPixelSpacing=[2, 2, 0],
        interpolator="sitkLinear",
    )
    assert found.values.ravel().tolist() == expected


def test_both_filters_look_at_the_whole_region_and_leave_its_shape() -> None:
    values = _line([-900.0, *[0.0] * 5, *[10.0] * 4, 200.0])
    # Mean -60, standard deviation 271: -900 is an outlier, 200 is not but is out of range. Without
    # 200 first, -900 would be within three deviations (mean -86, deviation 272).
    found = _prepare(
        values, values == values, own={"outlier_sigma": 3}, resegmentRange=[-1000, 100]
    )
    assert found.values[found.inside].tolist() == [0.0] * 5 + [10.0] * 4
    assert np.count_nonzero(found.shape_inside) == 11


def test_an_emptied_region_is_a_case_error() -> None:
    values = _line([0.0, 1.0, 2.0])
    with pytest.raises(CaseError, match="re-segmentation leaves 0 of 3 voxels of the tumour"):
        _prepare(values, values == values, resegmentRange=[5, 9])


@pytest.mark.parametrize("corner", [(0, 0, 0), (5, 9, 11), (0, 4, 11)])
def test_filters_find_the_image_mirrored_beyond_its_end(corner: tuple[int, int, int]) -> None:
    values = RANDOM.normal(size=(6, 10, 12))
    inside = np.zeros(values.shape, np.bool_)
    near = tuple(slice(max(place - 1, 0), place + 2) for place in corner)
    inside[near] = True
    # Four standard deviations of 2 mm are 8 voxels.
    found = _prepare(values, inside, images={"LoG": {"sigma": [2.0]}}).cut((8, 8, 8))
    mirrored = np.pad(values, 8, mode="symmetric")
    window = tuple(
        slice(span.start, min(span.stop, size) + 16)
        for span, size in zip(near, values.shape, strict=True)
    )
    assert found.values == pytest.approx(mirrored[window], abs=0)
