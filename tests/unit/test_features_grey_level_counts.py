import pandas as pd
import pytest

from pipeline.config.extraction import ExtractionParameters
from pipeline.features.grey_level_counts import find_unsuited_widths


def _parameters(**settings: object) -> ExtractionParameters:
    images = {"Original": {}, "LoG": {"sigma": [1.0], "binWidth": 2}, "SquareRoot": {}}
    return ExtractionParameters.model_validate({"imageType": images, "setting": settings})


def _table(**ranges: list[float]) -> pd.DataFrame:
    names = {name.replace("__", "-"): values for name, values in ranges.items()}
    return pd.DataFrame({f"{name}_firstorder_Range": values for name, values in names.items()})


def test_regions_with_too_few_and_too_many_levels_are_counted_by_hand() -> None:
    # 100 HU at 25 are 5 levels, 320 are 13, 25600 are 1025; the constant region is not judged.
    table = _table(original=[100.0, 320.0, 25600.0, 0.0])
    (found,) = find_unsuited_widths(table, _parameters(binWidth=25))
    assert (found.image, found.regions, found.of) == ("original", 2, 3)
    assert found.median_levels == 13
    assert found.suggested_width == 10.0
    assert str(found).startswith("original: 2 of 3 regions have grey levels outside 8-256")


def test_an_image_type_is_judged_by_its_own_width() -> None:
    table = _table(log__sigma__1__0__mm__3D=[40.0], squareroot=[40.0], original=[400.0])
    (found,) = find_unsuited_widths(table, _parameters(binWidth=25))
    assert (found.image, found.bin_width) == ("squareroot", 25)


@pytest.mark.parametrize("table", [_table(original=[1.0]), _table(), pd.DataFrame({"x": [1]})])
def test_a_count_of_levels_and_a_table_without_ranges_are_not_judged(table: pd.DataFrame) -> None:
    assert find_unsuited_widths(table, _parameters(binCount=32)) == []
