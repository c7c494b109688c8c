"""Comparison of our features and filters with the published reference values."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline.domain.errors import ReferenceDataError
from pipeline.domain.scan import Region, Scan
from pipeline.features.ibsi.codes import CODES
from pipeline.features.ibsi.configurations import (
    DIRECTIONAL,
    IBSI1,
    IBSI2,
    RESPONSE_MAPS,
    Configuration,
    ResponseMap,
)
from pipeline.features.ibsi.features import compute_by_standard, standard_images
from pipeline.features.ibsi.preprocessing import prepare_by_standard
from pipeline.features.ibsi.references import (
    SOURCES,
    Reference,
    read_filter_phantom,
    read_ibsi1,
    read_ibsi2,
    read_phantom,
    read_response_map,
)

Found = dict[tuple[str, str], tuple[str, float]]
"""Our feature and its value, by code and aggregation."""

MAP_TOLERANCE = 0.01
"""Of the range of a response map: how far a voxel may be off (IBSI-2)."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A published value and ours.

    Parameters
    ----------
    name : str
        PyRadiomics' class and feature, or the filter.
    reference : Reference
        The published value.
    value : float
        Ours.
    """

    name: str
    reference: Reference
    value: float

    @property
    def matched(self) -> bool:
        """Within the tolerance, or the same after rounding to the reference's three digits."""
        expected = self.reference.value
        close = abs(self.value - expected) <= self.reference.tolerance
        return close or float(f"{self.value:.3g}") == expected


@dataclass(frozen=True, slots=True)
class Compliance:
    """The comparison for one configuration.

    Parameters
    ----------
    name : str
        Of the configuration.
    compared : tuple of Comparison
        The comparable values.
    without_counterpart : tuple of Reference
        Those of features that PyRadiomics lacks.
    """

    name: str
    compared: tuple[Comparison, ...]
    without_counterpart: tuple[Reference, ...]

    @property
    def failed(self) -> tuple[Comparison, ...]:
        """Comparable values that do not match."""
        return tuple(one for one in self.compared if not one.matched)


def compare_all(data: Path) -> Iterator[Compliance]:
    """Compare each configuration, as soon as it is computed.

    Parameters
    ----------
    data : Path
        See :mod:`pipeline.features.ibsi.references`.

    Raises
    ------
    ReferenceDataError
        If something is not there.
    """
    for configurations, references in ((IBSI1, read_ibsi1(data)), (IBSI2, read_ibsi2(data))):
        for one in configurations:
            found = compute_configuration(one, *read_phantom(data, one.phantom))
            yield compare(one.name, found, references)
    for wanted in RESPONSE_MAPS:
        yield compare_map(data, wanted)


def compute_configuration(configuration: Configuration, scan: Scan, region: Region) -> Found:
    """Compute all features of one configuration.

    Parameters
    ----------
    configuration : Configuration
        Of one image.
    scan, region : Scan, Region
        The phantom.
    """
    found: Found = {}
    for parameters, aggregation in configuration.runs():
        prepared = prepare_by_standard(scan, region, parameters)
        for name, value in compute_by_standard(prepared, parameters):
            _, feature_class, feature = name.split("_")
            key = f"{feature_class}_{feature}"
            if key in CODES:
                found[CODES[key], _aggregation(feature_class, aggregation)] = (key, value)
    return found


def compare(name: str, found: Found, references: Iterable[Reference]) -> Compliance:
    """Compare the features of a configuration with its published values."""
    compared, missing = [], []
    for reference in references:
        if reference.config == name:
            key = (reference.code, reference.aggregation)
            if key in found:
                compared.append(Comparison(found[key][0], reference, found[key][1]))
            else:
                missing.append(reference)
    return Compliance(name, tuple(compared), tuple(missing))


def compare_map(data: Path, wanted: ResponseMap) -> Compliance:
    """Compare a filtered phantom with its response map: the one value is the worst voxel's.

    Raises
    ------
    ReferenceDataError
        If phantom or map is not there, or one is not of the other.
    """
    expected = read_response_map(data, wanted.name).voxels.astype(np.float64)
    found = filter_phantom(read_filter_phantom(data, wanted.phantom), wanted)
    if found.shape != expected.shape:
        msg = (
            f"response map {wanted.name}: expected shape {found.shape} (z, y, x) of its phantom,"
            f" got {expected.shape}. {SOURCES}"
        )
        raise ReferenceDataError(msg)
    tolerance = MAP_TOLERANCE * float(np.ptp(expected))
    worst = float(np.abs(found - expected).max())
    reference = Reference(wanted.name, "Response map", wanted.image, "", "", 0.0, tolerance)
    return Compliance(wanted.name, (Comparison(wanted.image, reference, worst),), ())


def filter_phantom(scan: Scan, wanted: ResponseMap) -> npt.NDArray[np.float64]:
    """Filter a whole phantom; shape (z, y, x)."""
    everything = Region(np.ones(scan.voxels.shape, np.bool_), scan.geometry, "phantom")
    prepared = prepare_by_standard(scan, everything, wanted.parameters)
    images = standard_images(prepared, wanted.parameters)
    return next(image.values for name, image, _ in images if name == wanted.image)


def list_missing(results: Iterable[Compliance]) -> Mapping[str, list[str]]:
    """Return the features without counterpart, by family; one entry, ``all``, where all are."""
    compared: set[str] = set()
    missing: dict[str, dict[str, None]] = {}
    for result in results:
        compared.update(one.reference.family for one in result.compared)
        for reference in result.without_counterpart:
            missing.setdefault(reference.family, {})[reference.feature] = None
    return {
        family: list(features) if family in compared else ["all"]
        for family, features in missing.items()
    }


def _aggregation(feature_class: str, aggregation: str) -> str:
    """How the references name the way in which a class was aggregated."""
    if feature_class in ("shape", "firstorder"):
        return ""
    return aggregation if feature_class in DIRECTIONAL else aggregation.removesuffix("_avg")
