"""What every radiomics engine offers, and where to get one by name."""

from dataclasses import dataclass
from functools import cache
from typing import Protocol

from pipeline.config.extraction import ExtractionParameters
from pipeline.domain.errors import InstallationError
from pipeline.domain.scan import Region, Scan
from pipeline.store.keys import identify_software

_SHARED_CODE = (
    "pipeline/imaging/intensity.py",
    *(
        f"pipeline/features/{name}.py"
        for name in ("extraction", "native_settings", "pyradiomics_features", "pyradiomics_names")
    ),
)
_CODE = {
    "fast": (*_SHARED_CODE, "pipeline/features/fast", "pipeline/features/ibsi"),
    "pyradiomics": (
        *_SHARED_CODE,
        "pipeline/features/pyradiomics_engine.py",
        "pipeline/features/fast/region_checks.py",
        "pipeline/imaging/itk.py",
    ),
}
"""What of this software decides the numbers of an engine."""

_LIBRARIES = {
    "fast": ("numpy", "PyWavelets", "SimpleITK"),
    "pyradiomics": (
        *("numpy", "scipy", "pyradiomics", "PyWavelets", "SimpleITK"),
        *("scikit-image", "trimesh"),  # LBP images, where they are installed
    ),
}


class RadiomicsEngine(Protocol):
    """Computes radiomics features of one region of one scan."""

    @property
    def name(self) -> str:
        """Name of the engine, as in a parameter file."""
        ...

    @property
    def version(self) -> str:
        """Version of the engine; results of different versions are kept apart."""
        ...

    def feature_names(self, parameters: ExtractionParameters) -> tuple[str, ...]:
        """Return the names that :meth:`extract` gives, in order, without an image.

        Raises
        ------
        ConfigError
            If the engine does not accept the parameters.
        """
        ...

    def extract(
        self, scan: Scan, region: Region, parameters: ExtractionParameters
    ) -> dict[str, float]:
        """Compute the features; NaN where the engine gives no value.

        Raises
        ------
        CaseError
            If the engine refuses the case, with its reason.
        """
        ...


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """The engine that computes a parameter file.

    Parameters
    ----------
    engine : RadiomicsEngine
        What computes.
    reason : str
        Why it is not the one that the file names; empty where it is.
    """

    engine: RadiomicsEngine
    reason: str = ""


def choose_engine(parameters: ExtractionParameters) -> EngineChoice:
    """Choose the engine before any image is read: PyRadiomics for what the fast one lacks.

    The choice depends on the parameters alone, so all cases of a table come from one engine.
    """
    if parameters.pipeline.engine == "fast" and parameters.pipeline.preset == "none":
        from pipeline.features.fast.coverage import find_uncovered

        uncovered = find_uncovered(parameters)
        if uncovered:
            reason = f"the fast engine does not cover {uncovered}"
            return EngineChoice(load_engine("pyradiomics"), reason)
    return EngineChoice(load_engine(parameters.pipeline.engine))


@cache
def load_engine(name: str) -> RadiomicsEngine:
    """Return the engine of this name; its library is imported only now.

    Raises
    ------
    InstallationError
        If the fast engine's kernels are not compiled from the source that is here.
    """
    if name == "fast":
        try:
            from pipeline.features.fast.engine import FastEngine
        except ImportError as error:
            msg = f"the compiled kernels cannot be loaded ({error}). Run `make setup`."
            raise InstallationError(msg) from error

        return FastEngine()
    if name == "pyradiomics":
        from pipeline.features.pyradiomics_engine import PyradiomicsEngine

        return PyradiomicsEngine()
    msg = f"no radiomics engine is called {name!r}"
    raise ValueError(msg)


@cache
def identify_engine(name: str) -> str:
    """Return a hash of the code and the libraries that decide an engine's numbers."""
    return identify_software(_CODE.get(name, ()), _LIBRARIES.get(name, ()))
