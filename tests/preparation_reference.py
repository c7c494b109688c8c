"""What PyRadiomics' own code makes of a scan and a region before any filter."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk
from radiomics import imageoperations
from radiomics.featureextractor import RadiomicsFeatureExtractor

from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.features.fast.preparation import prepare_image
from pipeline.imaging.itk import region_to_itk, to_itk

logging.getLogger("radiomics").setLevel(logging.CRITICAL)

STRAIGHT = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True)
class Prepared:
    """The counterpart of PreparedImage."""

    values: npt.NDArray[Any]
    inside: npt.NDArray[np.bool_]
    shape_inside: npt.NDArray[np.bool_]
    spacing_mm: tuple[float, ...]
    box_xyz: tuple[int, ...]


def make_case(
    voxels: npt.NDArray[Any],
    inside: npt.NDArray[np.bool_],
    spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0),
    direction: tuple[float, ...] = STRAIGHT,
    origin_mm: tuple[float, float, float] = (-123.4, 56.7, -890.1),
) -> tuple[Scan, Region]:
    """Put arrays (z, y, x) on a grid."""
    depth, height, width = voxels.shape
    geometry = Geometry((width, height, depth), spacing_mm, origin_mm, direction)
    return Scan(voxels, geometry, Modality.CT), Region(inside, geometry, "tumour")


def prepare_by_pyradiomics(scan: Scan, region: Region, settings: Mapping[str, Any]) -> Prepared:
    """Follow ``featureextractor.execute`` up to the filters.

    Raises
    ------
    ValueError, OverflowError
        For what PyRadiomics refuses.
    """
    full = {**RadiomicsFeatureExtractor._getDefaultSettings(), **settings}
    image, mask = RadiomicsFeatureExtractor.loadImage(
        to_itk(scan), region_to_itk(region), None, **full
    )
    box, _ = imageoperations.checkMask(image, mask, **full)
    shape_mask = mask
    if full["resegmentRange"] is not None:
        mask = imageoperations.resegmentMask(image, mask, **full)
        box, _ = imageoperations.checkMask(image, mask, **full)
        if full.get("resegmentShape"):
            shape_mask = mask
    _, cut = imageoperations.cropToTumorMask(image, shape_mask, box)
    shape_inside = np.zeros(sitk.GetArrayFromImage(mask).shape, dtype=bool)
    low, high = box[::2][::-1], box[1::2][::-1]
    where = tuple(slice(start, stop + 1) for start, stop in zip(low, high, strict=True))
    shape_inside[where] = sitk.GetArrayFromImage(cut) == 1
    return Prepared(
        values=sitk.GetArrayFromImage(image),
        inside=sitk.GetArrayFromImage(mask) == 1,
        shape_inside=shape_inside,
        spacing_mm=image.GetSpacing(),
        box_xyz=tuple(int(bound) for bound in box),
    )


def assert_equal_to_pyradiomics(scan: Scan, region: Region, settings: Mapping[str, Any]) -> None:
    """Compare every voxel of image and regions, their types, spacing and bounding box."""
    expected = prepare_by_pyradiomics(scan, region, settings)
    prepared = prepare_image(scan, region, settings)
    assert prepared.values.dtype == expected.values.dtype
    np.testing.assert_array_equal(prepared.values, expected.values)
    np.testing.assert_array_equal(prepared.inside, expected.inside)
    np.testing.assert_array_equal(prepared.shape_inside, expected.shape_inside)
    assert prepared.spacing_mm == expected.spacing_mm
    box_xyz = [(span.start, span.stop - 1) for span in reversed(prepared.box)]
    assert tuple(bound for pair in box_xyz for bound in pair) == expected.box_xyz
