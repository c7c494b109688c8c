"""Who computed a table of features, with what, and what a user should know of it."""

import logging
from collections.abc import Mapping
from importlib import metadata
from typing import Any

import pandas as pd

from pipeline.config.extraction import ExtractionParameters
from pipeline.features.engine import choose_engine
from pipeline.features.grey_level_counts import find_unsuited_widths
from pipeline.features.ibsi.codes import ibsi_codes

_LIBRARIES = ("numpy", "pyradiomics", "PyWavelets", "SimpleITK")
_REMARKS_SHOWN = 3
_LOG = logging.getLogger(__name__)


def describe_extraction(features: pd.DataFrame, parameters: ExtractionParameters) -> dict[str, Any]:
    """Describe how a table of features came to be.

    Returns
    -------
    dict
        Plain values: the engine asked for, the one used, its version and why it differs, all
        settings, versions of libraries, remarks on the numbers of grey levels, and the IBSI's code
        of each feature that has one.
    """
    choice = choose_engine(parameters)
    return {
        "engine": {
            "asked": parameters.pipeline.engine,
            "used": choice.engine.name,
            "version": choice.engine.version,
            "reason": choice.reason,
        },
        "settings": parameters.native(),
        "pipeline": parameters.pipeline.model_dump(mode="json"),
        "versions": {name: metadata.version(name) for name in _LIBRARIES},
        "ibsi_codes": ibsi_codes(features.columns),
        "remarks": [str(count) for count in find_unsuited_widths(features, parameters)],
    }


def log_remarks(provenance: Mapping[str, Any]) -> None:
    """Say what a user should know before using the features."""
    engine = provenance["engine"]
    if engine["reason"]:
        _LOG.warning("%s; computed by %s instead.", engine["reason"].capitalize(), engine["used"])
    remarks = provenance["remarks"]
    for remark in remarks[:_REMARKS_SHOWN]:
        _LOG.warning("grey levels: %s", remark)
    if len(remarks) > _REMARKS_SHOWN:
        more = len(remarks) - _REMARKS_SHOWN
        _LOG.warning("grey levels: %d more image types; the metadata of the table list them.", more)
