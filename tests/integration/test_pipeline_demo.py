"""The whole pipeline as DVC runs it, on a small demo cohort, and scoring with what it made."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest
from conftest import Project

from pipeline.modeling.bundle import load_bundle
from pipeline.scoring.judgement import align
from pipeline.tabular import read_feature_table

pytestmark = pytest.mark.slow

OUTPUTS = {
    "data/cohort": [
        "biomarkers.csv",
        "cohort.json",
        "exclusions.csv",
        "patients.csv",
        "problems.json",
        "scans.csv",
    ],
    "data/train": ["inputs.parquet", "predictions.parquet", "train.json"],
    "models/report": ["MODEL_CARD.md", "index.html"],
}


@pytest.mark.parametrize("folder", OUTPUTS)
def test_the_outputs_are_those_of_the_inventory(project: Project, folder: str) -> None:
    assert sorted(path.name for path in (project.folder / folder).iterdir()) == OUTPUTS[folder]


def test_every_patient_keeps_a_row(project: Project) -> None:
    table = read_feature_table(project.folder / "data/features.parquet")
    assert len(table.values) == 24


def test_a_second_repro_runs_nothing(project: Project) -> None:
    done = project.run("dvc", "repro")
    assert done.returncode == 0
    assert "Running stage" not in done.stdout
    assert "up to date" in done.stdout


def test_the_report_says_synthetic(project: Project) -> None:
    page = (project.folder / "models/report/index.html").read_text()
    assert re.search("synthetic, not evidence", page, re.IGNORECASE)
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_one_parent_run_with_children_metrics_and_model(project: Project) -> None:
    code = (
        "import json, mlflow\n"
        "mlflow.set_tracking_uri('sqlite:///mlflow.db')\n"
        "client = mlflow.MlflowClient()\n"
        "names = [e.experiment_id for e in client.search_experiments()]\n"
        "runs = client.search_runs(names)\n"
        "parents = [r for r in runs if 'mlflow.parentRunId' not in r.data.tags]\n"
        "model = client.search_registered_models()[0]\n"
        "print(json.dumps({'parents': len(parents), 'children': len(runs) - len(parents),\n"
        "  'metrics': parents[0].data.metrics, 'tags': parents[0].data.tags, 'model': model.name,\n"
        "  'aliases': list(model.aliases)}))\n"
    )
    done = project.run("python", "-c", code)
    assert done.returncode == 0, done.stderr
    logged = json.loads(done.stdout.splitlines()[-1])
    assert logged["parents"] == 1
    assert logged["children"] >= 10
    assert {"auc", "auc_low", "auc_high"} <= logged["metrics"].keys()
    assert logged["tags"]["synthetic"] == "true"
    assert re.fullmatch(r"[0-9a-f]{40}", logged["tags"]["git_commit"])
    accepted = json.loads((project.folder / "models/evaluation/acceptance.json").read_text())
    assert logged["aliases"] == (["champion"] if all(c["passed"] for c in accepted) else [])


def test_predict_equals_the_training_row(project: Project) -> None:
    done = project.run(
        *("python", "-m", "pipeline.predict", "--bundle", "models/bundle"),
        *("--cohort", "data/demo", "--out", "predictions"),
    )
    assert done.returncode == 0, done.stderr
    scored = pd.read_csv(project.folder / "predictions/predictions.csv", index_col="patient_id")
    table = read_feature_table(project.folder / "data/train/inputs.parquet")
    bundle = load_bundle(project.folder / "models/bundle")
    expected = pd.Series(bundle.predict(align(bundle, table)), index=table.values.index)
    # The CSV keeps all digits, so equal means equal.
    assert scored["probability"].loc[expected.index].tolist() == expected.tolist()
    assert len(list((project.folder / "predictions").glob("*.html"))) == 24


def test_one_patient_from_a_case_file_equals_the_cohort(project: Project) -> None:
    scans = pd.read_csv(project.folder / "data/demo/scans.csv", dtype=str, keep_default_na=False)
    markers = pd.read_csv(
        project.folder / "data/demo/biomarkers.csv", dtype=str, keep_default_na=False
    )
    patients = pd.read_csv(
        project.folder / "data/demo/patients.csv", dtype=str, keep_default_na=False
    )
    patient_id = str(patients["patient_id"].iloc[3])
    case = {
        "patient_id": patient_id,
        "scans": _rows(scans, patient_id),
        "biomarkers": _rows(markers, patient_id),
        "covariates": _rows(patients, patient_id)[0],
    }
    (project.folder / "data/demo/case.yaml").write_text(json.dumps(case))
    done = project.run(
        *("python", "-m", "pipeline.predict", "--bundle", "models/bundle"),
        *("--case", "data/demo/case.yaml", "--out", "single"),
    )
    (project.folder / "data/demo/case.yaml").unlink()
    assert done.returncode == 0, done.stderr
    single = json.loads((project.folder / f"single/{patient_id}.json").read_text())
    cohort = json.loads((project.folder / f"predictions/{patient_id}.json").read_text())
    assert single == cohort


def test_a_patient_with_a_problem_is_declined_and_the_others_are_scored(
    project: Project, tmp_path: Path
) -> None:
    done = project.run("cp", "-r", "data/demo", str(tmp_path / "broken"))
    assert done.returncode == 0
    markers = pd.read_csv(tmp_path / "broken/biomarkers.csv", dtype=str)
    first = str(markers["patient_id"].iloc[0])
    markers.loc[0, "unit"] = "furlong"
    markers.to_csv(tmp_path / "broken/biomarkers.csv", index=False)
    done = project.run(
        *("python", "-m", "pipeline.predict", "--bundle", "models/bundle"),
        *("--cohort", str(tmp_path / "broken"), "--out", str(tmp_path / "out")),
    )
    assert done.returncode == 3, done.stderr
    assert f"declined: patient {first}" in done.stderr
    assert "furlong" in done.stderr
    scored = pd.read_csv(tmp_path / "out/predictions.csv", index_col="patient_id")
    assert scored.loc[first, "status"] == "declined"
    assert (scored["status"] == "scored").sum() == 23


def _rows(table: pd.DataFrame, patient_id: str) -> list[dict[str, str]]:
    rows = table[table["patient_id"] == patient_id].drop(columns="patient_id")
    return [{str(k): v for k, v in row.items() if v != ""} for row in rows.to_dict("records")]
