"""Where experiments are kept: an SQLite file in the project, or what the environment names."""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# mlflow reads these when it is imported: no usage statistics, no progress bars in logs.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("DO_NOT_TRACK", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")

import mlflow  # after the switches above

__all__ = ["mlflow", "open_experiment"]

DATABASE = "mlflow.db"
ARTIFACTS = "mlflow-artifacts"


def open_experiment(project: Path, name: str) -> str:
    """Select the store and the experiment, making both where they do not exist yet.

    Parameters
    ----------
    project : Path
        Folder of the database and the artifacts, unless ``MLFLOW_TRACKING_URI`` is set.
    name : str
        Experiment; runs are comparable within one.

    Returns
    -------
    str
        The experiment's identifier.
    """
    # mlflow's own messages concern its internals (schema migrations, missing pip).
    for logger in ("mlflow", "alembic"):
        logging.getLogger(logger).setLevel(logging.ERROR)
    project = project.resolve()
    with _one_at_a_time(project):
        mlflow.set_tracking_uri(
            os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{project / DATABASE}"
        )
        found = mlflow.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        # Without a location of its own an experiment writes below whatever folder one is in.
        location = (project / ARTIFACTS).as_uri()
        return str(mlflow.create_experiment(name, artifact_location=location))


@contextmanager
def _one_at_a_time(project: Path) -> Iterator[None]:
    """Hold a lock: two processes that create the database at once leave it broken."""
    with (project / f".{DATABASE}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
