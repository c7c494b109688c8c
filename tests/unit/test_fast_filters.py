"""Filtered images with known values, and the order and laziness of the image types."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK as sitk
from radiomics import imageoperations

from pipeline.features.fast.filters import filtered_images
from pipeline.features.fast.log_filter import laplacian_of_gaussian
from pipeline.features.fast.pointwise import square_root
from pipeline.features.fast.prepared_image import PreparedImage
from pipeline.features.fast.wavelet import wavelet_images

Box = tuple[slice, slice, slice]


def prepare(
    values: npt.NDArray[Any],
    box: Box | None = None,
    spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0),
) -> PreparedImage:
    box = box or (slice(None), slice(None), slice(None))
    z, y, x = (slice(*span.indices(size)) for span, size in zip(box, values.shape, strict=True))
    inside = np.zeros(values.shape, bool)
    inside[z, y, x] = True
    return PreparedImage(values, inside, inside, spacing_mm, (z, y, x))


def test_log_of_a_gaussian_blob_has_its_closed_form_at_the_centre() -> None:
    # A Gaussian of variance a smoothed by one of variance s is one of variance v = a + s with
    # (a / v)**1.5 of the height; the Laplacian at its centre is -3 / v of that. The recursive
    # filter is an approximation: its second derivative is a hundredth off here.
    spacing_mm = (1.0, 0.8, 1.25)
    size, a, s = (33, 41, 37), 9.0, 4.0
    axes = [(np.arange(n) - n // 2) * mm for n, mm in zip(size, spacing_mm[::-1], strict=True)]
    squares = sum(axis**2 for axis in np.meshgrid(*axes, indexing="ij"))
    blob = 1000 * np.exp(-squares / (2 * a))
    centre = (slice(16, 17), slice(20, 21), slice(18, 19))
    filtered = laplacian_of_gaussian(prepare(blob, centre, spacing_mm), s**0.5)
    expected = s * 1000 * (a / (a + s)) ** 1.5 * -3 / (a + s)
    assert filtered.item() == pytest.approx(expected, rel=1.5e-2)


def test_log_of_a_constant_is_zero() -> None:
    filtered = laplacian_of_gaussian(prepare(np.full((9, 8, 7), 1000, np.int16)), 2.0)
    assert np.abs(filtered).max() < 1e-3


def test_log_far_from_the_ends_of_a_large_frame_is_that_of_the_whole_frame() -> None:
    values = np.random.default_rng(1).normal(0, 300, (60, 95, 90)).astype(np.int16)
    box = (slice(20, 30), slice(45, 50), slice(40, 52))
    spacing_mm = (1.0, 1.0, 2.0)
    image = sitk.GetImageFromArray(values)
    image.SetSpacing(spacing_mm)
    expected = [
        sitk.GetArrayFromImage(filtered)[box]
        for filtered, _, _ in imageoperations.getLoGImage(image, image, sigma=[1.0, 1.5])
    ]
    prepared = prepare(values, box, spacing_mm)
    assert prepared.cut((24, 36, 36)).values.shape < values.shape
    for sigma_mm, whole in zip([1.0, 1.5], expected, strict=True):
        np.testing.assert_array_equal(laplacian_of_gaussian(prepared, sigma_mm), whole)


@pytest.mark.parametrize(
    ("shape", "sigma", "names"),
    [
        ((3, 9, 9), [1.0], []),
        ((4, 4, 4), [1.0, 5.0], ["log-sigma-1-0-mm-3D"]),
        ((6, 6, 6), [5.0, 5.5], ["log-sigma-5-0-mm-3D"]),
        ((9, 9, 9), [2, 0.75], ["log-sigma-2-mm-3D", "log-sigma-0-75-mm-3D"]),
    ],
)
def test_log_images_that_pyradiomics_skips_are_left_out(
    shape: tuple[int, int, int], sigma: list[float], names: list[str]
) -> None:
    prepared = prepare(np.arange(np.prod(shape), dtype=np.float64).reshape(shape))
    images = filtered_images(prepared, {"LoG": {"sigma": sigma}}, {})
    assert [name for name, _, _ in images] == names


def test_coiflet_of_an_impulse_gives_products_of_its_taps() -> None:
    # Daubechies 1992, Ten Lectures on Wavelets, section 8.2: the coiflet with six taps.
    root = 7**0.5
    taps = np.array([1 - root, 5 + root, 14 + 2 * root, 14 - 2 * root, 1 - root, -3 + root])
    taps /= 16 * 2**0.5
    low = taps[::-1]  # decomposition filters run backwards
    high = taps * (-1.0) ** np.arange(1, 7)
    values = np.zeros((12, 12, 12))
    values[5, 5, 5] = 1
    images = dict(wavelet_images(prepare(values), {}))
    # Output k holds tap j at k + 3 - j = 5: taps 0 to 5 at places 2 to 7.
    place = slice(2, 8)
    for letters in ("LLL", "HLL", "LHL", "LLH", "HHH"):
        x, y, z = (low if letter == "L" else high for letter in letters)
        expected = np.einsum("i,j,k->ijk", z, y, x)
        got = images[f"wavelet-{letters}"]
        np.testing.assert_allclose(got[place, place, place], expected, atol=1e-12)
        assert np.count_nonzero(got) == 6**3


def test_image_types_come_in_the_order_given_with_their_own_settings() -> None:
    prepared = prepare(np.arange(6**3, dtype=np.int16).reshape(6, 6, 6))
    kinds: dict[str, dict[str, Any]] = {
        "Wavelet": {"binWidth": 10},
        "Original": {},
        "LoG": {"sigma": [1.0], "binWidth": 5},
        "Square": {},
    }
    images = list(filtered_images(prepared, kinds, {"binWidth": 25}))
    assert [name for name, _, _ in images] == [
        "wavelet-HHH",
        "wavelet-HHL",
        "wavelet-HLH",
        "wavelet-HLL",
        "wavelet-LHH",
        "wavelet-LHL",
        "wavelet-LLH",
        "wavelet-LLL",
        "original",
        "log-sigma-1-0-mm-3D",
        "square",
    ]
    assert [merged["binWidth"] for _, _, merged in images] == [10] * 8 + [25, 5, 25]


def test_images_are_cut_to_the_region_and_keep_its_mask() -> None:
    values = np.random.default_rng(2).normal(0, 100, (9, 10, 11)).astype(np.float32)
    box = (slice(2, 5), slice(3, 9), slice(1, 8))
    inside = np.zeros(values.shape, bool)
    inside[2:5, 3:9, 1:8] = np.random.default_rng(3).random((3, 6, 7)) < 0.5
    prepared = PreparedImage(values, inside, inside, (1.0, 2.0, 3.0), box)
    for _, image, _ in filtered_images(prepared, {"Original": {}, "Gradient": {}}, {}):
        assert image.values.shape == (3, 6, 7)
        assert image.spacing_mm == (1.0, 2.0, 3.0)
        np.testing.assert_array_equal(image.inside, inside[box])


def test_square_root_keeps_signs_and_the_largest_magnitude() -> None:
    got = square_root(np.array([-16.0, -4.0, 0.0, 1.0]), 16.0)
    assert got.tolist() == [-16.0, -8.0, 0.0, 4.0]


@pytest.mark.parametrize("name", ["Square", "SquareRoot", "Logarithm", "Exponential"])
def test_an_image_of_zeros_gives_what_pyradiomics_gives(name: str) -> None:
    zeros = np.zeros((4, 4, 4), np.int16)
    image = sitk.GetImageFromArray(zeros)
    with np.errstate(all="ignore"):
        (expected, _, _) = next(getattr(imageoperations, f"get{name}Image")(image, image))
    ((_, got, _),) = filtered_images(prepare(zeros), {name: {}}, {})
    np.testing.assert_array_equal(got.values, sitk.GetArrayFromImage(expected))


@pytest.mark.real_data
@pytest.mark.parametrize("modality", ["CT", "MR_T1"])
def test_filters_of_a_real_tumour_in_its_whole_frame(real_data: Path, modality: str) -> None:
    folder = real_data / "sts" / "nifti" / "STS_001"
    image = sitk.ReadImage(str(folder / f"{modality}_image.nii.gz"))
    mask = sitk.GetArrayFromImage(sitk.ReadImage(str(folder / f"{modality}_mask.nii.gz"))) > 0
    spans = [np.flatnonzero(mask.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1))]
    z, y, x = (slice(int(span[0]), int(span[-1]) + 1) for span in spans)
    values = sitk.GetArrayFromImage(image)
    prepared = PreparedImage(values, mask, mask, image.GetSpacing(), (z, y, x))
    kinds: dict[str, dict[str, Any]] = {
        "LoG": {"sigma": [1.0, 3.0]},
        "Wavelet": {},
        "Gradient": {},
        "Logarithm": {},
    }
    theirs = {
        title: sitk.GetArrayFromImage(found)[z, y, x].copy()
        for kind, own in kinds.items()
        for found, title, _ in getattr(imageoperations, f"get{kind}Image")(image, image, **own)
    }
    for name, got, _ in filtered_images(prepared, kinds, {}):
        np.testing.assert_array_equal(got.values, theirs.pop(name), err_msg=name)
    assert not theirs
