"""What the report shows, gathered from the files of earlier stages."""

from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.domain.errors import PipelineError
from pipeline.report import wording
from pipeline.report.sources import read_json, read_table
from pipeline.report.versions import list_versions

Row = dict[str, Any]

PICTURES = ("roc", "calibration", "decision")
"""Stems of the pictures that the evaluate stage writes."""


def gather_contents(evaluation: Path, train: Path, cohort: Path) -> Row:
    """Read the folders of the evaluate, train and validate stages.

    Parameters
    ----------
    evaluation, train, cohort : Path
        The folders.

    Returns
    -------
    dict
        The context of the templates ``report.html`` and ``model_card.md``: texts and rows of
        texts, nothing to compute on.

    Raises
    ------
    PipelineError
        Naming the file that is missing or unreadable and what to run.
    """
    metrics = read_json(evaluation / "metrics.json")
    summary = read_json(evaluation / "summary.json")
    about = read_json(cohort / "cohort.json")
    trained = read_json(train / "train.json")
    check_declared(trained, summary)
    comparisons = _rows(read_table(evaluation / "comparisons.csv"))
    acceptance = read_json(evaluation / "acceptance.json")
    return {
        "outcome": about["outcome"]["name"],
        "synthetic": bool(about["synthetic"]),
        "patients": metrics["patients"],
        "events": metrics["events"],
        "level": wording.percent(summary["level"]),
        "summary": summary,
        "declared": wording.name_of_set(summary["declared"]["feature_set"]),
        "candidate": summary["declared"]["candidate"].replace("_", " "),
        "figures": describe_figures(metrics),
        "auc": wording.with_limits(metrics, "auc"),
        "verdict": wording.judge_auc(metrics),
        "versus_best": describe_best(comparisons),
        "comparisons": [
            describe_comparison(row, trained.get("skipped") or {}) for row in comparisons
        ],
        "operating_points": [
            describe_point(row, summary["prevalences"])
            for row in _rows(read_table(evaluation / "operating_points.csv"))
        ],
        "rule_in": describe_safe(summary["rule_in"]),
        "rule_out": describe_safe(summary["rule_out"]),
        "sets": [describe_set(row, summary) for row in _rows(read_table(evaluation / "sets.csv"))],
        "acceptance": [{**item, "got": wording.number(item["got"])} for item in acceptance],
        "accepted": all(item["passed"] for item in acceptance),
        "pictures": {name: embed_svg(evaluation / f"{name}.svg") for name in PICTURES},
        "flow": describe_flow(about, metrics),
        "exclusions": _rows(read_table(cohort / "exclusions.csv", _read_as_text)),
        "problems": count_problems(read_json(cohort / "problems.json")),
        "procedure": describe_procedure(trained),
        "warnings": list(trained.get("warnings") or []),
        "versions": list_versions(),
    }


def check_declared(trained: Mapping[str, Any], summary: Mapping[str, Any]) -> None:
    """Refuse to report on another predictor than the one that became the model.

    Raises
    ------
    PipelineError
        If train.yaml and evaluate.yaml declare different ones.
    """
    evaluated = summary["declared"]
    declared = trained.get("declared", evaluated)
    if declared != evaluated:
        texts = [f"{item['feature_set']}/{item['candidate']}" for item in (declared, evaluated)]
        msg = (
            f"declared: train.yaml says {texts[0]}, which became the model, evaluate.yaml says"
            f" {texts[1]}, which was judged. Make them agree and run evaluate again."
        )
        raise PipelineError(msg)


def describe_figures(metrics: Mapping[str, Any]) -> list[Row]:
    """Return the declared set's figures: name, value with interval, how to read it."""
    lines = (
        ("AUC (DeLong interval)", "auc", "0.5 is chance, 1 perfect order"),
        ("AUC (bootstrap over patients)", "auc_bootstrap", "the same, another interval"),
        ("AUC, mean over folds (Nadeau-Bengio)", "auc_folds", "allows for training variation"),
        ("Average precision", "average_precision", "the prevalence is chance"),
        ("Brier score", "brier", "0 is perfect"),
        ("Scaled Brier score", "scaled_brier", "0 is giving everyone the prevalence, 1 perfect"),
        ("Log loss (nats)", "log_loss", "0 is perfect"),
        ("Calibration intercept", "calibration_intercept", "0 is right; above: risk too low"),
        ("Calibration slope", "calibration_slope", "1 is right; below: too extreme"),
        ("Prevalence", "prevalence", "share of patients with the outcome"),
        ("No-information rate", "no_information_rate", "accuracy of calling all alike"),
    )
    return [
        {"name": name, "value": wording.with_limits(metrics, key), "reading": reading}
        for name, key, reading in lines
    ]


def describe_best(comparisons: list[Row]) -> str:
    """Say whether the declared set is better than the best simple comparator."""
    simple = [row for row in comparisons if row["kind"] == "simple" and row["available"]]
    if not simple:
        return "No simple comparator is available in this cohort, so nothing can be said."
    best = max(simple, key=lambda row: float(row["auc"]))
    verdict = wording.judge_difference(best)
    answer = {"better": "Yes", "worse": "No, it is worse"}.get(verdict, "Not shown")
    return (
        f"{answer}: against the best of them, {wording.name_of_set(best['feature_set'])}"
        f" (AUC {wording.with_limits(best, 'auc')}), the difference is"
        f" {wording.with_limits(best, 'difference')}, p = {wording.p_value(best['p_value'])}."
    ).replace("p = <", "p <")


def describe_comparison(row: Row, skipped: Mapping[str, str]) -> Row:
    """Return one line of the table of comparators; an absent one with the reason, if known."""
    line = {"name": wording.name_of_set(row["feature_set"]), "kind": row["kind"]}
    if not row["available"]:
        return {**line, "available": False, "reason": skipped.get(row["feature_set"], "")}
    return {
        **line,
        "available": True,
        "auc": wording.with_limits(row, "auc"),
        "difference": wording.with_limits(row, "difference"),
        "p_value": wording.p_value(row["p_value"]),
        "fold_difference": wording.with_limits(row, "fold_difference"),
        "fold_p_value": wording.p_value(row["fold_p_value"]),
        "verdict": wording.judge_difference(row),
    }


def describe_point(row: Row, prevalences: list[float]) -> Row:
    """Return one operating point: rates in per cent, PPV at other prevalences."""
    rates = ("sensitivity", "specificity", "ppv", "npv", "accuracy")
    counts = ("true_positives", "false_positives", "false_negatives", "true_negatives")
    return {
        "name": str(row["name"]).replace("_", " "),
        "threshold": wording.number(row["threshold"]),
        **{rate: wording.percent_with_limits(row, rate) for rate in rates},
        **{count: row[count] for count in counts},
        "restated": [
            (wording.percent(share, 1), wording.percent_with_limits(row, f"ppv_at_{share:g}"))
            for share in prevalences
        ],
    }


def describe_safe(found: Mapping[str, Any]) -> Row:
    """Return a safe threshold, or that there is none and what it would take."""
    texts = {"bound": wording.percent(found["bound"]), "needed": found["needed_without_miss"]}
    if found["threshold"] is None:
        return {**texts, "threshold": None}
    limits = {f"value_{end}": found["value"][end] for end in ("low", "high")}
    return {
        **texts,
        "threshold": wording.number(found["threshold"]),
        "value": wording.percent_with_limits({"value": found["value"]["value"], **limits}, "value"),
        "called": found["called"],
    }


def describe_set(row: Row, summary: Mapping[str, Any]) -> Row:
    """Return one line of the table of all sets and candidates."""
    shown = ("auc", "auc_folds", "average_precision", "scaled_brier", "calibration_slope")
    declared = summary["declared"]
    return {
        "name": wording.name_of_set(row["feature_set"]),
        "candidate": str(row["candidate"]).replace("_", " "),
        "is_declared": (row["feature_set"], row["candidate"])
        == (declared["feature_set"], declared["candidate"]),
        **{name: wording.with_limits(row, name) for name in shown},
    }


def describe_flow(about: Mapping[str, Any], metrics: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return the cohort's counts from the folder to the evaluation."""
    outcome = about["outcome"]
    lines = (
        ("Patients excluded by the checks", about.get("excluded")),
        ("Patients in the checked cohort", about.get("patients")),
        ("of these with known outcome", about.get("with_outcome")),
        (f"of these with {outcome['name']}", about.get("positive")),
        ("Scan rows (patient, time point, phase, lesion)", about.get("scans")),
        ("Patients evaluated", metrics["patients"]),
        (f"of these with {outcome['name']}", metrics["events"]),
    )
    return [(name, "not recorded" if count is None else count) for name, count in lines]


def count_problems(problems: list[Mapping[str, Any]]) -> list[Row]:
    """Return the cohort's problems by severity and code, with one example each."""
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for problem in problems:
        groups.setdefault((problem["severity"], problem["code"]), []).append(problem)
    return [
        {
            "severity": severity,
            "code": code,
            "count": len(members),
            "what": members[0]["what"],
            "next_step": members[0]["next_step"],
        }
        for (severity, code), members in sorted(groups.items())
    ]


def describe_procedure(train: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the training procedure's settings; keys that are absent are left out."""
    sets = train.get("feature_sets") or {}
    names = {
        "candidates": "Candidates",
        "outer_folds": "Outer folds",
        "repeats": "Repeats",
        "inner_folds": "Inner folds",
        "seed": "Seed",
    }
    lines = [(label, _as_text(train[key])) for key, label in names.items() if key in train]
    counts = [
        f"{wording.name_of_set(name)}: {entry['features']}"
        for name, entry in sets.items()
        if isinstance(entry, Mapping) and "features" in entry
    ]
    return [*lines, ("Features in each set", "; ".join(counts))] if counts else lines


def embed_svg(path: Path) -> str:
    """Return a picture as a ``data:`` address, so that the page needs no other file.

    Raises
    ------
    PipelineError
        If the picture is absent.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        msg = f"{path}: cannot be read ({error.strerror}). Run the evaluate stage."
        raise PipelineError(msg) from None
    return "data:image/svg+xml;base64," + b64encode(content).decode("ascii")


def _read_as_text(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)  # patient 007 stays 007


def _as_text(value: object) -> str:
    items = list(value) if isinstance(value, list | tuple | dict) else [value]
    return ", ".join(str(item).replace("_", " ") for item in items)


def _rows(table: pd.DataFrame) -> list[Row]:
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]
