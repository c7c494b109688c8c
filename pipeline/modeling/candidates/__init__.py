"""Model families by the name that settings use; a new one is a file with ``build`` and a line."""

from collections.abc import Callable

from pipeline.config.train import AVERAGE, LOGISTIC, TrainConfig
from pipeline.modeling.candidates import boosted_trees, elastic_net, logistic, random_forest
from pipeline.modeling.candidates.average import Average
from pipeline.modeling.estimators import Classifier

BUILDERS: dict[str, Callable[[TrainConfig], Classifier]] = {
    "elastic_net": elastic_net.build,
    "lightgbm": boosted_trees.build,
    "random_forest": random_forest.build,
    LOGISTIC: logistic.build,
}
"""Makes an unfitted candidate from the settings."""


def build_candidate(name: str, config: TrainConfig) -> Classifier:
    """Make an unfitted candidate; ``average`` votes over the configured ones."""
    if name == AVERAGE:
        return Average([(member, BUILDERS[member](config)) for member in config.candidates])
    return BUILDERS[name](config)
