"""Configurations and filters of IBSI on their phantoms, which are not part of this project."""

from pathlib import Path

import pytest

from pipeline.features.ibsi.compliance import compare, compare_map, compute_configuration
from pipeline.features.ibsi.configurations import (
    IBSI1,
    IBSI2,
    RESPONSE_MAPS,
    Configuration,
    ResponseMap,
)
from pipeline.features.ibsi.references import read_ibsi1, read_ibsi2, read_phantom

pytestmark = pytest.mark.real_data

COMPARABLE = {"digital_phantom": 257} | dict.fromkeys("ABCDE", 144)


@pytest.fixture(scope="session")
def ibsi(real_data: Path) -> Path:
    if not (real_data / "ibsi").is_dir():
        pytest.skip("the IBSI phantoms are not on this machine (../shared/data/ibsi)")
    return real_data / "ibsi"


@pytest.mark.parametrize("configuration", IBSI1, ids=lambda one: one.name)
def test_features_match_ibsi1(ibsi: Path, configuration: Configuration) -> None:
    found = compute_configuration(configuration, *read_phantom(ibsi, configuration.phantom))
    result = compare(configuration.name, found, read_ibsi1(ibsi))
    assert result.failed == ()
    assert len(result.compared) == COMPARABLE[configuration.name]


@pytest.mark.parametrize("configuration", IBSI2, ids=lambda one: one.name)
def test_statistics_of_filtered_images_match_ibsi2(
    ibsi: Path, configuration: Configuration
) -> None:
    found = compute_configuration(configuration, *read_phantom(ibsi, configuration.phantom))
    result = compare(configuration.name, found, read_ibsi2(ibsi))
    assert result.failed == ()
    assert len(result.compared) == 15


@pytest.mark.parametrize("wanted", RESPONSE_MAPS, ids=lambda one: one.name)
def test_every_voxel_of_a_response_map_matches(ibsi: Path, wanted: ResponseMap) -> None:
    assert compare_map(ibsi, wanted).failed == ()
