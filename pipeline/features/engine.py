"""What every radiomics engine offers, and where to get one by name."""

from functools import cache
from typing import Protocol

from pipeline.config.extraction import ExtractionParameters
from pipeline.domain.scan import Region, Scan


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


@cache
def load_engine(name: str) -> RadiomicsEngine:
    """Return the engine of this name; its library is imported only now."""
    if name == "pyradiomics":
        from pipeline.features.pyradiomics_engine import PyradiomicsEngine

        return PyradiomicsEngine()
    msg = f"no radiomics engine is called {name!r}"
    raise ValueError(msg)
