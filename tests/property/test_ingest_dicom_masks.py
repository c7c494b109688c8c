"""For any grid a DICOM mask comes back where it was; damaged ones never break the reader."""

import tempfile
from dataclasses import replace
from io import BytesIO
from itertools import permutations
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mask_files import axial_grid, contour, rectangle, scan_on, seg_dataset, structure_set
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from scipy.spatial.transform import Rotation

from pipeline.domain.geometry import Geometry
from pipeline.domain.reading import Reading
from pipeline.domain.scan import Region
from pipeline.ingest.mask import read_region
from pipeline.ingest.read_error import ReadError

# Frames of fewer than eight pixels are packed wrongly by highdicom 0.28.2.
sizes = st.tuples(*[st.integers(3, 9)] * 3)
spacings = st.tuples(st.floats(0.3, 2), st.floats(0.3, 2), st.floats(0.5, 5))
angles = st.tuples(st.floats(-180, 180), st.floats(-85, 85), st.floats(-180, 180))


@st.composite
def geometries(draw: st.DrawFn) -> Geometry:
    matrix = Rotation.from_euler("xyz", draw(angles), degrees=True).as_matrix()
    if draw(st.booleans()):
        matrix[:, 2] *= -1
    origin = draw(st.tuples(*[st.integers(-3000, 3000).map(lambda n: n / 10)] * 3))
    return Geometry(draw(sizes), draw(spacings), origin, tuple(matrix.ravel().tolist()))


def seen_from(grid: Geometry, axes: tuple[int, ...], flips: tuple[bool, ...]) -> Geometry:
    """Return the same lattice with its axes in another order and counted from other ends."""
    matrix = np.reshape(grid.direction, (3, 3)).copy()
    origin = np.asarray(grid.origin_mm)
    for axis, flip in enumerate(flips):
        if flip:
            origin = origin + (grid.size[axis] - 1) * grid.spacing_mm[axis] * matrix[:, axis]
            matrix[:, axis] *= -1
    x, y, z = axes
    return Geometry(
        (grid.size[x], grid.size[y], grid.size[z]),
        (grid.spacing_mm[x], grid.spacing_mm[y], grid.spacing_mm[z]),
        (float(origin[0]), float(origin[1]), float(origin[2])),
        tuple(matrix[:, list(axes)].ravel().tolist()),
    )


def rearranged(
    mask: npt.NDArray[np.bool_], axes: tuple[int, ...], flips: tuple[bool, ...]
) -> npt.NDArray[np.bool_]:
    by_xyz = mask.transpose(2, 1, 0)
    flipped = np.flip(by_xyz, tuple(axis for axis, flip in enumerate(flips) if flip))
    result: npt.NDArray[np.bool_] = flipped.transpose(axes).transpose(2, 1, 0)
    return result


def shuffle_frames(dataset: Dataset, order: list[int]) -> None:
    """Store the frames of a SEG in another order."""
    bits = np.unpackbits(np.frombuffer(dataset.PixelData, np.uint8), bitorder="little")
    size = dataset.Rows * dataset.Columns
    pixels = bits[: len(order) * size].reshape(-1, size)[order]
    packed = np.packbits(pixels.ravel(), bitorder="little").tobytes()
    dataset.PixelData = packed + b"\0" * (len(packed) % 2)
    frames = dataset.PerFrameFunctionalGroupsSequence
    dataset.PerFrameFunctionalGroupsSequence = Items([frames[number] for number in order])


@settings(max_examples=40, deadline=None)
@given(
    grid=geometries(),
    axes=st.sampled_from(list(permutations(range(3)))),
    flips=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    data=st.data(),
)
def test_a_segment_lies_where_its_frames_lie(
    grid: Geometry, axes: tuple[int, ...], flips: tuple[bool, ...], data: st.DataObject
) -> None:
    seed = data.draw(st.integers(0, 2**16))
    mask = np.random.default_rng(seed).random(grid.shape_zyx) < 0.4
    mask[0, 0, 0] = True
    stored = rearranged(mask, axes, flips).astype(np.uint8)
    dataset = seg_dataset(stored, seen_from(grid, axes, flips))
    shuffle_frames(dataset, data.draw(st.permutations(range(int(dataset.NumberOfFrames)))))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "seg"
        dataset.save_as(path)
        region = read_region(path, 1, "tumour", scan_on(grid))
    np.testing.assert_array_equal(region.inside, mask)


@settings(max_examples=40, deadline=None)
@given(grid=geometries(), data=st.data())
def test_contours_around_voxels_enclose_them(grid: Geometry, data: st.DataObject) -> None:
    seed = data.draw(st.integers(0, 2**16))
    mask = np.random.default_rng(seed).random(grid.shape_zyx) < 0.3
    mask[:, 0, 0] = True  # on every slice: skipped ones are another test's concern
    axes = np.reshape(grid.direction, (3, 3)) * grid.spacing_mm
    square = np.array([[-0.5, -0.5, 0], [0.5, -0.5, 0], [0.5, 0.5, 0], [-0.5, 0.5, 0]])
    contours = [
        contour((np.add(square, (x, y, z)) @ axes.T + grid.origin_mm).tolist())
        for z, y, x in np.argwhere(mask)
    ]
    dataset = structure_set([(1, "GTV", data.draw(st.permutations(contours)))])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rs"
        dataset.save_as(path, enforce_file_format=True)
        region = read_region(path, 1, "tumour", scan_on(grid))
    np.testing.assert_array_equal(region.inside, mask)


GRID = axial_grid(size=(6, 5, 4), spacing_mm=(1, 1, 1), origin_mm=(0, 0, 0))
SCAN = scan_on(GRID)
READINGS = (Reading(max_voxels=10**6), Reading(resample_masks=True, max_voxels=10**6))


def contents() -> dict[str, bytes]:
    mask = np.zeros(GRID.shape_zyx, np.uint8)
    mask[1:3, 1:4, 1:4] = 1
    datasets = {
        kind: seg_dataset(mask.astype(np.float32) if kind == "FRACTIONAL" else mask, GRID, kind)
        for kind in ("BINARY", "FRACTIONAL", "LABELMAP")
    }
    outlines = [rectangle((0.5, 0.5), (3.5, 3.5), z) for z in (1.0, 2.0)]
    datasets["RTSTRUCT"] = structure_set([(1, "GTV", outlines)])
    return {kind: as_bytes(dataset) for kind, dataset in datasets.items()}


def as_bytes(dataset: Dataset) -> bytes:
    stream = BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


CONTENTS = contents()


def read_or_refuse(content: bytes) -> list[Region | None]:
    """Read a file in both ways; any error but ReadError fails the test."""
    found: list[Region | None] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mask"
        path.write_bytes(content)
        for reading in READINGS:
            try:
                found.append(read_region(path, None, "tumour", SCAN, reading))
            except ReadError:
                found.append(None)
    return found


@pytest.mark.parametrize("kind", CONTENTS)
def test_the_undamaged_file_is_read(kind: str) -> None:
    for region in read_or_refuse(CONTENTS[kind]):
        assert region is not None
        assert region.voxel_count == 18


@pytest.mark.parametrize("kind", CONTENTS)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_changed_bytes(kind: str, data: st.DataObject) -> None:
    content = bytearray(CONTENTS[kind])
    places = st.tuples(st.integers(128, len(content) - 1), st.integers(0, 255))
    for place, value in data.draw(st.lists(places, min_size=1, max_size=4)):
        content[place] = value
    read_or_refuse(bytes(content))


@pytest.mark.parametrize("kind", CONTENTS)
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_file_that_ends_early_is_never_a_smaller_mask(kind: str, data: st.DataObject) -> None:
    content = CONTENTS[kind]
    end = data.draw(st.integers(0, len(content) - 1))
    for region in read_or_refuse(content[:end]):
        assert region is None or region.voxel_count == 18


def all_elements(dataset: Dataset) -> list[tuple[Dataset, pydicom.DataElement]]:
    found = []
    for element in dataset:
        found.append((dataset, element))
        if element.VR == "SQ":
            found += [pair for item in element.value for pair in all_elements(item)]
    return found


ODD_VALUES = (
    None,  # absent
    b"",
    b"-1",
    b"0 ",
    b"nan ",
    b"1e308 ",
    b"99999999999 ",
    b"1\\2\\3\\4\\5 ",
    b"\xff\xff\xff\xff",
    b"x" * 70,
)


@pytest.mark.parametrize("kind", CONTENTS)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_missing_and_odd_attributes(kind: str, data: st.DataObject) -> None:
    dataset = pydicom.dcmread(BytesIO(CONTENTS[kind]))
    elements = all_elements(dataset)
    parent, element = elements[data.draw(st.integers(0, len(elements) - 1))]
    value = data.draw(st.sampled_from(ODD_VALUES))
    del parent[element.tag]
    if value is not None:
        parent[element.tag] = RawDataElement(
            element.tag, element.VR, len(value), value, 0, False, True
        )
    stream = BytesIO()
    dataset.save_as(stream)
    read_or_refuse(stream.getvalue())


def test_sequences_nested_without_end() -> None:
    dataset = structure_set([(1, "GTV", [rectangle((0.5, 0.5), (3.5, 3.5), 1)])])
    opening = b"\xfe\xff\x00\xe0\xff\xff\xff\xff\x06\x30\x39\x00SQ\x00\x00\xff\xff\xff\xff"
    start = b"\x06\x30\x39\x00SQ\x00\x00\xff\xff\xff\xff"
    del dataset.ROIContourSequence
    assert read_or_refuse(as_bytes(dataset) + start + opening * 50_000) == [None, None]


def test_the_grid_of_the_region_is_the_scans() -> None:
    for region in read_or_refuse(CONTENTS["BINARY"]):
        assert region is not None
        assert region == replace(region, geometry=GRID, inside=region.inside)
