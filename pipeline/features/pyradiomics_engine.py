"""PyRadiomics as an engine; the only module that imports it.

Gives the numbers of PyRadiomics' own ``featureextractor`` for the same files (van Griethuysen et
al. 2017, doi:10.1158/0008-5472.CAN-17-0339). Where PyRadiomics differs from the IBSI standard, so
does this.
"""

import json
import logging
import re
from functools import lru_cache
from importlib.util import find_spec
from math import ceil
from typing import Any

import numpy as np
import radiomics
import SimpleITK as sitk
from radiomics import imageoperations
from radiomics.featureextractor import RadiomicsFeatureExtractor

from pipeline.config.extraction import ExtractionParameters
from pipeline.domain.errors import CaseError, ConfigError
from pipeline.domain.scan import Region, Scan
from pipeline.features.fast.region_checks import check_drawn
from pipeline.features.pyradiomics_names import Plan, list_names
from pipeline.imaging.itk import region_to_itk, to_itk

_REGION_LABEL = 1
"""Regions are handed over as masks of zeros and ones."""

_NEEDS = {"LBP3D": "trimesh"}
"""Packages without which PyRadiomics skips an image type without an error."""

_FAILURES = (ValueError, RuntimeError, ArithmeticError, LookupError, AssertionError)
"""What PyRadiomics and ITK raise for images and masks that they cannot use."""

_SCHEMA_FRAME = re.compile(r"<SchemaError: error code \d+: Schema validation failed:|: Path: '/'>$")
"""What PyRadiomics' schema checker writes around the reason."""

_SPLINE_REACH_VOXELS = 32
"""Beyond this distance a voxel cannot change a cubic spline coefficient in double precision.

The influence falls by the spline's pole a voxel: (2 - sqrt 3) ** 32 = 5e-19 (Unser 1999,
doi:10.1109/79.799930)."""

_ROUNDING_MARGIN = 1e-8
"""Interpolated values this near to a whole number may be truncated to either side of it.

Positions in the cut frame differ in the last digits (1e-13 voxels), which at 1000 HU a voxel is
1e-10 HU."""

_KNOWN_FEATURES = {
    name: kind.getFeatureNames() for name, kind in radiomics.getFeatureClasses().items()
}
"""All features of each class, and whether each is deprecated."""

_LOG = logging.getLogger(__name__)

# Its messages about single steps would drown ours; what fails is raised or becomes NaN.
logging.getLogger("radiomics").setLevel(logging.CRITICAL)
logging.getLogger("pykwalify").setLevel(logging.CRITICAL + 1)


# Python's min and max walk an array value by value; NumPy's give the same numbers. This is a sixth
# of PyRadiomics' time on large regions (it calls them for every texture class of every image).
imageoperations.min, imageoperations.max = np.min, np.max


class PyradiomicsEngine:
    """PyRadiomics behind :class:`pipeline.features.engine.RadiomicsEngine`."""

    name = "pyradiomics"
    version = str(radiomics.__version__).removeprefix("v")

    def feature_names(self, parameters: ExtractionParameters) -> tuple[str, ...]:
        """Return the names of the features, in PyRadiomics' order.

        Raises
        ------
        ConfigError
            If PyRadiomics refuses the parameters or could not compute an image type.
        """
        extractor = _extractor_for(parameters)
        plan = Plan(
            image_types=extractor.enabledImagetypes,
            classes=extractor.enabledFeatures,
            settings=extractor.settings,
            known=_KNOWN_FEATURES,
        )
        return list_names(plan)

    def extract(
        self, scan: Scan, region: Region, parameters: ExtractionParameters
    ) -> dict[str, float]:
        """Compute the features of one region.

        Parameters
        ----------
        scan : Scan
            Its voxels in the type of the file: interpolated int16 values are truncated by ITK, so
            the type decides the numbers.
        region : Region
            On the grid of the scan, up to the tolerance of the domain.
        parameters : ExtractionParameters
            ``pipeline.standardise`` is not applied here.

        Returns
        -------
        dict of str to float
            Always all of :meth:`feature_names`, in that order; NaN where PyRadiomics gives no
            value (LoG of an image that is too small, for instance).

        Raises
        ------
        CaseError
            With PyRadiomics' reason.
        """
        names = self.feature_names(parameters)
        extractor = _extractor_for(parameters)
        check_drawn(region.inside, region.name)  # what PyRadiomics' reading of masks refuses
        # The scan's grid for both: the mask's may differ in the last digits.
        mask = region_to_itk(Region(region.inside, scan.geometry, region.name))
        try:
            with np.errstate(divide="ignore", invalid="ignore"):
                values = extractor.execute(to_itk(scan), mask, label=_REGION_LABEL)
        except _FAILURES as error:
            reason = " ".join(str(error).split())
            msg = f"PyRadiomics refuses the {region.name} region: {reason}"
            raise CaseError(msg) from error
        found = {
            name: float(value)
            for name, value in values.items()
            if not name.startswith("diagnostics_")
        }
        return _in_order(found, names)


def _in_order(found: dict[str, float], names: tuple[str, ...]) -> dict[str, float]:
    unannounced = sorted(found.keys() - set(names))
    if unannounced:
        msg = f"PyRadiomics gives features that were not announced: {unannounced[:5]}"
        raise TypeError(msg)
    missing = [name for name in names if name not in found]
    if missing:
        _LOG.warning(
            "PyRadiomics gave no value for %d features, such as %s.", len(missing), missing[0]
        )
    return {name: found.get(name, float("nan")) for name in names}


def _extractor_for(parameters: ExtractionParameters) -> RadiomicsFeatureExtractor:
    source = parameters.source or "the extraction parameters"
    try:
        return _extractor(json.dumps(parameters.native()))
    except (RuntimeError, TypeError, ValueError) as error:
        reason = _SCHEMA_FRAME.sub(" ", " ".join(str(error).split())).strip()
        msg = f"{source}: PyRadiomics refuses this: {reason}"
        raise ConfigError(msg) from error


@lru_cache(maxsize=16)
def _extractor(native_json: str) -> RadiomicsFeatureExtractor:
    """Make PyRadiomics' extractor; it validates the parameters, which takes a while."""
    native = json.loads(native_json)
    _check_image_types(native)
    # Provenance costs time and is dropped anyway.
    native["setting"]["additionalInfo"] = False
    return _FrugalExtractor(native)


def _check_image_types(native: dict[str, Any]) -> None:
    for name, own in native["imageType"].items():
        if name == "LoG" and not {**native["setting"], **own}.get("sigma"):
            msg = "imageType LoG: key sigma is missing. Give a list of widths in mm, such as [3.0]."
            raise ValueError(msg)
        package = _NEEDS.get(name)
        if package and find_spec(package) is None:
            msg = f"imageType {name}: needs the package {package}, which is not installed."
            raise ValueError(msg)


class _FrugalExtractor(RadiomicsFeatureExtractor):  # type: ignore[misc] # PyRadiomics has no types
    """PyRadiomics' extractor without work on parts of the frame that cannot matter.

    PyRadiomics computes spline coefficients of the whole frame although it interpolates only around
    the region; on a whole CT with a small tumour that is most of its time. Here the frame is cut
    first, with the same grid and the same numbers. For images and masks in memory, on one grid,
    with the label present.
    """

    def loadImage(  # noqa: N802 - overrides PyRadiomics' method
        self,
        image: sitk.Image,
        mask: sitk.Image,
        general_info: None = None,
        **settings: Any,
    ) -> tuple[sitk.Image, sitk.Image]:
        """Normalise and resample as the settings say; see PyRadiomics' method of this name."""
        # Normalisation looks at the whole frame.
        if settings.get("normalize") or settings.get("preCrop"):
            return tuple(super().loadImage(image, mask, general_info, **settings))
        if settings.get("interpolator") is None or settings.get("resampledPixelSpacing") is None:
            return image, mask
        near = _cut_around_region(image, mask, settings)
        if _depends_on_last_digits(near, mask, settings):
            near = image
        resampled: tuple[sitk.Image, sitk.Image] = imageoperations.resampleImage(
            near, mask, **settings
        )
        return resampled


def _cut_around_region(image: sitk.Image, mask: sitk.Image, settings: dict[str, Any]) -> sitk.Image:
    """Cut the image down to what interpolation around the region can see.

    The mask stays whole: PyRadiomics lays the new grid by the mask alone.
    """
    inside = sitk.GetArrayViewFromImage(mask) == settings["label"]
    pad = settings.get("padDistance", 5) + 2
    block = []
    for axis, (old_mm, new_mm) in enumerate(
        zip(image.GetSpacing(), settings["resampledPixelSpacing"], strict=True)
    ):
        others = tuple(number for number in range(3) if number != 2 - axis)  # arrays are z, y, x
        filled = np.flatnonzero(inside.any(axis=others))
        margin = ceil(pad * max(new_mm / old_mm, 1.0)) + _SPLINE_REACH_VOXELS
        block.append(slice(max(int(filled[0]) - margin, 0), int(filled[-1]) + margin + 1))
    x, y, z = block
    cut: sitk.Image = image[x, y, z]
    return cut


def _depends_on_last_digits(image: sitk.Image, mask: sitk.Image, settings: dict[str, Any]) -> bool:
    """Tell whether truncating interpolated values to whole numbers hangs on rounding errors.

    That is so where new and old voxels coincide and in areas of one value. ITK truncates whenever
    the image is stored in whole numbers.
    """
    if "integer" not in image.GetPixelIDTypeAsString():
        return False
    exact, _ = imageoperations.resampleImage(sitk.Cast(image, sitk.sitkFloat64), mask, **settings)
    values = sitk.GetArrayViewFromImage(exact)
    return bool((np.abs(values - np.rint(values)) < _ROUNDING_MARGIN).any())
