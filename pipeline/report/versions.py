"""Versions of the software that a report was made with."""

import platform
from importlib.metadata import PackageNotFoundError, version

_PACKAGES = (
    "hcc-necrosis",
    "numpy",
    "scipy",
    "pandas",
    "scikit-learn",
    "lightgbm",
    "SimpleITK",
    "pyradiomics",
)


def list_versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that the figures depend on."""
    return {"Python": platform.python_version(), **{name: _version(name) for name in _PACKAGES}}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
