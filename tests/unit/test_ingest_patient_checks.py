"""Outcome and covariates of ``patients.csv``."""

from pathlib import Path

import pandas as pd
import pytest

from pipeline.config.cohort import CohortConfig
from pipeline.domain.cohort import Cohort
from pipeline.ingest.checks import find_problems
from pipeline.ingest.covariate_checks import find_covariate_problems
from pipeline.ingest.outcome_checks import find_outcome_problems

CONFIG = CohortConfig.model_validate(
    {
        "root": ".",
        "outcome": {"column": "necrosis_percent", "positive": ">= 100", "name": "pCR"},
        "covariates": {
            "age": {"kind": "numeric", "unit": "years"},
            "hbv": {"kind": "categorical", "categories": ["0", "1"]},
            "lr_tr": {"kind": "lr_tr"},
        },
    }
)


def patients(**columns: list[object]) -> pd.DataFrame:
    sound: dict[str, list[object]] = {
        "patient_id": ["P1", "P2", "P3"],
        "necrosis_percent": [100, 40, 100],
        "age": [61, 58, 70],
        "hbv": [0, 1, 1],
        "lr_tr": ["LR-TR Viable", None, "nonviable"],
    }
    return pd.DataFrame({**sound, **columns})


def found(table: pd.DataFrame) -> list[tuple[str, str, bool]]:
    problems = find_outcome_problems(table, CONFIG) + find_covariate_problems(table, CONFIG)
    return [(problem.code, problem.patient_id, problem.is_error) for problem in problems]


def test_sound_patients() -> None:
    assert found(patients()) == []


def test_numbers_read_with_gaps_are_still_their_categories() -> None:
    assert found(patients(hbv=[0.0, 1.0, None], age=[None, 58.5, 70])) == []


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"necrosis_percent": [100, 40, None]}, ("outcome-missing", "P3", False)),
        ({"necrosis_percent": ["100", "40", "full"]}, ("outcome-not-a-number", "P3", True)),
        ({"necrosis_percent": [100, 40, 101]}, ("outcome-out-of-range", "P3", True)),
        ({"necrosis_percent": [100, -1, 100]}, ("outcome-out-of-range", "P2", True)),
        ({"necrosis_percent": [99, 40, 0]}, ("outcome-one-class", "", True)),
        ({"necrosis_percent": [100, 100, 100]}, ("outcome-one-class", "", True)),
        ({"age": ["61", "NA", "70"]}, ("covariate-not-a-number", "P2", True)),
        ({"age": [61, -3, 70]}, ("covariate-out-of-range", "P2", True)),
        ({"age": [61, 58, "610"]}, ("covariate-out-of-range", "P3", True)),
        ({"hbv": ["0", "1", "yes"]}, ("category-unknown", "P3", True)),
        ({"hbv": [0.0, 1.0, 2.0]}, ("category-unknown", "P3", True)),
        ({"lr_tr": ["Equivocal", "LR-5", None]}, ("category-unknown", "P2", True)),
    ],
)
def test_one_thing_wrong(columns: dict[str, list[object]], expected: tuple[str, str, bool]) -> None:
    assert found(patients(**columns)) == [expected]


def test_a_range_is_declared_with_the_covariate() -> None:
    content = CONFIG.model_dump() | {
        "covariates": {
            "age": {"kind": "numeric", "unit": "days"},
            "cycles": {"kind": "numeric", "range": [1, 12]},
        }
    }
    config = CohortConfig.model_validate(content)
    assert [config.range_of(name) for name in ("age", "cycles")] == [None, (1.0, 12.0)]
    table = patients(age=[22000, 21000, None], cycles=[1, 12, 13]).drop(columns=["hbv", "lr_tr"])
    (problem,) = find_covariate_problems(table, config)
    assert (problem.code, problem.patient_id, problem.got) == ("covariate-out-of-range", "P3", "13")
    assert problem.expected == "1 to 12"


def test_outcome_of_nobody_is_one_class() -> None:
    table = patients(necrosis_percent=[None, None, None])
    codes = [problem.code for problem in find_outcome_problems(table, CONFIG)]
    assert codes == ["outcome-missing"] * 3 + ["outcome-one-class"]


def test_percentages_are_recognised_by_their_name() -> None:
    config = CohortConfig.model_validate(
        {"root": ".", "outcome": {"column": "days", "positive": "> 365"}}
    )
    table = pd.DataFrame({"patient_id": ["P1", "P2"], "days": [20, 700]})
    assert find_outcome_problems(table, config) == []


def test_missing_columns_with_a_suggestion() -> None:
    table = patients().rename(columns={"necrosis_percent": "Necrosis_percent", "hbv": "virus"})
    (outcome,) = find_outcome_problems(table, CONFIG)
    assert (outcome.code, outcome.next_step) == (
        "outcome-column-missing",
        "Did you mean Necrosis_percent?",
    )
    missing, unused = find_covariate_problems(table, CONFIG)
    assert (missing.code, missing.column) == ("covariate-column-missing", "hbv")
    assert (unused.code, unused.got) == ("columns-not-used", "Necrosis_percent, virus")


def test_all_missing_covariates_are_one_problem() -> None:
    table = patients()
    known = [name for name in table.columns if name in CONFIG.covariates]
    assert len(known) > 1
    capital = known[0].upper()
    missing, _ = find_covariate_problems(
        table.drop(columns=known[1:]).rename(columns={known[0]: capital}), CONFIG
    )
    assert missing.code == "covariate-column-missing"
    assert missing.column == ", ".join(name for name in CONFIG.covariates)
    assert missing.next_step.startswith(f"{known[0]}: Did you mean {capital}? Add the columns")


def test_unused_columns_and_those_after_the_outcome_are_named_once() -> None:
    table = patients().assign(note="x", post_status="alive", surgery_date="2023-01-01")
    problems = find_covariate_problems(table, CONFIG)
    assert [(p.code, p.got, p.is_error) for p in problems] == [
        ("columns-after-outcome", "post_status", False),
        ("columns-not-used", "note", False),
    ]


def test_patients_to_score_need_no_outcome() -> None:
    table = patients().drop(columns="necrosis_percent")
    cohort = Cohort(Path(), (), table, pd.DataFrame())
    assert [p.code for p in find_problems(cohort, CONFIG, 1)] == ["outcome-column-missing"]
    assert find_problems(cohort, CONFIG, 1, need_outcome=False) == []


def test_a_table_that_could_not_be_read_is_not_judged_again() -> None:
    cohort = Cohort(Path(), (), pd.DataFrame({"patient_id": []}), pd.DataFrame())
    assert find_problems(cohort, CONFIG, 1) == []
