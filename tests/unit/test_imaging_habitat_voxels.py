"""Voxels kept for habitats: which, how many, and that a table gives them back."""

import numpy as np
import pandas as pd
import pytest

from pipeline.domain.errors import CaseError
from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.imaging.habitat_table import (
    CELLS,
    from_bytes,
    from_cells,
    split_cells,
    to_bytes,
    to_cells,
    without_voxels,
)
from pipeline.imaging.habitat_voxels import HabitatVoxels, sample_voxels
from pipeline.imaging.intensity import IntensityReference

GRID = Geometry((8, 6, 4), (1.0, 1.0, 2.0), (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
VOXELS = np.arange(192.0).reshape(GRID.shape_zyx)
PHASES = {
    "native": Scan(VOXELS, GRID, Modality.CT),
    "arterial": Scan(-VOXELS, GRID, Modality.CT),
}
LIVERS = {"native": IntensityReference(2.0, 4.0), "arterial": IntensityReference(0.0, 1.0)}


def _block() -> Region:
    """A block of 2 x 4 x 6 voxels (z, y, x) whose lowest corner is 1, 1, 1."""
    inside = np.zeros(GRID.shape_zyx, dtype=bool)
    inside[1:3, 1:5, 1:7] = True
    return Region(inside, GRID, "tumour")


def test_a_small_tumour_keeps_every_voxel() -> None:
    found = sample_voxels(PHASES, LIVERS, _block(), most=48)
    assert found.phases == ("native", "arterial")
    # Voxel z 1, y 1, x 1 is 48 + 8 + 1 = 57: (57 - 2) / 4 and -57.
    assert found.values[0].tolist() == [13.75, -57.0]
    assert found.values.shape == (48, 2)


def test_a_large_tumour_is_thinned_along_its_finest_axes_first() -> None:
    """48 voxels of 1 x 1 x 2 mm: every second along y (24 left), then along x: 2 x 2 x 3 = 12."""
    halved = sample_voxels(PHASES, LIVERS, _block(), most=47).values[:, 1]
    assert len(halved) == 24
    assert halved[6] == -(48 + 3 * 8 + 1)  # after the 6 of row y 1 come those of y 3
    found = sample_voxels(PHASES, LIVERS, _block(), most=12)
    assert found.values.shape == (12, 2)
    # Row y 1 of slice z 1 at x 1, 3, 5: voxels 57, 59, 61.
    assert found.values[:3, 1].tolist() == [-57.0, -59.0, -61.0]
    assert found.values[3, 1] == -(48 + 3 * 8 + 1)


def test_an_empty_tumour_is_refused() -> None:
    empty = Region(np.zeros(GRID.shape_zyx, dtype=bool), GRID, "tumour")
    with pytest.raises(CaseError, match="the tumour has no voxel"):
        sample_voxels(PHASES, LIVERS, empty)


def test_cells_and_bytes_give_back_the_same_voxels() -> None:
    values = np.random.default_rng(4).normal(size=(57, 2)).astype(np.float32)
    cells = to_cells(HabitatVoxels(("native", "arterial"), values))
    assert tuple(cells) == CELLS
    assert from_bytes(to_bytes(cells)) == cells
    found = from_cells(cells)
    assert found is not None
    assert found.phases == ("native", "arterial")
    assert found.values.tobytes() == values.tobytes()


def test_a_lesion_without_voxels_says_why() -> None:
    cells = without_voxels("no native phase")
    assert from_bytes(to_bytes(cells)) == cells
    assert from_cells(cells) is None
    assert cells["habitat_missing"] == "no native phase"
    assert from_cells({**cells, "habitat_values": float("nan")}) is None  # of a table with gaps


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"habitat_phases": "native,native"}, "expected different names, got 'native, native'"),
        ({"habitat_phases": ""}, "habitat_phases: expected different names"),
        ({"habitat_phases": "native,arterial,portal"}, "expected bytes, 12 a voxel, got 16 bytes"),
        ({"habitat_values": "text"}, "expected bytes, 8 a voxel, got str"),
        ({"habitat_values": np.array([1, np.nan], "<f4").tobytes()}, "got NaN or infinity"),
        ({"habitat_values": np.array([1, np.inf], "<f4").tobytes()}, "got NaN or infinity"),
    ],
)
def test_damaged_cells_are_refused(change: dict[str, object], message: str) -> None:
    cells = to_cells(HabitatVoxels(("native", "arterial"), np.ones((2, 2), dtype=np.float32)))
    with pytest.raises(CaseError, match=message):
        from_cells({**cells, **change})


def test_measures_and_voxels_part() -> None:
    keys = {"patient_id": "P1", "timepoint": "preop", "modality": "CT", "lesion_id": "1"}
    rows = pd.DataFrame([{**keys, "ct_volume_ml": 3.0, **without_voxels("no native phase")}])
    measures, voxels = split_cells(rows)
    assert list(measures) == [*keys, "ct_volume_ml"]
    assert list(voxels) == [*keys, *CELLS]
    assert list(split_cells(measures)[1]) == [*keys, *CELLS]  # where nothing was measured
