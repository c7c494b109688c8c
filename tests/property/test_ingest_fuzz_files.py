"""Whatever bytes a file holds: a scan comes back or a PipelineError, soon and in little memory."""

import contextlib
import gzip
import resource
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.domain.errors import PipelineError
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.ingest.mask import read_region
from pipeline.ingest.volume import read_geometry, read_scan

FUZZ = settings(max_examples=250, deadline=None, derandomize=True, database=None)
NAMES = ["a.nii", "a.nii.gz", "a.nrrd", "a.nhdr", "a.mha", "a.mhd"]
HEADER_BYTES = 400
MOST_MEBIBYTES = 300

TOKENS = [
    b"\x00", b"\xff", b"\xff\xff", b"\x7f\xff", b"\xff\x7f", b"\xff\xff\xff\x7f",
    b"\x00\x00\xc0\x7f", b"\x00\x00\x80\x7f", b"\x00\x00\x80\xff",
    b"0", b"-1", b"99999999999", b"nan", b"inf", b"1e308", b"\n", b"\n\n", b" ", b"%s%n", b"LIST",
    b"../", b"=", b":", b"True", b"gzip", b"raw", b"byte skip: -1\n", b"NDims = 9\n",
    b"A" * 3000, b"9 " * 300, b"1" * 3000, b"dimension: 99999\n", b"\nDimSize = " + b"2 " * 50,
    b"Comment = " + b"z" * 9000 + b"\n", b"99999999999 = ",
]  # fmt: skip


def originals() -> dict[tuple[str, bool], dict[str, bytes]]:
    """Return sound images by name and compression, each with its data file."""
    found = {}
    image = sitk.GetImageFromArray(np.arange(-60, 60, dtype=np.float32).reshape(4, 5, 6))
    for name in NAMES:
        for compressed in (False, True):
            with tempfile.TemporaryDirectory() as folder:
                sitk.WriteImage(image, f"{folder}/{name}", compressed)
                found[name, compressed] = {
                    path.name: path.read_bytes() for path in Path(folder).iterdir()
                }
    return found


ORIGINALS = originals()

flips = st.tuples(st.just("flip"), st.integers(0, 2000), st.integers(1, 255))
cuts = st.tuples(st.just("cut"), st.integers(0, 2000), st.just(0))
tokens = st.sampled_from(range(len(TOKENS)))
overwrites = st.tuples(st.just("overwrite"), st.integers(0, HEADER_BYTES), tokens)
inserts = st.tuples(st.just("insert"), st.integers(0, HEADER_BYTES), tokens)
damages = st.lists(st.one_of(flips, overwrites, inserts, cuts), min_size=1, max_size=4)


def damaged(content: bytes, changes: list[tuple[str, int, int]]) -> bytes:
    for kind, place, number in changes:
        at = place % max(1, len(content))
        if kind == "flip" and content:
            content = content[:at] + bytes([content[at] ^ number]) + content[at + 1 :]
        elif kind == "cut":
            content = content[:at]
        elif kind == "insert":
            content = content[:at] + TOKENS[number] + content[at:]
        elif kind == "overwrite":
            token = TOKENS[number]
            content = content[:at] + token + content[at + len(token) :]
    return content


def try_all_readers(path: Path) -> None:
    """Read a file in every way; anything but a result or a PipelineError ends the test."""
    readers: list[Callable[[], object]] = [
        lambda: read_geometry(path),
        lambda: read_scan(path, Modality.CT),
        lambda: read_region(path, 1, "tumour"),
        lambda: read_region(path, None, "tumour"),
    ]
    for read in readers:
        with contextlib.suppress(PipelineError):
            result = read()
            if isinstance(result, Scan):
                assert np.isfinite(result.voxels).all()
            if isinstance(result, Region):
                assert result.inside.shape == result.geometry.shape_zyx


@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted in KiB on Linux")
@pytest.mark.parametrize("name", NAMES)
def test_damaged_images(name: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    @FUZZ
    @given(compressed=st.booleans(), inside=st.booleans(), changes=damages)
    def fuzz(compressed: bool, inside: bool, changes: list[tuple[str, int, int]]) -> None:
        files = dict(ORIGINALS[name, compressed])
        if inside and name.endswith(".gz"):  # what is compressed, not the compressed stream
            files[name] = gzip.compress(damaged(gzip.decompress(files[name]), changes), 1)
        else:
            files[name] = damaged(files[name], changes)
        with tempfile.TemporaryDirectory() as folder:
            for file, content in files.items():
                (Path(folder) / file).write_bytes(content)
            try_all_readers(Path(folder) / name)

    fuzz()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown < MOST_MEBIBYTES


@FUZZ
@given(name=st.sampled_from(NAMES), content=st.binary(max_size=600))
def test_noise_with_the_name_of_an_image(name: str, content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        try_all_readers(path)
