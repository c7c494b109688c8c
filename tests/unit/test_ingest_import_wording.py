"""What the report quotes of an error: no names of segments, contours or files."""

from pathlib import Path

import pytest

from pipeline.domain.scan import Modality, Timepoint
from pipeline.ingest.collections.plan import TUMOUR, Fate, RegionSource, ReportRow, ScanSource
from pipeline.ingest.collections.wording import explain
from pipeline.ingest.read_error import ReadError


def explained(label: str, file: str = "m.dcm") -> str:
    """Return what is said of a mask without the label that it should have."""
    source = ScanSource(
        timepoint=Timepoint.PREOP,
        modality=Modality.CT,
        image=Path("ct.nii.gz"),
        regions=(RegionSource(path=Path(file), label=label, name=TUMOUR),),
        report=ReportRow(source="series 1", fate=Fate.USED),
    )
    what = f"has no segment or contour {label!r}"
    error = ReadError(
        Path(file), what, expected=f"label {label!r}", got=f"{file}, 12 others", next_step="Look."
    )
    return explain(error, source)


@pytest.mark.parametrize(
    ("label", "secret"),
    [("GTV Quixote", "Quixote"), ("GTV\\Quixote", "Quixote"), ("19370612", "19370612")],
)
def test_labels_that_may_be_names_are_hidden(label: str, secret: str) -> None:
    text = explained(label)
    assert secret not in text
    assert text.count("'(file)'") == 2


def test_labels_of_listed_words_and_small_numbers_stay() -> None:
    assert "label 'GTV 1'" in explained("GTV 1")
    assert "label '2'" in explained("2")
    assert "12 others" in explained("GTV", "12")
