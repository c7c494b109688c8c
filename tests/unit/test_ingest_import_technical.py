"""Which technical attributes are written, and that no table holds a formula."""

import pandas as pd
import pytest

from pipeline.ingest.collections.clinical_table import Column, convert_columns
from pipeline.ingest.collections.formulas import without_formulas
from pipeline.ingest.collections.technical_values import safe_technical
from pipeline.ingest.description_words import WITHHELD


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("ManufacturerModelName", "LightSpeed VCT"),
        ("ManufacturerModelName", "SOMATOM Definition AS+"),
        ("ManufacturerModelName", "Discovery CT750 HD"),
        ("ConvolutionKernel", "B30f"),
        ("ConvolutionKernel", "Br40d\\3"),
        ("ConvolutionKernel", "STANDARD"),
        ("ScanningSequence", "SE\\IR"),
        ("KVP", "120"),
        ("PixelSpacing", "0.7\\0.7"),
        ("EchoTime", "1.2e-3"),
    ],
)
def test_technical_values_are_kept(keyword: str, value: str) -> None:
    assert safe_technical({keyword: value}) == {keyword: value}


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("Manufacturer", "Sankt Nirgendwo Spital"),
        ("ManufacturerModelName", "Sankt Nirgendwo Spital"),
        ("ManufacturerModelName", "Quixote"),
        ("ManufacturerModelName", "19370612"),
        ("ManufacturerModelName", '=HYPERLINK("x")'),
        ("ManufacturerModelName", "+1 one"),
        ("ConvolutionKernel", "for Dulcinea"),
        ("KVP", "Quixote"),
    ],
)
def test_typed_text_is_withheld(keyword: str, value: str) -> None:
    assert safe_technical({keyword: value}) == {keyword: WITHHELD}


@pytest.mark.parametrize(
    ("text", "maker"),
    [("GE MEDICAL SYSTEMS", "GE"), ("SIEMENS", "Siemens"), ("Philips Healthcare", "Philips")],
)
def test_makers_go_by_their_usual_name(text: str, maker: str) -> None:
    assert safe_technical({"Manufacturer": text}) == {"Manufacturer": maker}


def test_formulas_are_withheld_and_numbers_are_not() -> None:
    texts = ["=1+1", "+cmd", "-cmd", "@SUM(A1)", "\t=1", "-18", "+5", "-1e3", "<5", "a=1", ""]
    written = list(without_formulas(pd.DataFrame({"value": texts}))["value"])
    assert written == [*[WITHHELD] * 5, *texts[5:]]


def test_a_formula_in_the_clinical_table_is_left_empty_and_listed() -> None:
    table = pd.DataFrame({"Pathology": ["Well differentiated", '=HYPERLINK("x")']})
    converted, report = convert_columns(table, [Column("Pathology", "grade")], ["A", "B"])
    assert list(converted["grade"]) == ["Well differentiated", ""]
    assert [(row.patient_id, row.fate.value) for row in report] == [("B", "failed")]
