"""Stored values of every encoding, their rescaling, and encodings that are damaged."""

import io
import locale
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
import pytest
import SimpleITK as sitk
from dicom_series import make_phase, make_slice, set_pixels, write_file, write_slices
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from pipeline.domain.errors import ImageError
from pipeline.domain.reading import Reading
from pipeline.domain.scan import Modality
from pipeline.ingest.codes import Code
from pipeline.ingest.dicom import header
from pipeline.ingest.dicom.compressed import decode_frame
from pipeline.ingest.dicom.encoding import make_encoding
from pipeline.ingest.dicom.instance import read_instance
from pipeline.ingest.dicom.pixels import read_voxels
from pipeline.ingest.dicom.series import read_series

COMPRESSED = [RLELossless, JPEG2000Lossless, JPEGLSLossless]
TYPES: list[type[np.integer[Any]]] = [np.int16, np.uint16, np.uint8]


def make_values(dtype: type[np.integer[Any]], number: int = 0) -> npt.NDArray[Any]:
    """Return 40 x 36 values that fill most of the range of a type: a slope, noise, extremes."""
    info = np.iinfo(dtype)
    noise = np.random.default_rng(number).integers(0, 40, (40, 36))
    values = np.linspace(info.min / 4, info.max / 4, 1440).reshape(40, 36) + noise
    values[0, :2] = info.min, info.max
    return values.astype(dtype)


def write_volume(
    folder: Path, values: list[npt.NDArray[Any]], syntax: str, **attributes: Any
) -> list[Path]:
    """Write one slice a value array, in this transfer syntax."""
    slices = make_phase(1, [2.5 * index for index in range(len(values))], **attributes)
    files = write_slices(folder, [set_pixels(*pair) for pair in zip(slices, values, strict=True)])
    for file in files:
        _rewrite(file, syntax)
    return files


def _rewrite(file: Path, syntax: str) -> None:
    item = pydicom.dcmread(file)
    if syntax in COMPRESSED:
        item.compress(syntax, generate_instance_uid=False)
        item.save_as(file)
        return
    if syntax == ExplicitVRBigEndian:
        item.PixelData = np.frombuffer(item.PixelData, _stored_type(item)).byteswap().tobytes()
    write_file(file, Dataset(item), syntax)


def _stored_type(item: Dataset) -> np.dtype[Any]:
    return np.dtype(f"{'i' if item.PixelRepresentation else 'u'}{item.BitsAllocated // 8}")


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize(
    "syntax",
    [
        ImplicitVRLittleEndian,
        ExplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
        *COMPRESSED,
    ],
)
def test_every_encoding_gives_the_values_written(
    tmp_path: Path, syntax: str, dtype: type[np.integer[Any]]
) -> None:
    values = [make_values(dtype, number) for number in range(3)]
    if syntax == ExplicitVRBigEndian and dtype is np.uint8:
        pytest.skip("this test writes big-endian words only")
    write_volume(tmp_path, values, syntax)
    voxels = read_series(tmp_path, Modality.CT).voxels
    np.testing.assert_array_equal(voxels, np.stack(values))
    assert voxels.dtype == (np.int32 if dtype is np.uint16 else np.int16)


@pytest.mark.parametrize("syntax", [DeflatedExplicitVRLittleEndian, *COMPRESSED])
def test_compressed_series_equal_those_read_by_simpleitk(tmp_path: Path, syntax: str) -> None:
    values = [np.clip(make_values(np.int16, number), 0, 4095) for number in range(3)]
    files = write_volume(tmp_path, values, syntax, RescaleSlope="2", RescaleIntercept="-1024")
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames([str(file) for file in files])
    image, scan = reader.Execute(), read_series(tmp_path, Modality.CT)
    np.testing.assert_array_equal(scan.voxels, sitk.GetArrayFromImage(image))
    assert scan.geometry.spacing_mm == pytest.approx(image.GetSpacing())
    assert scan.geometry.origin_mm == pytest.approx(image.GetOrigin())


@pytest.fixture
def same_locale() -> Iterator[None]:
    """SimpleITK leaves the process in the C locale when it writes DICOM."""
    before = locale.setlocale(locale.LC_ALL)
    yield
    locale.setlocale(locale.LC_ALL, before)


@pytest.mark.usefixtures("same_locale")
@pytest.mark.parametrize("compressor", ["JPEG", "JPEG2000"])
def test_files_that_simpleitk_compresses(tmp_path: Path, compressor: str) -> None:
    """JPEG here is lossless process 14, which old archives hold."""
    expected = np.stack([make_values(np.uint16, number) // 16 for number in range(3)])
    for number, values in enumerate(expected):
        image = sitk.GetImageFromArray(values[np.newaxis])
        for tag, value in {"0008|0060": "CT", "0020|0032": f"0\\0\\{number}"}.items():
            image.SetMetaData(tag, value)
        image.SetMetaData("0020|000e", "1.2.3")
        image.SetMetaData("0020|000d", "1.2.4")
        image.SetMetaData("0020|0037", "1\\0\\0\\0\\1\\0")
        writer = sitk.ImageFileWriter()
        writer.SetImageIO("GDCMImageIO")
        writer.KeepOriginalImageUIDOn()
        writer.SetUseCompression(True)
        writer.SetCompressor(compressor)
        writer.SetFileName(str(tmp_path / f"{number}.dcm"))
        writer.Execute(image)
    syntax = pydicom.dcmread(tmp_path / "0.dcm").file_meta.TransferSyntaxUID
    assert syntax.is_compressed
    np.testing.assert_array_equal(read_series(tmp_path, Modality.CT).voxels, expected)


def test_baseline_jpeg(tmp_path: Path) -> None:
    smooth = np.add.outer(np.arange(24), np.arange(20)).astype(np.uint8) * 4
    stream = io.BytesIO()
    Image.fromarray(smooth).save(stream, "jpeg", quality=95)
    for number, item in enumerate(make_phase(1)):
        set_pixels(item, smooth).PixelData = encapsulate([stream.getvalue()])
        item["PixelData"].VR = "OB"
        write_file(tmp_path / f"{number}.dcm", item, JPEGBaseline8Bit)
    expected = np.asarray(Image.open(stream))
    voxels = read_series(tmp_path, Modality.CT).voxels
    assert np.abs(voxels - expected.astype(int)).max() <= 1  # decoders may round differently


def _series(folder: Path, edit: Callable[[Dataset], object]) -> Path:
    slices = make_phase(1)
    for item in slices:
        edit(item)
    write_slices(folder, slices)
    return folder


def test_signs_are_extended_and_other_bits_dropped(tmp_path: Path) -> None:
    """12 stored bits: 0x0FFF is -1, 0x0800 is -2048; the upper four hold an overlay."""

    def edit(item: Dataset) -> None:
        set_pixels(item, np.array([[0xFFFF, 0x0800], [0xF7FF, 0x0001]], np.uint16))
        item.BitsStored, item.HighBit, item.PixelRepresentation = 12, 11, 1

    voxels = read_series(_series(tmp_path, edit), Modality.CT).voxels
    assert voxels[0].tolist() == [[-1, -2048], [2047, 1]]


def test_values_in_the_upper_bits(tmp_path: Path) -> None:
    def edit(item: Dataset) -> None:
        set_pixels(item, np.array([[0xFFF3, 0x0010]], np.uint16))
        item.BitsStored, item.HighBit = 12, 15

    assert read_series(_series(tmp_path, edit), Modality.CT).voxels[0].tolist() == [[4095, 1]]


@pytest.mark.parametrize(
    ("bits", "signed", "slope", "intercept", "expected"),
    [
        (12, 0, "1", "-1024", np.int16),
        (16, 1, "1", "0", np.int16),
        (16, 1, "1", "-1024", np.int32),
        (16, 0, "1", "-32768", np.int16),
        (16, 0, "1", "0", np.int32),
        (15, 1, "2", "0", np.int16),
        (8, 0, "40000", "-20000", np.int32),
        (12, 0, "0.5", "0", np.float32),
        (12, 0, "1", "0.5", np.float32),
    ],
)
def test_type_by_what_the_header_allows(
    tmp_path: Path, bits: int, signed: int, slope: str, intercept: str, expected: type
) -> None:
    def edit(item: Dataset) -> None:
        set_pixels(item, np.array([[0, 1, 100]], np.int16))
        item.BitsStored, item.HighBit, item.PixelRepresentation = bits, bits - 1, signed
        item.RescaleSlope, item.RescaleIntercept = slope, intercept

    voxels = read_series(_series(tmp_path, edit), Modality.CT).voxels
    assert voxels.dtype == expected
    assert voxels[0, 0].tolist() == [
        float(intercept),
        float(slope) + float(intercept),
        100 * float(slope) + float(intercept),
    ]


def test_each_slice_is_rescaled_by_its_own_header(tmp_path: Path) -> None:
    slices = make_phase(1)
    for number, item in enumerate(slices):
        item.RescaleSlope, item.RescaleIntercept = str(number + 1), str(-10 * number)
    write_slices(tmp_path, slices)
    voxels = read_series(tmp_path, Modality.CT).voxels
    assert voxels[:, 0, 0].tolist() == [1, 4 - 10, 9 - 20, 16 - 30, 25 - 40]


def test_pet_in_suv(tmp_path: Path) -> None:
    def edit(item: Dataset) -> None:
        item.Modality, item.Units, item.RescaleSlope = "PT", "GML", "0.25"

    scan = read_series(_series(tmp_path, edit), Modality.PT)
    assert scan.voxels[:, 0, 0].tolist() == [0.25, 0.5, 0.75, 1.0, 1.25]
    assert scan.voxels.dtype == np.float32


def test_pet_without_what_suv_needs(tmp_path: Path) -> None:
    def edit(item: Dataset) -> None:
        item.Modality, item.Units, item.RescaleSlope = "PT", "BQML", "2"

    with pytest.raises(ImageError, match="Weight") as caught:
        read_series(_series(tmp_path, edit), Modality.PT)
    assert getattr(caught.value, "code", "") == Code.SUV_NOT_POSSIBLE


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_truncated_slice(tmp_path: Path, syntax: str) -> None:
    files = write_volume(tmp_path, [make_values(np.int16)] * 3, syntax)
    files[1].write_bytes(files[1].read_bytes()[:-40])
    with pytest.raises(ImageError, match=r"s899\.dcm"):
        read_series(tmp_path, Modality.CT)


@pytest.mark.parametrize("syntax", COMPRESSED)
@pytest.mark.parametrize("lost", [30, 300])
def test_truncated_compressed_slice(tmp_path: Path, syntax: str, lost: int) -> None:
    files = write_volume(tmp_path, [make_values(np.int16)] * 3, syntax)
    files[1].write_bytes(files[1].read_bytes()[:-lost])
    with pytest.raises(ImageError, match=r"voxels can be decoded.*s899\.dcm"):
        read_series(tmp_path, Modality.CT)


@pytest.mark.parametrize("syntax", COMPRESSED)
def test_compressed_frame_cut_within_an_intact_file(tmp_path: Path, syntax: str) -> None:
    files = write_volume(tmp_path, [make_values(np.int16)] * 3, syntax)
    item = pydicom.dcmread(files[1])
    frame = next(pydicom.encaps.generate_frames(item.PixelData, number_of_frames=1))
    item.PixelData = encapsulate([frame[: len(frame) // 2]])
    item.save_as(files[1])
    with pytest.raises(ImageError, match=r"voxels can be decoded.*s899\.dcm"):
        read_series(tmp_path, Modality.CT)


@pytest.mark.parametrize("syntax", COMPRESSED)
def test_compressed_size_that_contradicts_the_header(tmp_path: Path, syntax: str) -> None:
    files = write_volume(tmp_path, [make_values(np.int16)] * 3, syntax)
    for file in files:
        item = pydicom.dcmread(file)
        item.Rows = 41
        item.save_as(file)
    with pytest.raises(ImageError, match="voxels can be decoded"):
        read_series(tmp_path, Modality.CT)


def test_deflated_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = write_volume(tmp_path, [make_values(np.int16)] * 3, DeflatedExplicitVRLittleEndian)
    monkeypatch.setattr(header, "INFLATED_BYTES", 1 << 16)
    content = files[1].read_bytes()
    start = 132 + 12 + int.from_bytes(content[140:144], "little")
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    bomb = packer.compress(zlib.decompress(content[start:], -15) + bytes(1 << 20)) + packer.flush()
    files[1].write_bytes(content[:start] + bomb)
    with pytest.raises(ImageError, match="more than 65536 bytes"):
        read_series(files[1], Modality.CT)


def test_absurd_size_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    def edit(item: Dataset) -> None:
        item.Rows = item.Columns = 65535

    with pytest.raises(ImageError, match="announces more voxels") as caught:
        read_series(_series(tmp_path, edit), Modality.CT)
    assert getattr(caught.value, "code", "") == Code.IMAGE_TOO_LARGE
    with pytest.raises(ImageError, match=r"at most 10 voxels.*got 60 "):
        read_series(_series(tmp_path / "b", lambda _: None), Modality.CT, Reading(max_voxels=10))


def _set(**attributes: Any) -> Callable[[Dataset], None]:
    def edit(item: Dataset) -> None:
        for keyword, value in attributes.items():
            setattr(item, keyword, value)

    return edit


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (_set(PhotometricInterpretation="MONOCHROME1"), "is inverted.*got MONOCHROME1"),
        (_set(ModalityLUTSequence=[Dataset()]), "values in a lookup table"),
        (_set(BitsAllocated=1, BitsStored=1, HighBit=0), "BitsAllocated of 8, 16 or 32"),
        (_set(HighBit=16), "BitsStored and HighBit within it.*got 16, 16 and 16"),
        (_set(NumberOfFrames="3"), "is multi-frame DICOM of a kind that is not read"),
        (_set(RescaleSlope="1e39"), "has an impossible header.*values from"),
        (_set(RescaleSlope="0"), r"slope other than 0, got \(0\.0, 0\.0\)"),
        (_set(PixelSpacing=["0", "1"]), r"PixelSpacing positive \(mm\), got \(0\.0, 1\.0\)"),
        (_set(ImageOrientationPatient=[1, 0, 0, 1, 0, 0]), "two perpendicular unit vectors"),
        (_set(SamplesPerPixel=3, PhotometricInterpretation="RGB"), "colour image"),
    ],
)
def test_headers_that_are_refused(
    tmp_path: Path, edit: Callable[[Dataset], None], message: str
) -> None:
    with pytest.raises(ImageError, match=message):
        read_series(_series(tmp_path, edit), Modality.CT)


def test_missing_pixels(tmp_path: Path) -> None:
    item = make_slice(6, 12.5)
    del item.PixelData
    write_slices(tmp_path, [*make_phase(1), item])
    with pytest.raises(ImageError, match=r"voxels can be decoded.*s895\.dcm"):
        read_series(tmp_path, Modality.CT)


SAMPLES = Path(pydicom.__file__).parent / "data" / "test_files"


@pytest.mark.parametrize(
    "name",
    [
        "CT_small",
        "693_J2KI",
        "J2K_pixelrep_mismatch",
        "MR_small_RLE",
        "MR_small_bigendian",
        "MR_small_jp2klossless",
        "MR_small_jpeg_ls_lossless",
        "MR_small_padded",
    ],
)
def test_samples_of_pydicom_equal_simpleitk(name: str) -> None:
    file = SAMPLES / f"{name}.dcm"
    instance = read_instance(file)
    assert instance is not None
    expected = sitk.GetArrayFromImage(sitk.ReadImage(str(file)))
    np.testing.assert_array_equal(read_voxels(instance.slices, None), expected)


@pytest.mark.parametrize("name", ["JPEGLSNearLossless_08", "JPEGLSNearLossless_16", "JPEG2000"])
def test_lossy_samples_of_pydicom_equal_its_decoders(name: str) -> None:
    item = pydicom.dcmread(SAMPLES / f"{name}.dcm")
    encoding = make_encoding(item, item.file_meta.TransferSyntaxUID, 0)
    frame = next(pydicom.encaps.generate_frames(item.PixelData, number_of_frames=1))
    np.testing.assert_array_equal(decode_frame(frame, encoding), item.pixel_array)
