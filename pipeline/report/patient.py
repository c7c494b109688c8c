"""The page of one scored patient."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.report.page import render_page, render_template


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of a table: what, its value as text, and a remark."""

    label: str
    value: str
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientPage:
    """Everything that the page shows.

    Parameters
    ----------
    patient_id : str
        The cohort's pseudonymous identifier.
    outcome : str
        Name of the predicted outcome, such as ``pCR``.
    probability : float
        Between 0 and 1.
    training : str
        One sentence on the model's training cohort and its honest performance.
    prevalence : float
        Share of the outcome in training, to compare the probability with.
    findings : sequence of Fact
        Sizes, response and markers of this patient.
    missing, warnings : sequence of str
        What was imputed, and reasons for caution.
    picture : str
        Address of the overlay, empty where there is none.
    model : str
        Hash and versions of the model.
    synthetic : bool
        Whether the model was trained on invented patients.
    """

    patient_id: str
    outcome: str
    probability: float
    training: str
    prevalence: float
    findings: Sequence[Fact]
    missing: Sequence[str]
    warnings: Sequence[str]
    picture: str
    model: str
    synthetic: bool


def render_patient_page(page: PatientPage) -> str:
    """Return a self-contained HTML page."""
    body = render_template("patient.html", page=page)
    return render_page(f"Patient {page.patient_id}", body, synthetic=page.synthetic)


def render_declined_page(
    patient_id: str, outcome: str, reasons: Sequence[str], *, synthetic: bool
) -> str:
    """Return the page of a patient who could not be scored, with each reason."""
    body = render_template("declined.html", outcome=outcome, reasons=reasons)
    return render_page(f"Patient {patient_id}: declined", body, synthetic=synthetic)
