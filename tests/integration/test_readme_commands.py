"""The README's commands, run as written on a small demo cohort."""

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from conftest import BIN, Project, readme_commands
from dicom_trees import Study, write_ct, write_hcc_tace_seg, write_seg
from waw_tace_tree import write_waw_tace

pytestmark = pytest.mark.slow


def command_with(text: str) -> str:
    """Return the README's only command that contains a text."""
    lines: list[str] = [line for line in readme_commands() if text in line]
    assert len(lines) == 1, lines
    return lines[0]


def run_readme(project: Project, text: str, **places: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the README with its example paths replaced by real ones."""
    words = [places.get(word, word) for word in shlex.split(command_with(text))]
    return project.run(*words)


def test_check(project: Project) -> None:
    done = run_readme(project, "pipeline.check", **{"path/to/cohort": "data/demo"})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "24 patients" in done.stdout


def test_extract_one_case(project: Project) -> None:
    folder = "data/demo/images/DEMO_001"
    done = run_readme(
        project,
        "pipeline.extract --image",
        **{
            "ct.nii.gz": f"{folder}/preop_arterial.nii.gz",
            "tumour.nii.gz": f"{folder}/preop_tumour.nii.gz",
        },
    )
    assert done.returncode == 0, done.stderr
    header, row = (project.folder / "features.csv").read_text().splitlines()
    assert "original_glcm_Contrast" in header.split(",")
    assert len(row.split(",")) == len(header.split(","))


def test_extract_a_cohort_and_free_space_in_the_store(project: Project, tmp_path: Path) -> None:
    out, store = tmp_path / "features", {"NECROSIS_STORE": str(tmp_path / "store")}
    places = {"path/to/cohort": "data/demo", "features": str(out)}
    line = next(line for line in readme_commands() if "pipeline.extract --cohort" in line)
    done = project.run(*(places.get(word, word) for word in shlex.split(line)), env=store)
    assert done.returncode == 0, done.stderr
    about = json.loads((out / "extraction.json").read_text())
    assert about["engine"]["used"] == "fast"
    assert about["ibsi_codes"]["original_firstorder_Mean"] == "Q4LE"
    assert len((out / "failures.csv").read_text().splitlines()) == 1
    kept = project.run(*shlex.split(command_with("pipeline.store")), env=store)
    assert kept.returncode == 0, kept.stderr
    assert "0 entries" in kept.stdout


def test_stability_between_two_readers(project: Project) -> None:
    """Readers who draw the same contours agree in every feature."""
    rows = pd.read_csv(project.folder / "data/demo/scans.csv", dtype=str)
    chosen = rows[(rows["phase"] == "arterial") & (rows["timepoint"] == "preop")]
    chosen = chosen.assign(second="second_" + chosen["mask"].str.replace("/", "_"))
    folder = project.folder / "data/demo"
    for mask, second in zip(chosen["mask"], chosen["second"], strict=True):
        shutil.copyfile(folder / mask, folder / second)
    columns = ["patient_id", "timepoint", "modality", "phase"]
    table = chosen[columns].assign(mask=chosen["second"])
    table.to_csv(project.folder / "second_masks.csv", index=False)
    done = run_readme(project, "--second-masks")
    assert done.returncode == 0, done.stderr
    table = pd.read_parquet(project.folder / "readers.parquet")
    read = table.dropna(subset=["icc_2_1"])
    assert len(read) > 90
    assert read[["icc_2_1", "icc_3_1"]].to_numpy() == pytest.approx(1)


def test_extract_a_cohort_on_a_cluster(project: Project, tmp_path: Path) -> None:
    port, out = free_port(), tmp_path / "features"
    places = {"path/to/cohort": "data/demo", "features": str(out)}
    places |= {"tcp://127.0.0.1:8786": f"tcp://127.0.0.1:{port}"}
    environment = {"NECROSIS_STORE": str(tmp_path / "store")}
    scheduler = [*shlex.split(command_with("dask scheduler")), "--port", str(port)]
    worker, extract = (
        [places.get(word, word) for word in shlex.split(command_with(text))]
        for text in ("dask worker", "--executor dask")
    )
    with running(project, scheduler), running(project, worker):
        done = project.run(*extract, env=environment)
    assert done.returncode == 0, done.stderr
    assert len((out / "failures.csv").read_text().splitlines()) == 1


@pytest.mark.real_data
def test_ibsi_compliance(project: Project, real_data: Path) -> None:
    done = run_readme(
        project, "pipeline.features.ibsi", **{"path/to/ibsi": str(real_data / "ibsi")}
    )
    assert done.returncode == 0, done.stderr
    assert "257" in done.stdout


def test_crossval(project: Project, tmp_path: Path) -> None:
    import numpy as np

    rng = np.random.default_rng(0)
    lines = ["patient_id,pcr,a,b"]
    lines += [f"P{i:02d},{i % 3 == 0:d},{rng.normal():.3f},{rng.normal():.3f}" for i in range(45)]
    table = tmp_path / "features.csv"
    table.write_text("\n".join(lines))
    done = run_readme(project, "pipeline.crossval", **{"features.csv": str(table)})
    assert done.returncode == 0, done.stderr
    assert (project.folder / "crossval/predictions.csv").is_file()


def validated_by(project: Project, line: str) -> dict[str, Any]:
    """Run an experiment up to the checked cohort, and put the settings back."""
    done = project.run(*shlex.split(line), "validate")
    assert done.returncode == 0, done.stderr
    about: dict[str, Any] = json.loads((project.folder / "data/cohort/cohort.json").read_text())
    for command in (["git", "checkout", "--", "configs"], ["dvc", "repro", "validate"]):
        restored = project.run(*command)
        assert restored.returncode == 0, restored.stderr
    return about


def test_an_experiment_on_another_cohort(project: Project, tmp_path: Path) -> None:
    other = tmp_path / "other"
    assert project.run("cp", "-r", "data/demo", str(other)).returncode == 0
    line = command_with("root=path/to/cohort")
    about = validated_by(project, line.replace("path/to/cohort", str(other)))
    assert (about["patients"], about["outcome"]["name"]) == (24, "pCR")


def test_a_dicom_tree_becomes_a_cohort(project: Project, tmp_path: Path) -> None:
    study = Study(patient_id="ZOE", date="20200101", folder=tmp_path / "pacs")
    write_seg(study, write_ct(study, 1, "portal venous", "portal"))
    places = {"path/to/dicom": str(tmp_path / "pacs"), "path/to/key.csv": str(tmp_path / "key.csv")}
    done = run_readme(project, "--format dicom", **places)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "P001,preop,CT,portal" in (project.folder / "data/ours/scans.csv").read_text()


@pytest.mark.parametrize(
    ("name", "write", "patients"),
    [("hcc-tace-seg", write_hcc_tace_seg, 5), ("waw-tace", write_waw_tace, 2)],
)
def test_a_collection_becomes_a_cohort_that_an_experiment_takes(
    project: Project, tmp_path: Path, name: str, write: Callable[[Path], None], patients: int
) -> None:
    write(tmp_path / "source")
    place = {f"path/to/{name.replace('-', '_')}": str(tmp_path / "source")}
    done = run_readme(project, f"--format {name}", **place)
    assert done.returncode == 0, done.stdout + done.stderr
    about = validated_by(project, command_with(f"preset={name}"))
    assert about["patients"] == patients
    assert not about["synthetic"]


@pytest.mark.real_data
def test_the_experiment_on_the_sarcoma_cohort(project: Project, real_data: Path) -> None:
    line = command_with("preset=sts")
    about = validated_by(project, line.replace("../shared/data/sts", str(real_data / "sts")))
    assert (about["patients"], about["positive"], about["scans"]) == (22, 8, 66)
    assert about["outcome"]["name"] == "lung metastasis"


def test_the_mlflow_ui_starts_on_the_project_s_store(project: Project) -> None:
    port = free_port()
    words = [*shlex.split(command_with("mlflow ui")), "--port", str(port)]
    with running(project, words):
        assert answers(f"http://127.0.0.1:{port}/health")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(project: Project, words: list[str]) -> Iterator[None]:
    """Run a server of this environment in the project, and end it with all its processes."""
    server = subprocess.Popen(
        [str(BIN / words[0]), *words[1:]],
        cwd=project.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def answers(address: str) -> bool:
    """Ask until the server is up, at most a minute."""
    for _ in range(60):
        try:
            with urllib.request.urlopen(address, timeout=5) as response:
                return bool(response.status == 200)
        except OSError:
            time.sleep(1)
    return False
