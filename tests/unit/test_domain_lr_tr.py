"""How readers write the LI-RADS treatment response."""

import pytest

from pipeline.domain.lr_tr import LrTr, read_lr_tr


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("LR-TR Viable", LrTr.VIABLE),
        ("lr-tr viable", LrTr.VIABLE),
        ("LRTR(viable)", LrTr.VIABLE),
        ("LR_TR Equivocal", LrTr.EQUIVOCAL),
        ("nonviable", LrTr.NONVIABLE),
        (" Non-Viable ", LrTr.NONVIABLE),
        ("LR-TR Non evaluable", LrTr.NONEVALUABLE),
    ],
)
def test_spellings(written: str, expected: LrTr) -> None:
    assert read_lr_tr(written) is expected


@pytest.mark.parametrize("written", ["", "LR-TR", "LR-5", "viable?", "1"])
def test_what_is_none_of_the_four_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="is not a valid LrTr"):
        read_lr_tr(written)
