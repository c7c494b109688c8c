"""Measure how fast a DICOM series is read here, beside SimpleITK's reader of the same files.

    python tests/benchmarks/measure_series_reading.py               # 300 slices of 512 x 512
    python tests/benchmarks/measure_series_reading.py --slices 100

Generates a CT series, reads it once by each reader to warm the file cache, then takes the best of
several rounds. Memory is the growth of the process's peak while reading, measured in a child each
(Linux only: the peak is read from /proc).
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

SIZE = 512
ROUNDS = 5
KIBIBYTE = 1024


def main() -> int:
    """Measure both readers and print the figures, or run one reader in a child."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=300, help="number of slices")
    parser.add_argument("--memory", nargs=2, metavar=("READER", "FOLDER"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.memory:
        sys.stdout.write(f"{peak_growth(READERS[args.memory[0]], Path(args.memory[1]))}\n")
        return 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_series(folder, args.slices)
        sys.stdout.write(report(folder, args.slices * SIZE * SIZE * 2))
    return 0


def report(folder: Path, volume_bytes: int) -> str:
    """Return the figures of both readers as text."""
    for reader in READERS.values():
        reader(folder)
    seconds = {
        name: min(timed(reader, folder) for _ in range(ROUNDS)) for name, reader in READERS.items()
    }
    lines = [f"{len(list(folder.iterdir()))} slices, {volume_bytes / 1e6:.0f} MB"]
    for name in READERS:
        command = [sys.executable, __file__, "--memory", name, str(folder)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        ratio = seconds[name] / seconds["simpleitk"]
        memory = int(done.stdout) / volume_bytes
        lines.append(
            f"{name:10} {seconds[name]:.2f} s ({ratio:.2f} x SimpleITK),"
            f" peak memory {memory:.2f} x the volume"
        )
    return "\n".join(lines) + "\n"


def read_here(folder: Path) -> None:
    """Read by this project: find the series, check it, read it."""
    from pipeline.domain.scan import Modality
    from pipeline.ingest.dicom.series import read_series

    read_series(folder, Modality.CT)


def read_by_simpleitk(folder: Path) -> None:
    """Read by SimpleITK: the files in their order, the voxels as an array."""
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames([str(file) for file in sorted(folder.iterdir())])
    sitk.GetArrayFromImage(reader.Execute())


READERS: dict[str, Callable[[Path], None]] = {"here": read_here, "simpleitk": read_by_simpleitk}


def timed(reader: Callable[[Path], None], folder: Path) -> float:
    """Return the seconds of one reading."""
    start = time.perf_counter()
    reader(folder)
    return time.perf_counter() - start


def peak_growth(reader: Callable[[Path], None], folder: Path) -> int:
    """Return by how many bytes the peak memory of this process grows while reading."""
    few = folder.parent / f"{folder.name}-few"
    few.mkdir()
    try:
        for file in sorted(folder.iterdir())[:2]:
            (few / file.name).symlink_to(file)
        reader(few)  # imports, caches
    finally:
        for link in few.iterdir():
            link.unlink()
        few.rmdir()
    before = peak_memory()
    reader(folder)
    return peak_memory() - before


def peak_memory() -> int:
    """Return the peak memory of this process in bytes; getrusage's would be the parent's too."""
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * KIBIBYTE


def write_series(folder: Path, slices: int) -> None:
    """Write a CT series of noise as a scanner stores it: signed, 16 bits of which 12 are stored."""
    rng = np.random.default_rng(0)
    for number in range(slices):
        values = rng.integers(-1024, 2048, (SIZE, SIZE), dtype=np.int16)
        item = make_slice(number)
        item.PixelData = values.tobytes()
        item.save_as(folder / f"{number:04d}.dcm", enforce_file_format=True)


def make_slice(number: int) -> Dataset:
    """Return the header of one slice."""
    item = Dataset()
    item.file_meta = FileMetaDataset()
    item.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    item.SOPClassUID = CTImageStorage
    item.SOPInstanceUID = generate_uid(entropy_srcs=[f"slice {number}"])
    item.file_meta.MediaStorageSOPClassUID = item.SOPClassUID
    item.file_meta.MediaStorageSOPInstanceUID = item.SOPInstanceUID
    item.StudyInstanceUID = generate_uid(entropy_srcs=["study"])
    item.SeriesInstanceUID = generate_uid(entropy_srcs=["series"])
    item.FrameOfReferenceUID = generate_uid(entropy_srcs=["frame"])
    item.Modality, item.SeriesDescription, item.SeriesNumber = "CT", "benchmark", 3
    item.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    item.StudyDate = item.SeriesDate = item.AcquisitionDate = "20200101"
    item.AcquisitionTime, item.AcquisitionNumber = f"1200{number / 10:09.6f}", 1
    item.InstanceNumber, item.SliceThickness = number + 1, 1.0
    item.ImagePositionPatient = [-250, -250, number - 100]
    item.ImageOrientationPatient, item.PixelSpacing = [1, 0, 0, 0, 1, 0], [0.9765625, 0.9765625]
    item.Rows = item.Columns = SIZE
    item.SamplesPerPixel, item.PhotometricInterpretation = 1, "MONOCHROME2"
    item.BitsAllocated, item.BitsStored, item.HighBit, item.PixelRepresentation = 16, 12, 11, 1
    item.RescaleSlope, item.RescaleIntercept = 1, -1024
    return item


if __name__ == "__main__":
    sys.exit(main())
