from pathlib import Path

import pytest

from pipeline.domain.errors import ReferenceDataError
from pipeline.features.ibsi.__main__ import format_table, main
from pipeline.features.ibsi.compliance import Compliance, compare
from pipeline.features.ibsi.references import Reference, read_ibsi1


def _reference(code: str, value: float, tolerance: float, family: str = "Statistics") -> Reference:
    return Reference("A", family, f"feature {code}", code, "", value, tolerance)


def _compare(value: float, expected: float, tolerance: float) -> Compliance:
    found = {("Q4LE", ""): ("firstorder_Mean", value)}
    return compare("A", found, [_reference("Q4LE", expected, tolerance)])


@pytest.mark.parametrize(
    ("value", "expected", "tolerance", "matched"),
    [
        (10.4, 10.0, 0.5, True),
        (10.6, 10.0, 0.5, False),
        (1.2349, 1.23, 0.0, True),  # rounds to the reference
        (1.2351, 1.23, 0.0, False),
        (float("nan"), 1.0, 0.5, False),
    ],
)
def test_a_value_matches_within_tolerance_or_after_rounding(
    value: float, expected: float, tolerance: float, matched: bool
) -> None:
    assert (_compare(value, expected, tolerance).failed == ()) is matched


def test_the_table_counts_and_names_what_does_not_match_and_what_is_lacking() -> None:
    found = {("Q4LE", ""): ("firstorder_Mean", 5.0), ("ECT3", ""): ("firstorder_Variance", 2.0)}
    references = [
        _reference("Q4LE", 7.0, 0.5),
        _reference("ECT3", 2.0, 0.0),
        _reference("N72L", 1.0, 0.0),
        _reference("VJGA", 1.0, 0.0, "Local intensity"),
    ]
    lines = list(format_table([compare("A", found, references)]))
    assert lines[1].split() == ["A", "1", "2", "2"]
    assert "  A firstorder_Mean: 5, expected 7 +- 0.5" in lines
    assert "  Statistics: feature N72L" in lines
    assert "  Local intensity: all" in lines


def test_absent_data_are_named_with_where_to_get_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--data", str(tmp_path)]) == 1
    message = capsys.readouterr().err
    assert "ibsi1_reference_values.csv: not found" in message
    assert "github.com/theibsi/data_sets (digital phantoms CC BY 4.0" in message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("config,family\nA,Statistics\n", "lacking feature, tag, aggregation, ibsi_code"),
        (
            "config,family,feature,tag,aggregation,ibsi_code,reference_value,tolerance\n"
            "A,Statistics,Mean,stat_mean,,Q4LE,about 2,0\n",
            "expected a number, got 'about 2'",
        ),
    ],
)
def test_another_table_is_refused(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "ibsi1_reference/ibsi1_reference_values.csv"
    file.parent.mkdir()
    file.write_text(content)
    with pytest.raises(ReferenceDataError, match=message):
        read_ibsi1(tmp_path)
