"""The names that PyRadiomics will give to its features, known before any image is read.

A table needs all its columns whatever happens to single cases, so the columns come from the
parameters and not from the first result.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_WITHDRAWN = {
    ("glcm", "Dissimilarity"),
    ("glcm", "Homogeneity1"),
    ("glcm", "Homogeneity2"),
    ("glcm", "SumVariance"),
    ("gldm", "GrayLevelNonUniformityNormalized"),
    ("gldm", "DependencePercentage"),
}
"""Features that PyRadiomics accepts by name and then leaves out, being equal to another."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What PyRadiomics is asked for.

    Parameters
    ----------
    image_types : mapping of str to mapping
        Enabled image types with their own settings, which go before the general ones.
    classes : mapping of str to sequence of str
        Enabled feature classes with the features chosen, none for all.
    settings : mapping
        General settings.
    known : mapping of str to mapping of str to bool
        All features of each class, and whether each is deprecated (then only given by name).
    """

    image_types: Mapping[str, Mapping[str, Any]]
    classes: Mapping[str, Sequence[str]]
    settings: Mapping[str, Any]
    known: Mapping[str, Mapping[str, bool]]


def list_names(plan: Plan) -> tuple[str, ...]:
    """Return the names of all features, ``<image>_<class>_<feature>``, in PyRadiomics' order."""
    return tuple(dict.fromkeys([*_shape_names(plan), *_intensity_names(plan)]))


def _shape_names(plan: Plan) -> Iterator[str]:
    for name in ("shape", "shape2D"):
        flat_only = name == "shape2D" and not plan.settings.get("force2D")
        if name in plan.classes and not flat_only:
            for feature in _features_of(plan, name):
                yield f"original_{name}_{feature}"


def _intensity_names(plan: Plan) -> Iterator[str]:
    for image_type, own in plan.image_types.items():
        for image_name in _image_names(image_type, {**plan.settings, **own}):
            for name in plan.classes:
                if not name.startswith("shape"):
                    for feature in _features_of(plan, name):
                        yield f"{image_name}_{name}_{feature}"


def _features_of(plan: Plan, name: str) -> list[str]:
    known = plan.known[name].items()
    names = plan.classes[name] or [feature for feature, deprecated in known if not deprecated]
    return [feature for feature in names if (name, feature) not in _WITHDRAWN]


def _image_names(image_type: str, settings: dict[str, Any]) -> list[str]:
    """Return the names of the images that an image type gives, in PyRadiomics' order."""
    if image_type == "LoG":
        return [f"log-sigma-{str(s).replace('.', '-')}-mm-3D" for s in settings["sigma"]]
    if image_type == "Wavelet":
        return list(_wavelet_names(settings))
    if image_type == "LBP2D":
        return ["lbp-2D"]
    if image_type == "LBP3D":
        levels = range(1, settings.get("lbp3DLevels", 2) + 1)
        return [*(f"lbp-3D-m{level}" for level in levels), "lbp-3D-k"]
    return [image_type.lower()]


def _wavelet_names(settings: dict[str, Any]) -> Iterator[str]:
    axes = 2 if settings.get("force2D") else 3
    levels = settings.get("level", 1)
    bands = [format(number, f"0{axes}b").translate({48: "L", 49: "H"}) for number in range(2**axes)]
    for level in range(1, levels + 1):
        for band in bands[1:]:
            yield f"wavelet{level if level > 1 else ''}-{band}"
    yield f"wavelet{levels if levels > 1 else ''}-{bands[0]}"
