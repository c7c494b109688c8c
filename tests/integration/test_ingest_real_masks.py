"""Masks of real files equal what other tools made of them, voxel for voxel."""

from pathlib import Path

import highdicom as hd
import numpy as np
import numpy.typing as npt
import pytest

from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.ingest.dicom.mask_facts import read_mask_facts
from pipeline.ingest.mask import read_region
from pipeline.ingest.read_error import ReadError
from pipeline.ingest.volume import read_scan

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def seg_folder(real_data: Path) -> Path:
    return real_data / "liver" / "dcmqi_seg"


@pytest.fixture(scope="module")
def ct(seg_folder: Path) -> Scan:
    return read_scan(seg_folder / "ct-3slice", Modality.CT)


def assert_same(region: Region, twin: Region) -> None:
    assert region.geometry.difference(twin.geometry) == ""
    np.testing.assert_array_equal(region.inside, twin.inside)


def test_liver_on_three_slices(seg_folder: Path, ct: Scan) -> None:
    region = read_region(seg_folder / "liver.dcm", "Liver", "liver", ct)
    assert region.voxel_count == 107098
    assert_same(region, read_region(seg_folder / "liver_seg.nrrd", 1, "liver"))
    assert_same(region, read_region(seg_folder / "liver_spine_seg.nrrd", 1, "liver"))


@pytest.mark.parametrize(("size", "voxels"), [("23x38x3", 322), ("24x38x3", 315)])
def test_frames_that_begin_within_a_byte(seg_folder: Path, size: str, voxels: int) -> None:
    folder = seg_folder / size
    scan = read_scan(folder / "image", Modality.CT)
    region = read_region(folder / "seg" / "label.seg", None, "liver", scan)
    assert region.voxel_count == voxels
    assert_same(region, read_region(folder / "nrrd" / "label.nrrd", 1, "liver"))


@pytest.mark.parametrize(
    ("name", "file", "voxels"),
    [
        ("GREEN", 1, 9602),
        ("ORANGE", 2, 11888),
        ("PURPLE", 3, 10743),
        ("LIGHT_BLUE", 1, 6693),
        ("DARK_BLUE", 1, 4713),
    ],
)
def test_overlapping_segments(
    seg_folder: Path, ct: Scan, name: str, file: int, voxels: int
) -> None:
    path = seg_folder / "partial_overlaps.dcm"
    region = read_region(path, name, "t", ct)
    number = read_mask_facts(path).names.index(name) + 1
    assert region.voxel_count == voxels
    assert_same(region, read_region(seg_folder / f"partial_overlaps-{file}.nrrd", number, "t"))


@pytest.mark.parametrize("padding", ["ppv5", "noppv"])
def test_label_maps_that_lack_slices(seg_folder: Path, padding: str) -> None:
    scan = read_scan(seg_folder / "24x38x3" / "image", Modality.CT)
    region = read_region(seg_folder / f"sparse-labelmap-{padding}.dcm", None, "liver", scan)
    assert region.voxel_count == 630
    # The twin of ppv5 fills the slice without a frame with the padding value, 5.
    assert_same(region, read_region(seg_folder / f"sparse_labelmap_{padding}_seg.nrrd", 1, "liver"))


def test_highdicom_reads_the_same(seg_folder: Path, ct: Scan) -> None:
    path = seg_folder / "partial_overlaps.dcm"
    file = hd.seg.segread(path)
    uids = [
        item.ReferencedSOPInstanceUID
        for item in file.ReferencedSeriesSequence[0].ReferencedInstanceSequence
    ]
    theirs = file.get_pixels_by_source_instance(
        uids, assert_missing_frames_are_empty=True, ignore_spatial_locations=True
    )
    for index, number in enumerate(file.segment_numbers):
        region = read_region(path, number, "t", ct)
        counts = [int(count) for count in region.inside.sum(axis=(1, 2))]
        assert sorted(counts) == sorted(theirs[..., index].sum(axis=(1, 2)).tolist())
        assert region.voxel_count == theirs[..., index].sum()


def test_a_mask_of_another_scan(seg_folder: Path, ct: Scan) -> None:
    with pytest.raises(ReadError, match="another frame of reference"):
        read_region(seg_folder / "23x38x3" / "seg" / "label.seg", None, "liver", ct)


def positions_mm(region: Region) -> npt.NDArray[np.float64]:
    z, y, x = np.nonzero(region.inside)
    grid = region.geometry
    axes = np.reshape(grid.direction, (3, 3)) * grid.spacing_mm
    placed: npt.NDArray[np.float64] = np.stack([x, y, z], axis=1) @ axes.T + grid.origin_mm
    return placed


def on_grid(region: Region, grid: Geometry) -> npt.NDArray[np.bool_]:
    """Place a region whose voxels are voxels of a larger grid."""
    axes = np.reshape(grid.direction, (3, 3)) * grid.spacing_mm
    voxels = np.linalg.solve(axes, (positions_mm(region) - grid.origin_mm).T).T
    assert np.abs(voxels - voxels.round()).max() < 1e-3
    x, y, z = voxels.round().astype(int).T
    inside = np.zeros(grid.shape_zyx, dtype=bool)
    inside[z, y, x] = True
    return inside


@pytest.mark.parametrize(
    ("patient", "series", "voxels"),
    [
        ("STS_002", "CT", 17090),
        ("STS_002", "MR_T1", 17090),
        ("STS_002", "PET", 555),
        ("STS_032", "CT", 35591),
        ("STS_032", "MR_T1", 35591),
        ("STS_032", "PET", 2228),
    ],
)
def test_contours_of_sarcomas(real_data: Path, patient: str, series: str, voxels: int) -> None:
    folder = real_data / "sts" / "dicom" / patient / series
    modality = Modality({"MR_T1": "MR", "PET": "PT"}.get(series, series))
    scan = read_scan(folder / "image", modality)
    region = read_region(folder / "mask", f"GTV_Mass_{series}", "tumour", scan)
    twin = read_region(real_data / "sts" / "nifti" / patient / f"{series}_mask.nii.gz", 1, "tumour")
    assert region.voxel_count == voxels
    np.testing.assert_array_equal(region.inside, on_grid(twin, scan.geometry))


def test_contours_of_the_ibsi_phantom(real_data: Path) -> None:
    folder = real_data / "ibsi" / "ibsi1_ct_phantom"
    scan = read_scan(folder / "dicom" / "image", Modality.CT)
    region = read_region(folder / "dicom" / "mask", "GTV-1", "tumour", scan)
    assert region.voxel_count == 125256
    twin = read_region(folder / "nifti" / "mask" / "mask.nii.gz", None, "tumour")
    np.testing.assert_array_equal(region.inside, on_grid(twin, scan.geometry))


def test_the_liver_of_a_compressed_series_is_liver(real_data: Path) -> None:
    folder = real_data / "liver" / "totalsegmentator"
    scan = read_scan(folder / "ct_dicom_jpeg2000", Modality.CT)
    liver = read_region(folder / "example_seg_dicom.nii.gz", 5, "liver", scan)
    assert liver.voxel_count > 1000
    inside = on_grid(liver, scan.geometry)
    values = scan.voxels[inside]
    assert 20 < np.median(values) < 200
    assert np.mean(values > -150) > 0.98
