"""The fast engine: PyRadiomics' features of one region, image by image."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from pipeline.config.extraction import ExtractionParameters
from pipeline.domain.errors import CaseError, ConfigError
from pipeline.domain.scan import Region, Scan
from pipeline.features.fast.coverage import find_uncovered
from pipeline.features.fast.discretisation import discretise
from pipeline.features.fast.filters import filtered_images
from pipeline.features.fast.firstorder import compute_firstorder
from pipeline.features.fast.grey_levels import RegionImage
from pipeline.features.fast.preparation import prepare_image
from pipeline.features.fast.prepared_image import PreparedImage
from pipeline.features.fast.shape import compute_shape
from pipeline.features.fast.shape2d import compute_shape2d
from pipeline.features.fast.texture import compute_textures
from pipeline.features.fast.texture_settings import TextureSettings
from pipeline.features.ibsi.features import compute_by_standard
from pipeline.features.ibsi.parameters import check_standardised
from pipeline.features.ibsi.preprocessing import prepare_by_standard
from pipeline.features.native_settings import fill_settings, image_settings
from pipeline.features.pyradiomics_features import FEATURES
from pipeline.features.pyradiomics_names import Plan, list_names


class FastEngine:
    """Compiled kernels behind :class:`pipeline.features.engine.RadiomicsEngine`.

    Gives the numbers of PyRadiomics 3.0.1 within 1e-6; see :mod:`pipeline.features.fast.coverage`
    for what it covers.
    """

    name = "fast"
    version = "1"

    def feature_names(self, parameters: ExtractionParameters) -> tuple[str, ...]:
        """Return the names of the features, in PyRadiomics' order.

        Raises
        ------
        ConfigError
            If the engine does not cover the parameters.
        """
        if parameters.pipeline.preset == "ibsi":
            check_standardised(parameters)
        uncovered = find_uncovered(parameters)
        if uncovered:
            msg = (
                f"{parameters.source or 'the extraction parameters'}: the fast engine does not"
                f" cover {uncovered}. Set pipeline.engine: pyradiomics."
            )
            raise ConfigError(msg)
        plan = Plan(
            image_types=image_settings(parameters),
            classes=parameters.feature_classes,
            settings=fill_settings(parameters),
            known=FEATURES,
        )
        return list_names(plan)

    def extract(
        self, scan: Scan, region: Region, parameters: ExtractionParameters
    ) -> dict[str, float]:
        """Compute the features of one region.

        Parameters
        ----------
        scan : Scan
            Its voxels in the type of the file: interpolated whole numbers are truncated as in
            PyRadiomics, so the type decides the numbers.
        region : Region
            On the grid of the scan.
        parameters : ExtractionParameters
            ``pipeline.standardise`` and ``pipeline.intensity`` are not applied here.

        Returns
        -------
        dict of str to float
            Always all of :meth:`feature_names`, in that order; NaN where PyRadiomics gives no
            value.

        Raises
        ------
        CaseError
            If the region is one that PyRadiomics refuses, or holds voxels that are not finite.
        """
        names = self.feature_names(parameters)
        ibsi = parameters.pipeline.preset == "ibsi"
        if ibsi:
            prepared = prepare_by_standard(scan, region, parameters)
        else:
            prepared = prepare_image(scan, region, fill_settings(parameters))
        _check_finite(prepared, region.name)
        compute = compute_by_standard if ibsi else _features
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            found = dict(compute(prepared, parameters))
        return {name: found.get(name, float("nan")) for name in names}


def _check_finite(prepared: PreparedImage, region: str) -> None:
    if not np.isfinite(prepared.values[prepared.box][prepared.inside[prepared.box]]).all():
        msg = (
            f"the image holds voxels in the {region} region that are not finite numbers."
            " Export the scan again, or leave it out."
        )
        raise CaseError(msg)


def _features(
    prepared: PreparedImage, parameters: ExtractionParameters
) -> Iterator[tuple[str, float]]:
    classes, settings = parameters.feature_classes, fill_settings(parameters)
    if "shape" in classes:
        # Where nothing is resampled, the arrays span the whole scan.
        shape = compute_shape(prepared.shape_inside[prepared.box], prepared.spacing_mm)
        yield from _named("original", "shape", shape)
    if "shape2D" in classes and settings["force2D"]:
        yield from _named("original", "shape2D", _planar_shape(prepared, settings))
    if not classes.keys() - {"shape", "shape2D"}:
        return
    images = filtered_images(prepared, image_settings(parameters), settings)
    for image_name, image, own in images:
        texture = TextureSettings.from_native(own)
        for class_name, values in _class_values(image, texture, classes):
            yield from _named(image_name, class_name, values)


def _planar_shape(prepared: PreparedImage, settings: Mapping[str, Any]) -> dict[str, float]:
    """Compute shape2D where PyRadiomics does, which takes one number for two orders of axes."""
    axis = settings["force2Ddimension"]
    sizes_zyx = [span.stop - span.start for span in prepared.box]
    if sizes_zyx[::-1][axis] <= 1:
        return {}
    if sizes_zyx[axis] > 1:
        msg = (
            f"shape2D needs a region in one plane: expected one along axis {axis} (z, y, x), got"
            f" {sizes_zyx[axis]}. Use the class shape, or draw the region in one plane."
        )
        raise CaseError(msg)
    return compute_shape2d(prepared.shape_inside, prepared.spacing_mm, axis)


def _class_values(
    image: RegionImage, settings: TextureSettings, classes: Mapping[str, tuple[str, ...]]
) -> Iterator[tuple[str, dict[str, float]]]:
    levels = discretise(image, settings)
    if "firstorder" in classes:
        yield "firstorder", compute_firstorder(image, levels, settings)
    yield from compute_textures(levels, settings, classes)


def _named(
    image: str, feature_class: str, values: Mapping[str, float]
) -> Iterator[tuple[str, float]]:
    return ((f"{image}_{feature_class}_{name}", value) for name, value in values.items())
