"""Blood that was drawn far from its scan is a warning, for the draw that counts only."""

from datetime import date

import pandas as pd
import pytest

from pipeline.biomarkers.draw_window import find_distant_draws
from pipeline.config.biomarkers import BiomarkersConfig

DATES = {("P1", "baseline"): date(2024, 1, 10), ("P1", "preop"): date(2024, 5, 10)}
CONFIG = BiomarkersConfig(analytes={})


def found(*draws: tuple[str, str, str]) -> list[tuple[str, str]]:
    rows = [
        {"patient_id": "P1", "analyte": analyte, "drawn_on": day, "timepoint": timepoint}
        for analyte, day, timepoint in draws
    ]
    table = pd.DataFrame(rows, columns=["patient_id", "analyte", "drawn_on", "timepoint"])
    problems = list(find_distant_draws(table, DATES, CONFIG))
    assert not any(problem.is_error for problem in problems)
    return [(problem.code, problem.got) for problem in problems]


@pytest.mark.parametrize("timepoint", ["baseline", ""])
def test_days_from_the_scan(timepoint: str) -> None:
    assert found(("AFP", "2023-12-27", timepoint)) == []  # 14 days
    assert found(("AFP", "2023-12-26", timepoint)) == [
        ("labs-outside-window", "AFP up to 15 days away")
    ]


def test_one_warning_for_all_analytes_of_a_time_point() -> None:
    assert found(("AFP", "2024-04-20", "preop"), ("AST", "2024-04-18", "preop")) == [
        ("labs-outside-window", "AFP, AST up to 22 days away")
    ]


def test_an_earlier_draw_does_not_count() -> None:
    assert found(("AFP", "2024-03-01", "preop"), ("AFP", "2024-05-09", "preop")) == []


def test_what_cannot_be_judged_is_left_to_others() -> None:
    assert found() == []
    assert found(("AFP", "soon", "preop"), ("AFP", "2024-03-10", "")) == []
