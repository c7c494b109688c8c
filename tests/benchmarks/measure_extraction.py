"""Compare `python -m pipeline.extract` with plain PyRadiomics: CPU seconds, memory, numbers.

    python tests/benchmarks/measure_extraction.py

Three invented lesions in whole CTs of 512 x 512 x 120 voxels, the image itself and its Laplacian
and wavelet images (1316 features), one process and one thread on both sides, imports included,
results never from the store. Prints a table in Markdown.
"""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

ROOT = Path(__file__).parents[2]
SIZE_ZYX = (120, 512, 512)
SPACING_MM = (0.8, 0.8, 2.5)
RADII_MM = {"2 cm": 10.0, "6 cm": 30.0, "12 cm": 60.0}
PARAMETERS = """\
imageType: {Original: {}, LoG: {sigma: [1.0, 2.0, 3.0, 4.0, 5.0]}, Wavelet: {}}
setting: {binWidth: 25, resampledPixelSpacing: [1, 1, 1], interpolator: sitkBSpline}
"""
PYRADIOMICS = """
import json, sys
import radiomics
from radiomics.featureextractor import RadiomicsFeatureExtractor
radiomics.setVerbosity(50)
extractor = RadiomicsFeatureExtractor(sys.argv[3])
found = extractor.execute(sys.argv[1], sys.argv[2], label=1)
values = {k: float(v) for k, v in found.items() if not k.startswith("diagnostics_")}
json.dump(values, open(sys.argv[4], "w"))
"""
METER = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
sys.exit(code)
"""


@dataclass(frozen=True)
class Cost:
    """What a command cost: CPU seconds, and memory in MB at its peak."""

    cpu_s: float
    peak_mb: float


def main() -> int:
    """Measure and print."""
    say("| lesion | PyRadiomics | here | ratio | memory | largest relative difference |")
    say("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        parameters = Path(folder) / "parameters.yaml"
        parameters.write_text(PARAMETERS)
        for name, radius_mm in RADII_MM.items():
            say(measure(name, radius_mm, Path(folder), parameters))
    return 0


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def measure(name: str, radius_mm: float, folder: Path, parameters: Path) -> str:
    """Return one row of the table."""
    image, mask = write_case(folder, radius_mm)
    theirs, ours = folder / "theirs.json", folder / "ours.csv"
    plain = run(["-c", PYRADIOMICS, str(image), str(mask), str(parameters), str(theirs)])
    files = ["--image", str(image), "--mask", str(mask), "--config", str(parameters)]
    fast = run(["-m", "pipeline.extract", *files, "--out", str(ours)])
    header, row = (line.split(",") for line in ours.read_text().splitlines())
    values = dict(zip(header, map(float, row), strict=True))
    worst = max(
        abs(values[feature] - value) / max(abs(value), 1e-12)
        for feature, value in json.loads(theirs.read_text()).items()
        if not (np.isnan(value) and np.isnan(values[feature]))
    )
    return (
        f"| {name} | {plain.cpu_s:.1f} s | {fast.cpu_s:.1f} s | {plain.cpu_s / fast.cpu_s:.0f}x"
        f" | {fast.peak_mb:.0f} of {plain.peak_mb:.0f} MB | {worst:.0e} |"
    )


def write_case(folder: Path, radius_mm: float) -> tuple[Path, Path]:
    """Write a noisy liver of 60 HU with a ball in it that is darker inside."""
    generator = np.random.default_rng(0)
    axes = [(np.arange(n) - n / 2) * mm for n, mm in zip(SIZE_ZYX, SPACING_MM[::-1], strict=True)]
    square_mm2 = sum(axis**2 for axis in np.meshgrid(*axes, indexing="ij", sparse=True))
    inside = square_mm2 <= radius_mm**2
    values = 60 + 20 * generator.standard_normal(SIZE_ZYX, dtype=np.float32)
    values[inside] += (40 * square_mm2[inside] / radius_mm**2 - 20).astype(np.float32)
    paths = folder / "image.nii.gz", folder / "mask.nii.gz"
    for path, array in zip(paths, (values.astype(np.int16), inside.astype(np.uint8)), strict=True):
        image = sitk.GetImageFromArray(array)
        image.SetSpacing(SPACING_MM)
        sitk.WriteImage(image, str(path), True)
    return paths


def run(arguments: list[str]) -> Cost:
    """Run Python with these arguments, one thread; return what it cost."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS")
    done = subprocess.run(
        [sys.executable, "-c", METER, sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, **dict.fromkeys(names, "1")},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(done.stderr[-3000:])
    cpu_s, peak_mb = done.stdout.split()
    return Cost(float(cpu_s), float(peak_mb))


if __name__ == "__main__":
    raise SystemExit(main())
