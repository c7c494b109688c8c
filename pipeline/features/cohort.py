"""What the columns of a cohort's feature table are."""

from collections.abc import Iterable

from pipeline.config.extraction import ExtractionParameters
from pipeline.features.engine import choose_engine


def list_feature_names(parameters: Iterable[ExtractionParameters]) -> list[str]:
    """Return the names of all features that the parameters give, each once, in the engines' order.

    Raises
    ------
    ConfigError
        If an engine does not accept its parameters.
    """
    names = (name for one in parameters for name in choose_engine(one).engine.feature_names(one))
    return list(dict.fromkeys(names))
