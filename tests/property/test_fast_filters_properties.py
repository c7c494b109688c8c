"""The fast engine's filters against PyRadiomics' own, on random volumes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import pywt
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from radiomics import imageoperations

from pipeline.features.fast.filters import filtered_images
from pipeline.features.fast.prepared_image import PreparedImage

_TYPES: tuple[type[np.number[Any]], ...] = (
    np.uint8,
    np.int16,
    np.uint16,
    np.int32,
    np.float32,
    np.float64,
)
_OBLIQUE = (0.8, 0.6, 0.0, -0.6, 0.8, 0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True)
class Case:
    values: npt.NDArray[Any]
    box: tuple[slice, slice, slice]
    spacing_mm: tuple[float, float, float]
    oblique: bool

    def ours(self, name: str, own: dict[str, Any]) -> list[tuple[str, npt.NDArray[Any]]]:
        inside = np.zeros(self.values.shape, bool)
        inside[self.box] = True
        prepared = PreparedImage(self.values, inside, inside, self.spacing_mm, self.box)
        images = list(filtered_images(prepared, {name: own}, {"binWidth": 25}))
        assert all(merged == {"binWidth": 25, **own} for _, _, merged in images)
        assert all(image.values.flags["C_CONTIGUOUS"] for _, image, _ in images)
        return [(title, image.values) for title, image, _ in images]

    def theirs(self, name: str, own: dict[str, Any]) -> list[tuple[str, npt.NDArray[Any]]]:
        image = sitk.GetImageFromArray(self.values)
        image.SetSpacing(self.spacing_mm)
        if self.oblique:
            image.SetDirection(_OBLIQUE)
        function: Callable[..., Any] = getattr(imageoperations, f"get{name}Image")
        with np.errstate(all="ignore"):
            return [
                (title, sitk.GetArrayFromImage(filtered)[self.box])
                for filtered, title, _ in function(image, image, **own)
            ]

    def assert_same(self, name: str, own: dict[str, Any]) -> None:
        ours, theirs = (
            sorted(images, key=lambda image: image[0])
            for images in (self.ours(name, own), self.theirs(name, own))
        )
        assert [title for title, _ in ours] == [title for title, _ in theirs]
        for (title, got), (_, expected) in zip(ours, theirs, strict=True):
            assert got.dtype == expected.dtype, title
            np.testing.assert_array_equal(got, expected, err_msg=title)


@st.composite
def cases(draw: st.DrawFn, smallest: int = 1, largest: int = 17) -> Case:
    shape = draw(st.tuples(*[st.integers(smallest, largest)] * 3))
    starts = [draw(st.integers(0, size - 1)) for size in shape]
    z, y, x = (
        slice(start, draw(st.integers(start + 1, size)))
        for start, size in zip(starts, shape, strict=True)
    )
    values = np.random.default_rng(draw(st.integers(0, 2**32))).normal(100, 300, shape)
    voxel_type = draw(st.sampled_from(_TYPES))
    if np.issubdtype(voxel_type, np.unsignedinteger):
        values = np.clip(values, 0, 255)
    spacing = st.sampled_from([0.5, 0.977, 1.0, 1.3, 3.27])
    spacing_mm = draw(st.tuples(*[spacing] * 3))
    return Case(values.astype(voxel_type), (z, y, x), spacing_mm, draw(st.booleans()))


@settings(deadline=None, max_examples=60)
@given(cases(), st.lists(st.sampled_from([0.5, 1, 1.0, 2.5, 4.0, 7.0]), max_size=3))
def test_log_images_are_those_of_itk_bit_for_bit(case: Case, sigma: list[float]) -> None:
    case.assert_same("LoG", {"sigma": sigma})


@settings(deadline=None, max_examples=60)
@given(
    cases(),
    st.sampled_from(["coif1", "haar", "db2", "sym4", "bior2.2", "rbio3.1", "coif3"]),
    st.integers(1, 3),
    st.integers(0, 2),
    st.sampled_from([None, 0, 1, 2]),
)
def test_wavelet_images_are_those_of_pywavelets_bit_for_bit(
    case: Case, wavelet: str, level: int, start_level: int, left_out: int | None
) -> None:
    flat = {} if left_out is None else {"force2D": True, "force2Ddimension": left_out}
    own = {"wavelet": wavelet, "level": level, "start_level": start_level, **flat}
    case.assert_same("Wavelet", own)


@pytest.mark.parametrize("voxel_type", [np.int16, np.float32])
@pytest.mark.parametrize("wavelet", pywt.wavelist(kind="discrete"))
def test_every_discrete_wavelet_has_pywavelets_taps(
    wavelet: str, voxel_type: type[np.int16 | np.float32]
) -> None:
    values = np.random.default_rng(5).normal(100, 300, (5, 6, 11)).astype(voxel_type)
    box = (slice(1, 4), slice(0, 3), slice(2, 10))
    Case(values, box, (1.0, 1.0, 1.0), oblique=False).assert_same("Wavelet", {"wavelet": wavelet})


@settings(deadline=None, max_examples=60)
@given(cases(), st.sampled_from(["Square", "SquareRoot", "Logarithm", "Exponential", "Original"]))
def test_pointwise_images_are_those_of_pyradiomics_bit_for_bit(case: Case, name: str) -> None:
    case.assert_same(name, {})


@settings(deadline=None, max_examples=60)
@given(cases(), st.sampled_from([{}, {"gradientUseSpacing": False}]))
def test_gradient_images_are_those_of_itk_bit_for_bit(case: Case, own: dict[str, Any]) -> None:
    case.assert_same("Gradient", own)
