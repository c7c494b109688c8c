"""Answers on disk: one table, and a JSON file and a page a patient."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pandas as pd

from pipeline import RESEARCH_USE_ONLY, __version__
from pipeline.domain.prediction import Prediction
from pipeline.domain.problem import Problem
from pipeline.modeling.bundle import ModelBundle
from pipeline.report.patient import PatientPage, render_declined_page, render_patient_page
from pipeline.scoring.findings import find_facts
from pipeline.tabular import write_csv, write_json, write_text

COLUMNS = ("patient_id", "status", "outcome", "probability", "missing", "warnings", "reasons")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What was found for each patient.

    Parameters
    ----------
    predictions : sequence of Prediction
        One a scored patient.
    features : pandas.DataFrame
        Their assembled features, indexed by ``patient_id``.
    declined : dict
        Problems by patient identifier, for those who were not scored.
    pictures : dict
        Address of the overlay by patient identifier.
    """

    predictions: Sequence[Prediction]
    features: pd.DataFrame
    declined: dict[str, list[Problem]]
    pictures: dict[str, str]


def write_answers(answers: Answers, bundle: ModelBundle, folder: Path) -> None:
    """Write ``predictions.csv`` and, for each patient, ``<patient_id>.json`` and ``.html``.

    Every patient has a row, those who were declined with the reasons.
    """
    for prediction in answers.predictions:
        _write_scored(prediction, answers, bundle, folder)
    for patient_id, problems in answers.declined.items():
        _write_declined(patient_id, problems, bundle, folder)
    write_csv(_table(answers, bundle), folder / "predictions.csv")


def _table(answers: Answers, bundle: ModelBundle) -> pd.DataFrame:
    scored = [
        (
            prediction.patient_id,
            "scored",
            bundle.outcome.name,
            prediction.probability,
            "; ".join(prediction.missing),
            "; ".join(prediction.warnings),
            "",
        )
        for prediction in answers.predictions
    ]
    declined = [
        (patient_id, "declined", bundle.outcome.name, None, "", "", "; ".join(map(str, problems)))
        for patient_id, problems in answers.declined.items()
    ]
    rows = sorted([*scored, *declined], key=lambda row: str(row[0]))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _write_scored(
    prediction: Prediction, answers: Answers, bundle: ModelBundle, folder: Path
) -> None:
    patient_id = prediction.patient_id
    facts = find_facts(answers.features.loc[[patient_id]].to_dict("records")[0])
    content = _header(patient_id, "scored", bundle) | {
        "probability": prediction.probability,
        "missing": list(prediction.missing),
        "warnings": list(prediction.warnings),
        "findings": [{"label": fact.label, "value": fact.value} for fact in facts],
    }
    page = PatientPage(
        patient_id=patient_id,
        outcome=bundle.outcome.name,
        probability=prediction.probability,
        training=describe_training(bundle),
        prevalence=bundle.training.events / bundle.training.patients,
        findings=facts,
        missing=prediction.missing,
        warnings=prediction.warnings,
        picture=answers.pictures.get(patient_id, ""),
        model=f"Model {bundle.sha256[:12]}, software {__version__}.",
        synthetic=bundle.synthetic,
    )
    write_json(content, folder / f"{file_stem(patient_id)}.json")
    write_text(render_patient_page(page), folder / f"{file_stem(patient_id)}.html")


def _write_declined(
    patient_id: str, problems: Sequence[Problem], bundle: ModelBundle, folder: Path
) -> None:
    content = _header(patient_id, "declined", bundle) | {
        "reasons": [problem.as_dict() for problem in problems]
    }
    page = render_declined_page(
        patient_id, bundle.outcome.name, [str(p) for p in problems], synthetic=bundle.synthetic
    )
    write_json(content, folder / f"{file_stem(patient_id)}.json")
    write_text(page, folder / f"{file_stem(patient_id)}.html")


def _header(patient_id: str, status: str, bundle: ModelBundle) -> dict[str, object]:
    return {
        "patient_id": patient_id,
        "status": status,
        "outcome": bundle.outcome.name,
        "model_sha256": bundle.sha256,
        "model_trained_on_synthetic_data": bundle.synthetic,
        "software_version": __version__,
        "notice": RESEARCH_USE_ONLY,
    }


def describe_training(bundle: ModelBundle) -> str:
    """Say in one sentence what the model learned from and how well it did out of fold."""
    counts = f"{bundle.training.patients} patients, {bundle.training.events} with the outcome"
    auc = bundle.out_of_fold.get("auc")
    return f"The model was trained on {counts}" + (
        f"; its cross-validated AUC is {auc:.2f}." if auc is not None else "."
    )


def file_stem(patient_id: str) -> str:
    """Return a file name for a patient; what a file name must not hold is percent-encoded."""
    return quote(patient_id, safe="")
