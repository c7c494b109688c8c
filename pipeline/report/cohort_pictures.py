"""The pictures of a cohort's scans for the page of a check: read, draw, in parallel."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.domain.cohort import Cohort, ScanRow
from pipeline.domain.errors import ImageError
from pipeline.domain.reading import Reading
from pipeline.domain.scan import Region, Scan
from pipeline.executor.running import run_cases
from pipeline.ingest.mask import read_region
from pipeline.ingest.path_checks import find_path_problems
from pipeline.ingest.read_error import ReadError
from pipeline.ingest.volume import read_scan
from pipeline.report.three_planes import Panel, draw_three_planes

_MM3_IN_ML = 1000.0


@dataclass(frozen=True, slots=True)
class ScanPicture:
    """What the page shows of one row of ``scans.csv``.

    Parameters
    ----------
    row : ScanRow
        The row.
    panels : tuple of Panel
        Empty where the image could not be read.
    facts : tuple of str
        Size, spacing, volume, as text.
    notes : tuple of str
        Why the image or an outline is missing.
    """

    row: ScanRow
    panels: tuple[Panel, ...] = ()
    facts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Job:
    """An image and all rows that use it, so that it is read once."""

    root: Path
    rows: tuple[tuple[int, ScanRow], ...]
    reading: Reading
    allow_outside: bool


def draw_cohort(cohort: Cohort, jobs: int, *, allow_outside: bool) -> list[ScanPicture]:
    """Draw every scan of a cohort; those that cannot be read carry the reason.

    Parameters
    ----------
    cohort : Cohort
        Its images are read here.
    jobs : int
        Processes; the result does not depend on their number.
    allow_outside : bool
        Whether files may lie outside the cohort folder; others are not opened.

    Returns
    -------
    list of ScanPicture
        One a row of ``scans.csv``, in its order; rows without a mask last.
    """
    rows: dict[tuple[str, str], list[tuple[int, ScanRow]]] = defaultdict(list)
    for number, row in enumerate(cohort.listed_scans):
        rows[row.image, row.modality].append((number, row))
    work = [
        _Job(cohort.root, tuple(members), cohort.reading, allow_outside)
        for members in rows.values()
    ]
    pictures: dict[int, ScanPicture] = {}
    for job, outcome in zip(work, run_cases(_draw_rows, work, jobs, "draw images"), strict=True):
        if outcome.failure is not None:
            reason = f"The picture could not be made: {outcome.failure.reason}"
            pictures |= {n: ScanPicture(row, notes=(reason,)) for n, row in job.rows}
        pictures |= dict(outcome.result or [])
    return [pictures[number] for number in range(len(cohort.listed_scans))]


def _draw_rows(job: _Job) -> list[tuple[int, ScanPicture]]:
    faults = {
        number: {
            problem.column: f"{problem.file}: {problem.what} ({problem.got})."
            for problem in find_path_problems(job.root, row, allow_outside=job.allow_outside)
        }
        for number, row in job.rows
    }
    first_number, first = job.rows[0]
    fault = faults[first_number].get("image")
    if fault is None:
        try:
            scan = read_scan(job.root / first.image, first.modality, job.reading)
        except ImageError as error:
            fault = _reason(error, first.image)
    if fault is not None:
        return [(number, ScanPicture(row, notes=(fault,))) for number, row in job.rows]
    return [(number, _draw_row(job, scan, row, faults[number])) for number, row in job.rows]


def _draw_row(job: _Job, scan: Scan, row: ScanRow, faults: dict[str, str]) -> ScanPicture:
    regions: dict[str, Region] = {}
    notes = list(faults.values())
    wanted = (("tumour", "mask", row.mask_label), ("liver", "liver_mask", None))
    for name, column, label in wanted:
        file = getattr(row, column)
        if not file or column in faults:
            continue
        region = _read_on_grid(job, scan, file, label, name)
        if isinstance(region, Region):
            regions[name] = region
        else:
            notes.append(region)
    return ScanPicture(
        row, draw_three_planes(scan, regions), tuple(_facts(scan, regions)), tuple(notes)
    )


def _read_on_grid(job: _Job, scan: Scan, file: str, label: str | None, name: str) -> Region | str:
    """Return the region, or why it has no outline."""
    try:
        return read_region(job.root / file, label, name, scan, job.reading)
    except ImageError as error:
        return f"No outline of the {name}: {_reason(error, file)}"


def _reason(error: ImageError, file: str) -> str:
    """Say what is wrong with a file without the folder that it lies in on this machine."""
    if isinstance(error, ReadError):
        return f"{file} {error.what}: expected {error.expected}, got {error.got}."
    return str(error)


def _facts(scan: Scan, regions: dict[str, Region]) -> Iterator[str]:
    if "tumour" in regions:
        yield f"tumour {regions['tumour'].volume_mm3 / _MM3_IN_ML:.3g} mL"
    if "liver" in regions:
        yield f"liver {regions['liver'].volume_mm3 / _MM3_IN_ML:.0f} mL"
    yield " x ".join(str(length) for length in scan.geometry.size) + " voxels"
    yield " x ".join(f"{length:.3g}" for length in scan.geometry.spacing_mm) + " mm"
