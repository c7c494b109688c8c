"""From lesions to the patient: each rule by hand, and union against measuring the union."""

import numpy as np
import pytest

from pipeline.config.assemble import LesionRule
from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.response.enhancement import Reference
from pipeline.response.lesion_rule import combine_lesions
from pipeline.response.measure_names import Behaviour, UnionOf
from pipeline.response.measured import Measured, Missing
from pipeline.response.qeasl import EnhancingPart, measure_qeasl

NECROSIS = Behaviour(UnionOf.MEAN, worse="lower")
VOLUME = Behaviour(UnionOf.SUM, worse="higher")
VOLUMES_ML = {"a": 10.0, "b": 30.0}
VALUES = {"a": 0.9, "b": 0.5}


@pytest.mark.parametrize(
    ("rule", "behaviour", "expected"),
    [
        (LesionRule.LARGEST, NECROSIS, 0.5),
        (LesionRule.VOLUME_WEIGHTED, NECROSIS, (0.9 * 10 + 0.5 * 30) / 40),
        (LesionRule.UNION, NECROSIS, 0.6),
        (LesionRule.WORST, NECROSIS, 0.5),
        (LesionRule.WORST, VOLUME, 0.9),
        (LesionRule.UNION, VOLUME, 1.4),
        (LesionRule.UNION, Behaviour(UnionOf.MAXIMUM), 0.9),
    ],
)
def test_rules(rule: LesionRule, behaviour: Behaviour, expected: float) -> None:
    assert combine_lesions(rule, VALUES, VOLUMES_ML, behaviour) == pytest.approx(expected)


def test_rules_that_do_not_apply_say_so() -> None:
    unknown = Behaviour(UnionOf.VOXELS)
    worst = combine_lesions(LesionRule.WORST, VALUES, VOLUMES_ML, unknown)
    assert worst == Missing("neither end of this measure is known to be the worse")
    union = combine_lesions(LesionRule.UNION, VALUES, VOLUMES_ML, unknown)
    assert isinstance(union, Missing)
    assert "measure the united region" in union.reason
    assert combine_lesions(LesionRule.WORST, {}, {}, NECROSIS) == Missing("no lesion")


@pytest.mark.parametrize("rule", [LesionRule.VOLUME_WEIGHTED, LesionRule.UNION, LesionRule.WORST])
def test_one_missing_lesion_is_not_left_out(rule: LesionRule) -> None:
    values: dict[str, Measured] = {"a": Missing("no native phase"), "b": 0.5}
    expected = Missing("lesion a: no native phase")
    assert combine_lesions(rule, values, VOLUMES_ML, NECROSIS) == expected
    assert combine_lesions(LesionRule.LARGEST, values, VOLUMES_ML, NECROSIS) == 0.5


@pytest.mark.parametrize("rule", LesionRule)
@pytest.mark.parametrize("behaviour", [NECROSIS, Behaviour(UnionOf.VOXELS)])
def test_an_only_lesion_is_the_patient(rule: LesionRule, behaviour: Behaviour) -> None:
    assert combine_lesions(rule, {"a": 0.9}, {"a": 0.0}, behaviour) == 0.9


def test_lesions_without_volume_have_no_mean() -> None:
    mean = combine_lesions(LesionRule.VOLUME_WEIGHTED, VALUES, {"a": 0.0, "b": 0.0}, NECROSIS)
    assert mean == Missing("the lesions have no volume")


def test_ties_go_to_the_first_name() -> None:
    values = {"b": 1.0, "a": 2.0}
    assert combine_lesions(LesionRule.LARGEST, values, {"a": 5, "b": 5}, VOLUME) == 2


def test_what_is_worse_is_checked() -> None:
    with pytest.raises(ValueError, match="worse must be higher, lower or None, got 'bigger'"):
        Behaviour(UnionOf.SUM, worse="bigger")


GRID = Geometry((20, 10, 6), (1.0, 1.0, 2.0), (0.0, 0.0, 0.0), (1.0, 0, 0, 0, 1, 0, 0, 0, 1))


def lesion(columns: slice) -> Region:
    inside = np.zeros(GRID.shape_zyx, dtype=bool)
    inside[1:5, 2:8, columns] = True
    return Region(inside, GRID, "tumour")


def test_the_rules_of_union_agree_with_the_united_region() -> None:
    lesions = {"a": lesion(slice(1, 5)), "b": lesion(slice(8, 19))}
    gains = np.random.default_rng(2).normal(20, 30, GRID.shape_zyx)
    subtraction = Scan(gains, GRID, Modality.CT)

    def enhancing(region: Region) -> EnhancingPart:
        part = measure_qeasl(subtraction, region, Reference(10, 5), 2)
        assert isinstance(part, EnhancingPart)
        return part

    united = lesions["a"].inside | lesions["b"].inside
    union = enhancing(Region(united, GRID, "tumour"))
    parts = {name: enhancing(region) for name, region in lesions.items()}
    sizes = {name: region.volume_mm3 / 1000 for name, region in lesions.items()}
    shares = {name: part.necrosis_fraction for name, part in parts.items()}
    volumes = {name: part.volume_ml for name, part in parts.items()}
    rule = LesionRule.UNION
    assert combine_lesions(rule, shares, sizes, NECROSIS) == pytest.approx(union.necrosis_fraction)
    assert combine_lesions(rule, volumes, sizes, VOLUME) == pytest.approx(union.volume_ml)
