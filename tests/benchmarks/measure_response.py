"""Measure what the response measures of one large lesion cost, step by step.

    python tests/benchmarks/measure_response.py

A tumour of 300 mL with a necrotic core in a liver, in four whole CT phases of 512 x 512 x 80 voxels
of 0.8 x 0.8 x 2.5 mm with noise, the later ones displaced by a rigid motion that is known: what is
timed comes after preparation and registration. Prints a table in Markdown.
"""

import sys
import time
from collections.abc import Callable
from functools import partial
from math import pi
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from pipeline.config.loading import load_settings  # noqa: E402 (after the path to it)
from pipeline.config.measure import MeasureConfig, ReferenceTissue  # noqa: E402
from pipeline.config.prepare import PrepareConfig  # noqa: E402
from pipeline.config.registration import RegistrationMethod  # noqa: E402
from pipeline.domain.cohort import ScanRow  # noqa: E402
from pipeline.domain.geometry import Geometry  # noqa: E402
from pipeline.domain.scan import Modality, Region, Scan, Timepoint  # noqa: E402
from pipeline.imaging.alignment import Alignment, RigidMotion  # noqa: E402
from pipeline.imaging.liver_reference import place_liver_reference  # noqa: E402
from pipeline.imaging.prepared import PreparedCase, prepare_case  # noqa: E402
from pipeline.imaging.registration import Registration  # noqa: E402
from pipeline.imaging.registration_verdict import Quality  # noqa: E402
from pipeline.response.curves import read_curves  # noqa: E402
from pipeline.response.lesion_response import measure_response  # noqa: E402
from pipeline.visit_images import lesion_images  # noqa: E402
from pipeline.visits import Visit, VisitRows  # noqa: E402

SIZE, SPACING_MM = (512, 512, 80), (0.8, 0.8, 2.5)
GRID = Geometry(SIZE, SPACING_MM, (0.0, 0.0, 0.0), (1.0, 0, 0, 0, 1, 0, 0, 0, 1))
CENTRE_MM, VOLUME_ML, CORE_MM = (160.0, 205.0, 100.0), 300.0, 25.0
LEVELS_HU = {
    "arterial": (110, 45, 65),
    "portal": (90, 45, 110),
    "delayed": (80, 45, 95),
    "native": (45, 45, 55),
}
"""Living tumour, necrosis, liver."""

BREATH_MM = (2.3, -1.4, 6.0)

Vector = tuple[float, float, float]
Result = TypeVar("Result")


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def squares(radii_mm: Vector, shift_mm: Vector) -> npt.NDArray[np.float64]:
    """Return square distances from the tumour's centre in units of radii, shape (z, y, x)."""
    centre_mm = np.add(CENTRE_MM, shift_mm)
    x, y, z = (
        ((np.arange(size) * step - centre) / radius) ** 2
        for size, step, centre, radius in zip(SIZE, SPACING_MM, centre_mm, radii_mm, strict=True)
    )
    return np.asarray(z[:, None, None] + y[None, :, None] + x[None, None, :])


def prepare(phase: str, seed: int) -> PreparedCase:
    """Return one phase, cropped to the liver as the stage prepare does."""
    alive, dead, parenchyma = LEVELS_HU[phase]
    outer_mm = (3 * VOLUME_ML * 1000 / (4 * pi)) ** (1 / 3)
    shift_mm = (0.0, 0.0, 0.0) if phase == "arterial" else BREATH_MM
    tumour = squares((outer_mm, outer_mm, outer_mm), shift_mm) <= 1
    liver = squares((115.0, 95.0, 85.0), shift_mm) <= 1
    voxels = np.full(GRID.shape_zyx, -60.0, dtype=np.float32)
    voxels[liver], voxels[tumour] = parenchyma, alive
    voxels[squares((CORE_MM, CORE_MM, CORE_MM), shift_mm) <= 1] = dead
    voxels += np.random.default_rng(seed).normal(0, 12, voxels.shape).astype(np.float32)
    scan = Scan(voxels.astype(np.int16), GRID, Modality.CT)
    regions = {"tumour": Region(tumour, GRID, "tumour"), "liver": Region(liver, GRID, "liver")}
    return prepare_case(scan, regions, PrepareConfig(), phase)


def build_visit() -> Visit:
    """Return the phases with their known motion and the sphere of reference liver."""
    cases = {phase: prepare(phase, seed) for seed, phase in enumerate(LEVELS_HU)}
    rows = {
        phase: ScanRow(
            patient_id="P1",
            timepoint=Timepoint.PREOP,
            modality=Modality.CT,
            phase=phase,
            image=f"{phase}.nii.gz",
            mask="mask.nii.gz",
        )
        for phase in cases
    }
    breath = Alignment(RigidMotion(translation_mm=BREATH_MM))
    moved = Registration(breath, RegistrationMethod.RIGID, Quality())
    first = cases["arterial"]
    sphere = place_liver_reference(first.scan, first.regions["liver"], [first.regions["tumour"]])
    registrations = {phase: moved for phase in cases if phase != "arterial"}
    return Visit(VisitRows(rows, rows), cases, registrations, sphere)


def clock(name: str, work: Callable[[], Result]) -> Result:
    """Do the work, print what it cost, return its result."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    say(f"| {name} | {time.perf_counter() - wall:.2f} | {time.process_time() - cpu:.2f} |")
    return result


def main() -> int:
    """Measure and print."""
    config = load_settings(MeasureConfig, ROOT / "configs" / "measure.yaml")
    visit = build_visit()
    say(f"prepared: {visit.phases['arterial'].scan.geometry.size} voxels")
    say("| step | wall s | CPU s |\n|---|---|---|")
    for tissue in ReferenceTissue:
        chosen = config.model_copy(update={"reference": tissue})
        images = clock(f"{tissue}: images cut out and laid", partial(lesion_images, visit, chosen))
        clock(f"{tissue}: all measures", partial(measure_response, images, chosen))
        clock(f"{tissue}: curves", partial(read_curves, images))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
