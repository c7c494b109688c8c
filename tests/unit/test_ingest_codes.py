"""Every code of a problem is documented and, once given, stable in form."""

import re

import pytest

from pipeline.ingest.code_meanings import code_meanings
from pipeline.ingest.codes import Code


@pytest.mark.parametrize("code", list(Code))
def test_every_code_has_a_meaning(code: Code) -> None:
    meaning = code_meanings()[code]
    assert len(meaning.split()) > 3
    assert meaning.endswith(".")
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", code)


def test_meanings_are_those_beside_the_codes() -> None:
    assert list(code_meanings()) == [str(code) for code in Code]
    assert code_meanings()["mask-empty"] == "A mask has no voxel above zero."
