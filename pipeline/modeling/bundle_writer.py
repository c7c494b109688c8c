"""Write a model bundle: complete or not at all, and the same bytes for the same training."""

import hashlib
import platform
import shutil
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from sklearn.pipeline import Pipeline

from pipeline.config.cohort import CohortConfig
from pipeline.domain.errors import BundleError, ConfigError
from pipeline.modeling.bundle import CONFIGS, CONTENTS, EXAMPLE, MODEL, load_bundle
from pipeline.modeling.bundle_contents import BundleContents
from pipeline.modeling.manifest import MANIFEST, hash_file, write_manifest
from pipeline.modeling.serialisation import dump_procedure
from pipeline.tabular import write_bytes, write_json, write_text

SCORING_SETTINGS = (
    "assemble.yaml",
    "biomarkers.yaml",
    "extraction_*.yaml",
    "measure.yaml",
    "prepare.yaml",
    "train.yaml",
)
"""Settings between a scan and its probability. Those of evaluation, report and demo cohort are
left out: an edit of them must not change the model."""

PACKAGES = ("numpy", "scikit-learn", "lightgbm", "pyradiomics", "SimpleITK", "skops")
"""Packages that decide the numbers."""


def write_bundle(
    folder: Path,
    contents: BundleContents,
    procedure: Pipeline,
    example: "pd.Series[float]",
    settings: Mapping[str, str],
) -> None:
    """Write a bundle in place of what the folder holds, and load it once.

    Parameters
    ----------
    folder : Path
        Replaced as a whole.
    contents : BundleContents
        Goes into ``bundle.json``.
    procedure : sklearn.pipeline.Pipeline
        Fitted on the features of ``contents``, in that order.
    example : pandas.Series
        One row of features by name; its probability is recomputed whenever the bundle is loaded.
    settings : mapping of str to str
        Name and text of each settings file, see :func:`collect_settings`.

    Raises
    ------
    BundleError
        If the folder holds something else than a bundle, or the written bundle does not load.
    """
    _check_replaceable(folder)
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    write_json(contents.as_dict(), partial / CONTENTS)
    write_bytes(dump_procedure(procedure), partial / MODEL)
    write_json(_work_out(procedure, example, contents), partial / EXAMPLE)
    for name, text in settings.items():
        write_text(text, partial / CONFIGS / name)
    write_manifest(partial)
    load_bundle(partial)
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)


def _check_replaceable(folder: Path) -> None:
    """Refuse to delete a folder that no bundle was written to, such as the project's root."""
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MANIFEST).is_file():
        msg = (
            f"{folder}: expected a bundle or an empty folder to replace, got other files."
            " Name another folder, or empty this one."
        )
        raise BundleError(msg)


def collect_settings(configs: Path, cohort: CohortConfig) -> dict[str, str]:
    """Return name and text of every settings file that scoring needs.

    The cohort's settings are written as resolved, without their preset, and without the place
    of the training cohort, which is nobody's business where the model is used.

    Raises
    ------
    ConfigError
        If a file is missing.
    """
    found = {pattern: sorted(configs.glob(pattern)) for pattern in SCORING_SETTINGS}
    absent = [pattern for pattern, files in found.items() if not files]
    if absent:
        msg = (
            f"{configs}: expected the settings {', '.join(SCORING_SETTINGS)}, lacking"
            f" {', '.join(absent)}. Restore them or correct --configs."
        )
        raise ConfigError(msg)
    texts = {
        file.name: file.read_text(encoding="utf-8") for files in found.values() for file in files
    }
    resolved = cohort.model_copy(update={"root": Path(), "preset": None})
    dumped = yaml.safe_dump(resolved.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    header = "# As resolved when the model was trained; root is not used in scoring.\n"
    return {**texts, "cohort.yaml": header + dumped}


def list_versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that decide the numbers."""
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}


def hash_inputs(features: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """Return the SHA-256 of the feature table's file and of each settings text."""
    return {
        features.name: hash_file(features),
        **{
            f"{CONFIGS}/{name}": hashlib.sha256(text.encode("utf-8")).hexdigest()
            for name, text in sorted(settings.items())
        },
    }


def _work_out(
    procedure: Pipeline, example: "pd.Series[float]", contents: BundleContents
) -> dict[str, object]:
    names = [spec.name for spec in contents.features]
    row = example[names].to_numpy(dtype=np.float64)
    probability = float(procedure.predict_proba(row[np.newaxis, :])[0, 1])
    values = [None if np.isnan(value) else float(value) for value in row]
    return {"features": dict(zip(names, values, strict=True)), "probability": probability}
