"""Any small scan is prepared as PyRadiomics prepares it: not one voxel differs."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from preparation_reference import (
    assert_equal_to_pyradiomics,
    make_case,
    prepare_by_pyradiomics,
)

from pipeline.domain.errors import CaseError
from pipeline.domain.scan import Region, Scan
from pipeline.features.fast.preparation import prepare_image

SPACINGS_MM = [0.5, 0.7, 0.9765625, 1.0, 1.5, 2.0, 3.27, 5.0]
NEW_SPACINGS_MM = [0.0, 0.5, 1.0, 1.0, 1.1, 2.0, 3.0]
TYPES = ["int16", "uint8", "uint16", "int32", "float32", "float64"]
INTERPOLATORS = ["sitkBSpline", "sitkLinear", "sitkNearestNeighbor"]


def _voxels(random: np.random.Generator, shape: tuple[int, ...], kind: str) -> npt.NDArray[Any]:
    """Noise, and steps between areas of one value, where rounding decides what is truncated."""
    noise = random.normal(scale=300, size=shape)
    steps = np.where(np.arange(shape[2]) < random.integers(shape[2] + 1), -1024.0, 37.0)
    voxels = noise if random.random() < 0.5 else np.broadcast_to(steps, shape)
    if kind.startswith("u"):
        voxels = np.abs(voxels)
    if not kind.startswith("float"):
        limits = np.iinfo(kind)
        voxels = voxels.clip(limits.min, limits.max)
    return voxels.astype(kind)


def _direction(random: np.random.Generator, oblique: bool) -> tuple[float, ...]:
    if not oblique:
        return tuple(np.diag(random.choice([-1.0, 1.0], 3)).ravel().tolist())
    rotation, _ = np.linalg.qr(random.normal(size=(3, 3)))
    return tuple(rotation.ravel().tolist())


@st.composite
def cases(draw: st.DrawFn) -> tuple[Scan, Region]:
    """A scan and a region anywhere in it, the border included."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    lengths = st.sampled_from(SPACINGS_MM)
    shape = tuple(draw(st.integers(3, 24)) for _ in range(3))
    spacing = (draw(lengths), draw(lengths), draw(lengths))
    voxels = _voxels(random, shape, draw(st.sampled_from(TYPES)))
    inside = np.zeros(shape, dtype=bool)
    block = tuple(
        slice(start, start + draw(st.integers(1, 10)))
        for start in (draw(st.integers(0, size - 1)) for size in shape)
    )
    inside[block] = random.random(inside[block].shape) < draw(st.sampled_from([0.3, 0.8, 1.0]))
    assume(inside.any())
    origin = tuple(random.normal(scale=200, size=3).tolist())
    direction = _direction(random, draw(st.booleans()))
    return make_case(voxels, inside, spacing, direction, origin)


@st.composite
def any_settings(draw: st.DrawFn) -> dict[str, Any]:
    """Settings of everything before filters."""
    chosen: dict[str, Any] = {
        "padDistance": draw(st.integers(0, 7)),
        "preCrop": draw(st.booleans()),
        "normalize": draw(st.booleans()),
        "removeOutliers": draw(st.sampled_from([None, 1.5, 3])),
        "normalizeScale": draw(st.sampled_from([1, 100, 0.5])),
        "minimumROIDimensions": draw(st.sampled_from([1, 2, 3])),
        "minimumROISize": draw(st.sampled_from([None, None, 20])),
        "resegmentMode": draw(st.sampled_from(["absolute", "relative", "sigma"])),
        "resegmentShape": draw(st.booleans()),
        "resegmentRange": draw(st.sampled_from([None, [-1, 2], [0.1], [2.5, -0.5], [-300, 300]])),
        "interpolator": draw(st.sampled_from([*INTERPOLATORS, 1, 2, None])),
    }
    if draw(st.booleans()):
        chosen["resampledPixelSpacing"] = [draw(st.sampled_from(NEW_SPACINGS_MM)) for _ in "xyz"]
    return chosen


@settings(max_examples=50, deadline=None)
@given(
    case=cases(),
    spacing=st.lists(st.sampled_from(NEW_SPACINGS_MM), min_size=3, max_size=3),
    interpolator=st.sampled_from(INTERPOLATORS),
    pad=st.integers(0, 7),
)
def test_resampled_voxels_are_those_of_pyradiomics(
    case: tuple[Scan, Region], spacing: list[float], interpolator: str, pad: int
) -> None:
    chosen = {
        "resampledPixelSpacing": spacing,
        "interpolator": interpolator,
        "padDistance": pad,
        "minimumROIDimensions": 1,
    }
    _compare(case, chosen)


@settings(max_examples=50, deadline=None)
@given(case=cases(), chosen=any_settings())
def test_any_settings_give_the_image_and_regions_of_pyradiomics(
    case: tuple[Scan, Region], chosen: dict[str, Any]
) -> None:
    _compare(case, chosen)


def _compare(case: tuple[Scan, Region], chosen: dict[str, Any]) -> None:
    try:
        prepare_by_pyradiomics(*case, chosen)
    except (ValueError, OverflowError):
        with pytest.raises(CaseError, match=r"tumour region|resegmentRange"):
            prepare_image(*case, chosen)
        return
    assert_equal_to_pyradiomics(*case, chosen)
