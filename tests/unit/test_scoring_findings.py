"""The measurements beside a probability, as a reader sees them."""

from collections.abc import Hashable
from math import nan

from pipeline.scoring.findings import find_facts


def test_facts_in_the_order_of_the_page_without_what_is_missing() -> None:
    row: dict[Hashable, float] = {
        "mrecist_depth_percent": 83.456,
        "mrecist_category": 1.0,
        "recist_category": nan,
        "size_volume_ml": 120.0,
        "ct_necrosis_fraction": 0.5,
        "ct_gain_sd": 3.0,
    }
    assert [(fact.label, fact.value) for fact in find_facts(row)] == [
        ("Lesion volume", "120 mL"),
        ("Share without enhancement, CT", "0.5"),
        ("Response by mRECIST", "PR"),
        ("Decrease of the enhancing diameters", "83.5 %"),
    ]
