"""Segments that highdicom wrote come back voxel for voxel on the grid of the scan."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mask_files import FRAME, axial_grid, scan_on, seg_dataset, write_seg
from pydicom.uid import DeflatedExplicitVRLittleEndian, RLELossless
from scipy.spatial.transform import Rotation

from pipeline.domain.geometry import Geometry
from pipeline.domain.reading import Reading
from pipeline.ingest.dicom.mask_labels import Labelled, pick_label
from pipeline.ingest.mask import read_region
from pipeline.ingest.read_error import ReadError

GRID = axial_grid()
RESAMPLE = Reading(resample_masks=True)


def random_mask(grid: Geometry = GRID, seed: int = 0) -> np.ndarray:
    """Return a mask with an empty slice in the middle, which highdicom leaves out."""
    mask = np.random.default_rng(seed).random(grid.shape_zyx) < 0.4
    mask[1] = False
    return mask


def as_stored(mask: np.ndarray, kind: str) -> np.ndarray:
    return mask.astype(np.float32 if kind == "FRACTIONAL" else np.uint8)


@pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL", "LABELMAP"])
def test_all_kinds_come_back(tmp_path: Path, kind: str) -> None:
    mask = random_mask()
    path = write_seg(tmp_path / "seg.dcm", as_stored(mask, kind), GRID, kind)
    region = read_region(path, "Mass", "tumour", scan_on(GRID))
    np.testing.assert_array_equal(region.inside, mask)
    assert region.geometry == GRID
    assert region.name == "tumour"


@pytest.mark.parametrize("kind", ["FRACTIONAL", "LABELMAP"])
def test_run_length_encoded(tmp_path: Path, kind: str) -> None:
    mask = random_mask()
    stored = as_stored(mask, kind)
    path = write_seg(tmp_path / "seg.dcm", stored, GRID, kind, transfer_syntax_uid=RLELossless)
    np.testing.assert_array_equal(read_region(path, 1, "t", scan_on(GRID)).inside, mask)


def test_deflated(tmp_path: Path) -> None:
    dataset = seg_dataset(random_mask().astype(np.uint8), GRID)
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    dataset.save_as(tmp_path / "seg.dcm", enforce_file_format=True)
    region = read_region(tmp_path / "seg.dcm", None, "t", scan_on(GRID))
    np.testing.assert_array_equal(region.inside, random_mask())


@pytest.mark.parametrize("columns", range(5, 13))
def test_bits_across_bytes(tmp_path: Path, columns: int) -> None:
    grid = axial_grid(size=(columns, 7, 5))
    mask = random_mask(grid, columns)
    path = write_seg(tmp_path / "seg.dcm", mask.astype(np.uint8), grid)
    np.testing.assert_array_equal(read_region(path, None, "t", scan_on(grid)).inside, mask)


def test_a_fraction_is_inside_from_one_half(tmp_path: Path) -> None:
    values = np.zeros(GRID.shape_zyx, np.float32)
    values[2, 3, 2:7] = [0.2, 0.499, 0.5, 0.501, 1.0]
    path = write_seg(tmp_path / "s.dcm", values, GRID, "FRACTIONAL", max_fractional_value=200)
    region = read_region(path, None, "t", scan_on(GRID))
    # 0.499 x 200 is stored as 100, one half.
    np.testing.assert_array_equal(np.flatnonzero(region.inside[2, 3]), [3, 4, 5, 6])


def test_overlapping_segments_are_apart(tmp_path: Path) -> None:
    masks = np.stack([random_mask(seed=1), random_mask(seed=2)], axis=-1)
    path = write_seg(tmp_path / "seg.dcm", masks.astype(np.uint8), GRID, names=("Liver", "Mass"))
    for label, expected in (("Liver", masks[..., 0]), ("mass ", masks[..., 1]), (2, masks[..., 1])):
        np.testing.assert_array_equal(read_region(path, label, "t", scan_on(GRID)).inside, expected)


def test_which_segment_must_be_said(tmp_path: Path) -> None:
    masks = np.stack([random_mask(), random_mask()], axis=-1).astype(np.uint8)
    path = write_seg(tmp_path / "seg.dcm", masks, GRID, names=("Liver", "Mass"))
    with pytest.raises(ReadError, match=r"no label says which.*1 \(Liver\), 2 \(Mass\)") as caught:
        read_region(path, None, "t", scan_on(GRID))
    assert caught.value.code == "label-missing"
    with pytest.raises(ReadError, match=r"no segment or contour 'Spleen'.*1 \(Liver\)") as caught:
        read_region(path, "Spleen", "t", scan_on(GRID))
    assert caught.value.code == "label-absent"


def test_segments_of_one_name_go_by_number(tmp_path: Path) -> None:
    masks = np.stack([random_mask(seed=1), random_mask(seed=2)], axis=-1)
    path = write_seg(tmp_path / "seg.dcm", masks.astype(np.uint8), GRID, names=("Mass", "Mass"))
    with pytest.raises(ReadError, match=r"several segments or contours 'Mass'") as caught:
        read_region(path, "Mass", "t", scan_on(GRID))
    assert caught.value.code == "label-ambiguous"
    np.testing.assert_array_equal(read_region(path, "2", "t", scan_on(GRID)).inside, masks[..., 1])


def turned(grid: Geometry, matrix: np.ndarray) -> Geometry:
    return replace(grid, direction=tuple(np.asarray(matrix, dtype=float).ravel().tolist()))


SAGITTAL = np.array([(0, 0, -1), (1, 0, 0), (0, -1, 0)])
OBLIQUE = Rotation.from_euler("xyz", (12, -27, 34), degrees=True).as_matrix()


@pytest.mark.parametrize("matrix", [SAGITTAL, OBLIQUE, OBLIQUE * [1, 1, -1]])
def test_any_orientation(tmp_path: Path, matrix: np.ndarray) -> None:
    grid = turned(GRID, matrix)
    path = write_seg(tmp_path / "seg.dcm", random_mask().astype(np.uint8), grid)
    region = read_region(path, None, "t", scan_on(grid))
    np.testing.assert_array_equal(region.inside, random_mask())


def mirrored(grid: Geometry, axis: int) -> Geometry:
    """Return the grid of the same voxels, counted from the other end of an axis."""
    matrix = np.reshape(grid.direction, (3, 3)).copy()
    length = (grid.size[axis] - 1) * grid.spacing_mm[axis]
    x, y, z = np.asarray(grid.origin_mm) + length * matrix[:, axis]
    matrix[:, axis] *= -1
    return replace(turned(grid, matrix), origin_mm=(float(x), float(y), float(z)))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_segment_stored_mirrored_lies_where_its_positions_say(tmp_path: Path, axis: int) -> None:
    scan_grid = turned(GRID, OBLIQUE)
    mask = random_mask()
    stored = np.flip(mask, axis=2 - axis).astype(np.uint8)
    path = write_seg(tmp_path / "seg.dcm", stored, mirrored(scan_grid, axis))
    region = read_region(path, None, "t", scan_on(scan_grid))
    np.testing.assert_array_equal(region.inside, mask)


def test_frames_along_another_axis(tmp_path: Path) -> None:
    mask = random_mask()
    sagittal = Geometry(
        size=(GRID.size[1], GRID.size[2], GRID.size[0]),
        spacing_mm=(GRID.spacing_mm[1], GRID.spacing_mm[2], GRID.spacing_mm[0]),
        origin_mm=GRID.origin_mm,
        direction=(0, 0, 1, 1, 0, 0, 0, 1, 0),
    )
    path = write_seg(tmp_path / "seg.dcm", mask.transpose(2, 0, 1).astype(np.uint8), sagittal)
    np.testing.assert_array_equal(read_region(path, None, "t", scan_on(GRID)).inside, mask)


def test_a_segment_on_a_part_of_the_image(tmp_path: Path) -> None:
    mask = np.zeros(GRID.shape_zyx, dtype=bool)
    mask[2:4, 1:5, 3:8] = random_mask()[2:4, 1:5, 3:8]
    x, y, z = np.asarray(GRID.origin_mm) + np.array([3, 1, 2]) * GRID.spacing_mm
    part = axial_grid((5, 4, 2), origin_mm=(float(x), float(y), float(z)))
    path = write_seg(tmp_path / "seg.dcm", mask[2:4, 1:5, 3:8].astype(np.uint8), part)
    np.testing.assert_array_equal(read_region(path, None, "t", scan_on(GRID)).inside, mask)


@pytest.mark.parametrize(
    ("shift", "distance"), [((1, 0, 0), "0.75"), ((0, 2, 0), "1 mm"), ((0, 0, -1), "2.5")]
)
def test_pixels_outside_the_image(
    tmp_path: Path, shift: tuple[int, int, int], distance: str
) -> None:
    x, y, z = np.asarray(GRID.origin_mm) + np.asarray(shift) * GRID.spacing_mm
    beside = replace(GRID, origin_mm=(float(x), float(y), float(z)))
    full = np.ones(GRID.shape_zyx, np.uint8)
    path = write_seg(tmp_path / "seg.dcm", full, beside)
    with pytest.raises(ReadError, match=f"partly outside its image.*up to {distance}") as caught:
        read_region(path, None, "t", scan_on(GRID))
    assert caught.value.code == "mask-off-grid"


def test_empty_frames_outside_the_image_do_no_harm(tmp_path: Path) -> None:
    longer = axial_grid((9, 7, 6))
    mask = np.concatenate([random_mask(), np.zeros((1, 7, 9), dtype=bool)])
    path = write_seg(tmp_path / "s.dcm", mask.astype(np.uint8), longer, omit_empty_frames=False)
    np.testing.assert_array_equal(read_region(path, None, "t", scan_on(GRID)).inside, random_mask())


def test_half_a_pixel_beside_the_grid(tmp_path: Path) -> None:
    beside = axial_grid(origin_mm=(-100.0 + 0.375, 30.0, -200.0))
    path = write_seg(tmp_path / "seg.dcm", random_mask().astype(np.uint8), beside)
    with pytest.raises(ReadError, match=r"not on the grid.*\(0\.375, 0, 0\) mm") as caught:
        read_region(path, None, "t", scan_on(GRID))
    assert caught.value.code == "mask-off-grid"


@pytest.mark.parametrize("shift", [0.001, -0.02])
def test_rounded_headers_are_the_same_grid(tmp_path: Path, shift: float) -> None:
    rounded = axial_grid(origin_mm=(-100.0 + 0.75 * shift, 30.0, -200.0))
    path = write_seg(tmp_path / "seg.dcm", random_mask().astype(np.uint8), rounded)
    np.testing.assert_array_equal(read_region(path, None, "t", scan_on(GRID)).inside, random_mask())


def test_other_pixels_are_refused_or_resampled(tmp_path: Path) -> None:
    # Each voxel of the scan is two by two pixels of the segment, and a slice two frames.
    fine = Geometry(
        size=(18, 14, 10),
        spacing_mm=(0.375, 0.25, 1.25),
        origin_mm=(-100.0 - 0.1875, 30.0 - 0.125, -200.0 - 0.625),
        direction=GRID.direction,
    )
    coarse = np.zeros(GRID.shape_zyx, dtype=bool)
    coarse[1:4, 2:5, 3:7] = True
    mask = coarse.repeat(2, 0).repeat(2, 1).repeat(2, 2)
    path = write_seg(tmp_path / "seg.dcm", mask.astype(np.uint8), fine)
    with pytest.raises(ReadError, match=r"not on the grid.*pixels of 0\.375 x 0\.25 mm"):
        read_region(path, None, "t", scan_on(GRID))
    region = read_region(path, None, "t", scan_on(GRID), RESAMPLE)
    np.testing.assert_array_equal(region.inside, coarse)
    assert region.geometry == GRID


def test_a_single_frame_is_resampled_by_its_thickness(tmp_path: Path) -> None:
    beside = axial_grid((9, 7, 1), origin_mm=(-100.0, 30.0, -200.0 + 2 * 2.5 + 0.4))
    path = write_seg(tmp_path / "seg.dcm", np.ones((1, 7, 9), np.uint8), beside)
    region = read_region(path, None, "t", scan_on(GRID), RESAMPLE)
    assert [int(n) for n in region.inside.sum(axis=(1, 2))] == [0, 0, 63, 0, 0]


def test_another_frame_of_reference_is_refused_even_for_resampling(tmp_path: Path) -> None:
    path = write_seg(tmp_path / "seg.dcm", random_mask().astype(np.uint8), GRID)
    with pytest.raises(ReadError, match="another frame of reference") as caught:
        read_region(path, None, "t", scan_on(GRID, "1.2.3"), RESAMPLE)
    assert caught.value.code == "frame-differs"
    assert FRAME not in str(caught.value)
    assert read_region(path, None, "t", scan_on(GRID, "")).voxel_count == random_mask().sum()


def test_two_frames_at_one_place(tmp_path: Path) -> None:
    dataset = seg_dataset(np.ones(GRID.shape_zyx, np.uint8), GRID)
    first, second = dataset.PerFrameFunctionalGroupsSequence[:2]
    second.PlanePositionSequence = first.PlanePositionSequence
    dataset.save_as(tmp_path / "seg.dcm")
    with pytest.raises(ReadError, match="one frame of a segment at a place"):
        read_region(tmp_path / "seg.dcm", None, "t", scan_on(GRID))


def test_absurd_sizes_are_refused_before_memory_is_taken(tmp_path: Path) -> None:
    dataset = seg_dataset(np.ones(GRID.shape_zyx, np.uint8), GRID)
    dataset.Rows = dataset.Columns = 65535
    dataset.save_as(tmp_path / "seg.dcm")
    with pytest.raises(ReadError, match=r"65535 x 65535 x 5") as caught:
        read_region(tmp_path / "seg.dcm", None, "t", scan_on(GRID))
    assert caught.value.code == "image-too-large"


def test_more_frames_announced_than_described(tmp_path: Path) -> None:
    dataset = seg_dataset(np.ones(GRID.shape_zyx, np.uint8), GRID)
    dataset.NumberOfFrames = 2_000_000_000
    dataset.save_as(tmp_path / "seg.dcm")
    with pytest.raises(ReadError, match="the 2000000000 frames announced, got 5"):
        read_region(tmp_path / "seg.dcm", None, "t", scan_on(GRID))


def test_missing_pixels(tmp_path: Path) -> None:
    dataset = seg_dataset(np.ones(GRID.shape_zyx, np.uint8), GRID)
    dataset.PixelData = dataset.PixelData[:-2]
    dataset.save_as(tmp_path / "seg.dcm")
    with pytest.raises(ReadError, match="40 bytes of pixels, got 38"):
        read_region(tmp_path / "seg.dcm", None, "t", scan_on(GRID))


def test_a_segment_without_pixels_is_empty(tmp_path: Path) -> None:
    masks = np.stack([random_mask(), np.zeros_like(random_mask())], axis=-1).astype(np.uint8)
    path = write_seg(tmp_path / "seg.dcm", masks, GRID, names=("Liver", "Mass"))
    assert read_region(path, "Mass", "t", scan_on(GRID)).voxel_count == 0


@pytest.mark.parametrize("position", ["1e300", "-1e12", "nan"])
def test_positions_beyond_reason(tmp_path: Path, position: str) -> None:
    dataset = seg_dataset(np.ones(GRID.shape_zyx, np.uint8), GRID)
    place = dataset.PerFrameFunctionalGroupsSequence[2].PlanePositionSequence[0]
    place["ImagePositionPatient"]._value = [position, "30", "-200"]
    dataset.save_as(tmp_path / "seg.dcm")
    for reading in (Reading(), RESAMPLE):
        with pytest.raises(ReadError, match="positions within 100000 mm"):
            read_region(tmp_path / "seg.dcm", None, "t", scan_on(GRID), reading)


def test_frames_packed_each_from_a_byte_of_its_own(tmp_path: Path) -> None:
    # As some writers do, against PS3.5; read as packed, the mask would be scrambled.
    dataset = seg_dataset(np.ones(GRID.shape_zyx, np.uint8), GRID)
    dataset.PixelData = bytes(5 * (-(-GRID.size[0] * GRID.size[1] // 8)) + 4)
    dataset.save_as(tmp_path / "seg.dcm")
    with pytest.raises(ReadError, match="40 bytes of pixels, got 44"):
        read_region(tmp_path / "seg.dcm", None, "t", scan_on(GRID))


def test_a_file_without_preamble_and_meta_information(tmp_path: Path) -> None:
    dataset = seg_dataset(random_mask().astype(np.uint8), GRID)
    del dataset.file_meta
    dataset.preamble = None
    dataset.save_as(tmp_path / "seg", implicit_vr=True, little_endian=True)
    region = read_region(tmp_path / "seg", None, "t", scan_on(GRID))
    np.testing.assert_array_equal(region.inside, random_mask())


def test_a_segment_of_thicker_slices_is_refused_or_resampled(tmp_path: Path) -> None:
    """Its frames lie on every second slice; taken for the scan's own, half of it would be lost."""
    thick = axial_grid(size=(9, 7, 6), spacing_mm=(0.75, 0.5, 5.0))
    thin = replace(thick, size=(9, 7, 11), spacing_mm=(0.75, 0.5, 2.5))
    mask = np.zeros(thick.shape_zyx, np.uint8)
    mask[1:4, 2:5, 2:6] = 1
    path = write_seg(tmp_path / "seg.dcm", mask, thick)
    truth = read_region(path, None, "t", scan_on(thick))
    with pytest.raises(ReadError, match=r"slices 5 mm apart on slices 2\.5 mm apart") as caught:
        read_region(path, None, "t", scan_on(thin))
    assert caught.value.code == "mask-off-grid"
    region = read_region(path, None, "t", scan_on(thin), RESAMPLE)
    # From 2.5 to 17.5 mm; of the two centres on the ends, the lower one counts.
    assert np.flatnonzero(region.inside.any(axis=(1, 2))).tolist() == list(range(1, 7))
    assert region.volume_mm3 == pytest.approx(truth.volume_mm3)


def test_separate_lesions_are_not_joined_by_resampling(tmp_path: Path) -> None:
    grid = axial_grid(size=(9, 7, 20), spacing_mm=(0.75, 0.5, 5.0))
    mask = np.zeros(grid.shape_zyx, np.uint8)
    mask[[4, 10], 2:5, 2:6] = 1
    path = write_seg(tmp_path / "seg.dcm", mask, grid)
    x, y, z = grid.origin_mm
    shifted = replace(grid, origin_mm=(x + 0.2, y, z + 1.0))
    region = read_region(path, None, "t", scan_on(shifted), RESAMPLE)
    assert np.flatnonzero(region.inside.any(axis=(1, 2))).tolist() == [4, 10]


def test_frames_as_uneven_as_slices_may_be(tmp_path: Path) -> None:
    dataset = seg_dataset(random_mask().astype(np.uint8), GRID)
    frames = dataset.PerFrameFunctionalGroupsSequence
    for number, frame in enumerate(frames):
        position = frame.PlanePositionSequence[0].ImagePositionPatient
        position[2] = float(position[2]) + 0.09 * 2.5 * (-1) ** number
    dataset.save_as(tmp_path / "seg.dcm")
    region = read_region(tmp_path / "seg.dcm", None, "t", scan_on(GRID))
    np.testing.assert_array_equal(region.inside, random_mask())


def test_a_number_is_never_taken_for_a_name() -> None:
    items = (Labelled(2, "Lesion"), Labelled(3, "Lesion"), Labelled(4, "3"))
    assert pick_label(Path("s.dcm"), items, 3, "tumour") == 3
    assert pick_label(Path("s.dcm"), items, "3", "tumour") == 4


def write_measured(
    path: Path,
    slice_mm: float,
    slices: list[int],
    thickness_mm: float | None,
    stated_mm: float | None = None,
) -> Path:
    """Write 3 x 4 voxels on slices of a distance, with other measures in the header."""
    grid = axial_grid(size=(9, 7, 20), spacing_mm=(0.75, 0.5, slice_mm))
    mask = np.zeros(grid.shape_zyx, np.uint8)
    mask[slices, 2:5, 2:6] = 1
    dataset = seg_dataset(mask, grid)
    measures = dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    del measures.SliceThickness, measures.SpacingBetweenSlices
    if thickness_mm is not None:
        measures.SliceThickness = thickness_mm
    if stated_mm is not None:
        measures.SpacingBetweenSlices = stated_mm
    dataset.save_as(path)
    return path


@pytest.mark.parametrize(
    ("slice_mm", "slices", "thickness_mm", "stated_mm"),
    [
        (5.0, [4, 5, 6], 4.0, None),  # MR with gaps of 1 mm
        (5.0, [4, 10], 4.0, None),
        (4.0, [4, 9], 3.0, None),
        (5.0, [4], 4.0, None),
        (2.5, [4, 5, 6], 5.0, None),  # overlapping reconstruction
        (4.0, [4, 5, 6], 5.0, 5.0),  # which states the thickness as the distance
        (5.0, [4, 5, 6], 3.0, 3.0),  # a header that its frames contradict
        (5.0, [4], None, None),
    ],
)
def test_segments_are_read_on_their_own_slices_whatever_the_header(
    tmp_path: Path,
    slice_mm: float,
    slices: list[int],
    thickness_mm: float | None,
    stated_mm: float | None,
) -> None:
    path = write_measured(tmp_path / "seg.dcm", slice_mm, slices, thickness_mm, stated_mm)
    own = axial_grid(size=(9, 7, 20), spacing_mm=(0.75, 0.5, slice_mm))
    region = read_region(path, None, "t", scan_on(own))
    assert np.flatnonzero(region.inside.any(axis=(1, 2))).tolist() == slices
    assert region.voxel_count == 12 * len(slices)


@pytest.mark.parametrize(
    ("slices", "thickness_mm"), [([4], 5.0), ([4, 10], 5.0), ([4, 5, 6], 4.0), ([4, 5, 6], None)]
)
def test_thicker_slices_are_recognised_without_a_stated_distance(
    tmp_path: Path, slices: list[int], thickness_mm: float | None
) -> None:
    path = write_measured(tmp_path / "seg.dcm", 5.0, slices, thickness_mm)
    thin = axial_grid(size=(9, 7, 100), spacing_mm=(0.75, 0.5, 1.0))
    with pytest.raises(ReadError, match=r"slices 5 mm apart on slices 1 mm apart"):
        read_region(path, None, "t", scan_on(thin))
    region = read_region(path, None, "t", scan_on(thin), RESAMPLE)
    assert region.volume_mm3 == pytest.approx(len(slices) * 12 * 0.75 * 0.5 * 5.0)
