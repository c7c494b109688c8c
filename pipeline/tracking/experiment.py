"""One run of the pipeline in MLflow: a parent run, a child run a candidate, the model."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.config.loading import read_yaml
from pipeline.domain.errors import PipelineError
from pipeline.tracking.provenance import flatten, git_commit, sha256_of
from pipeline.tracking.store import mlflow, open_experiment

CHAMPION = "champion"
"""Alias of the registered model that met every acceptance threshold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentFiles:
    """What one ``dvc repro`` left on disk, which is all that is logged.

    Parameters
    ----------
    project : Path
        Root of the repository.
    configs, cohort, train, evaluation, report, bundle : Path
        Folders of the settings and of the stages' outputs.
    features : Path
        The assembled feature table.
    """

    project: Path
    configs: Path
    cohort: Path
    features: Path
    train: Path
    evaluation: Path
    report: Path
    bundle: Path


def log_experiment(files: ExperimentFiles) -> str:
    """Log a finished run: settings, data hashes, metrics, pictures, report and model.

    Metrics of the declared model are on the parent run, because the UI collapses child runs; each
    feature set and candidate has a child run. The model is registered, and the alias
    ``champion`` moves to it only where ``acceptance.json`` says that every threshold was met.

    Returns
    -------
    str
        The parent run's identifier.
    """
    cohort = _read_json(files.cohort / "cohort.json")
    outcome = str(cohort["outcome"]["name"])
    experiment = open_experiment(
        files.project, f"{outcome} (synthetic)" if cohort["synthetic"] else outcome
    )
    metrics = _numbers(_read_json(files.evaluation / "metrics.json"))
    with mlflow.start_run(experiment_id=experiment, run_name=_run_name(outcome, metrics)) as run:
        mlflow.set_tags(_tags(files, cohort))
        mlflow.log_params(_params(files.configs))
        mlflow.log_metrics({name: value for name, value in metrics.items() if "/" not in name})
        _log_artifacts(files)
        _log_children(experiment, metrics)
        version = _log_model(files, outcome)
        _judge(files, version)
        return str(run.info.run_id)


def _run_name(outcome: str, metrics: dict[str, float]) -> str:
    auc = metrics.get("auc")
    return f"{outcome}, AUC {auc:.2f}" if auc is not None else outcome


def _tags(files: ExperimentFiles, cohort: dict[str, Any]) -> dict[str, str]:
    lock = files.project / "dvc.lock"
    tags = {
        "git_commit": git_commit(files.project) or "not a git repository",
        "features_sha256": sha256_of(files.features),
        "cohort_sha256": sha256_of(files.cohort / "scans.csv"),
        "outcome": str(cohort["outcome"]["name"]),
        "synthetic": str(cohort["synthetic"]).lower(),
        "mlflow.note.content": _note(cohort),
    }
    return tags | ({"dvc_lock_sha256": sha256_of(lock)} if lock.is_file() else {})


def _note(cohort: dict[str, Any]) -> str:
    note = (
        f"{cohort['with_outcome']} patients, {cohort['positive']} with {cohort['outcome']['name']}."
    )
    return f"**Synthetic, not evidence.** {note}" if cohort["synthetic"] else note


def _params(configs: Path) -> dict[str, str]:
    params: dict[str, str] = {}
    for file in sorted(configs.glob("*.yaml")):
        params |= flatten(read_yaml(file), f"{file.stem}.")
    return {name: value[:6000] for name, value in params.items()}  # MLflow's limit


def _log_artifacts(files: ExperimentFiles) -> None:
    mlflow.log_artifacts(str(files.configs), "configs")
    mlflow.log_artifacts(str(files.evaluation), "evaluation")
    mlflow.log_artifacts(str(files.report), "report")
    mlflow.log_artifact(str(files.train / "train.json"), "train")


def _log_children(experiment: str, metrics: dict[str, float]) -> None:
    candidates: dict[str, dict[str, float]] = {}
    for name, value in metrics.items():
        run_name, _, metric = name.rpartition("/")
        if run_name:
            candidates.setdefault(run_name, {})[metric] = value
    for run_name, values in sorted(candidates.items()):
        with mlflow.start_run(experiment_id=experiment, run_name=run_name, nested=True):
            feature_set, _, candidate = run_name.partition("/")
            mlflow.set_tags({"feature_set": feature_set, "candidate": candidate})
            mlflow.log_metrics(values)


def _log_model(files: ExperimentFiles, outcome: str) -> Any:
    from mlflow.models import infer_signature

    from pipeline.modeling.bundle import load_bundle

    bundle = load_bundle(files.bundle)
    rows = bundle.example_row()
    answer = pd.DataFrame({"probability": bundle.predict(rows)})
    model = mlflow.pyfunc.log_model(
        name="model",
        python_model=str(Path(__file__).with_name("served_model.py")),
        artifacts={"bundle": str(files.bundle)},
        code_paths=[str(Path(__file__).parents[1])],
        signature=infer_signature(rows, answer),
        input_example=rows,
        pip_requirements=_requirements(),
    )
    return mlflow.register_model(model.model_uri, _registered_name(outcome))


def _registered_name(outcome: str) -> str:
    return "necrosis-" + "-".join(outcome.lower().split())


def _requirements() -> list[str]:
    from importlib.metadata import version

    needed = (
        "numpy",
        "pandas",
        "scikit-learn",
        "lightgbm",
        "skops",
        "pydantic",
        "pyyaml",
        "pyarrow",
    )
    return [f"{name}=={version(name)}" for name in (*needed, "mlflow")]


def _judge(files: ExperimentFiles, version: Any) -> None:
    """Record the acceptance and move the alias only where everything was met."""
    criteria = _read_json(files.evaluation / "acceptance.json")
    if not isinstance(criteria, list) or not criteria:
        msg = f"{files.evaluation / 'acceptance.json'}: expected a list of criteria. Run evaluate."
        raise PipelineError(msg)
    accepted = all(bool(criterion["passed"]) for criterion in criteria)
    mlflow.set_tag("accepted", str(accepted).lower())
    client = mlflow.MlflowClient()
    client.set_model_version_tag(version.name, version.version, "accepted", str(accepted).lower())
    if accepted:
        client.set_registered_model_alias(version.name, CHAMPION, version.version)


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _numbers(flat: dict[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in flat.items() if isinstance(value, int | float)}
