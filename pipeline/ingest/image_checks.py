"""Read an image and the masks drawn on it, and list everything that is wrong with them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.config.checks import Checks
from pipeline.domain.cohort import MASK_COLUMNS, ScanRow
from pipeline.domain.problem import Problem
from pipeline.domain.reading import DEFAULT_READING, Reading
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.ingest.attenuation_checks import find_attenuation_problems
from pipeline.ingest.codes import Code
from pipeline.ingest.dicom.facts import SeriesFacts
from pipeline.ingest.dicom.series import read_stack
from pipeline.ingest.duplicate_checks import hash_voxels
from pipeline.ingest.lesion_overlap import crop_region, find_lesion_overlaps
from pipeline.ingest.lesion_places import Place, locate
from pipeline.ingest.liver_checks import (
    find_liver_attenuation_problems,
    find_liver_problems,
    find_overlap_problems,
)
from pipeline.ingest.mask import read_region
from pipeline.ingest.mask_checks import find_mask_problems
from pipeline.ingest.phase.vessels import read_landmarks
from pipeline.ingest.phase_checks import (
    find_enhancement_contradiction,
    find_header_contradiction,
    header_confirms,
)
from pipeline.ingest.read_error import ReadError
from pipeline.ingest.region_checks import find_shape_problems
from pipeline.ingest.row_problem import about, as_problem
from pipeline.ingest.visit_checks import Attenuation, measure_attenuation
from pipeline.ingest.volume import find_series, read_scan
from pipeline.ingest.voxel_checks import find_image_problems

_NO_HU = (Code.IMAGE_CONSTANT, Code.VALUES_IMPLAUSIBLE)
"""Problems of a CT after which its values are not judged further."""

Regions = Mapping[str, Region]


@dataclass(frozen=True, slots=True)
class ImageGroup:
    """An image and all rows of ``scans.csv`` that use it, so that it is read once.

    Parameters
    ----------
    root : Path
        The cohort folder.
    rows : tuple of (int, ScanRow)
        Each with its number among the cohort's scans.
    min_region_mm3 : float
        Smallest acceptable volume of a region.
    reading : Reading
        What the reader may do.
    limits : Checks
        From where on voxels are reported.
    """

    root: Path
    rows: tuple[tuple[int, ScanRow], ...]
    min_region_mm3: float
    reading: Reading = DEFAULT_READING
    limits: Checks = field(default_factory=Checks)


@dataclass(frozen=True, slots=True)
class GroupFindings:
    """What was found in one image.

    Parameters
    ----------
    problems : tuple of (int, Problem)
        Each with its row's number; those of the image itself carry the number of the first row.
    voxel_hash : str
        Equal for images with equal voxels, see
        :func:`pipeline.ingest.duplicate_checks.hash_voxels`; empty where the image was not read.
    attenuation : tuple of (int, Attenuation)
        What was measured under the regions of each row, with its number; CT in HU only.
    places : tuple of (int, Place)
        Where the tumour of each row lies, with its number.
    """

    problems: tuple[tuple[int, Problem], ...]
    voxel_hash: str = ""
    attenuation: tuple[tuple[int, Attenuation], ...] = ()
    places: tuple[tuple[int, Place], ...] = ()


def examine_image_group(group: ImageGroup) -> GroupFindings:
    """Read an image and its masks, list their problems, and fingerprint the voxels.

    What compares images with each other is for the caller, see
    :func:`pipeline.ingest.duplicate_checks.find_duplicate_images`,
    :mod:`pipeline.ingest.visit_checks` and :mod:`pipeline.ingest.lesion_places`.
    """
    number, first = group.rows[0]
    try:
        series, scan = _read_image(group.root / first.image, first, group)
    except ReadError as error:
        return GroupFindings(
            tuple((number, as_problem(error, row, row.image)) for number, row in group.rows)
        )
    in_image = list(find_image_problems(scan, first, group.limits))
    if series is not None:
        in_image += find_header_contradiction(first, series, group.limits)
    found = [(number, problem) for problem in in_image]
    if any(problem.code == Code.IMAGE_IS_MASK for problem in in_image):
        return GroupFindings(tuple(found), hash_voxels(scan.voxels))  # masks say nothing about it
    in_hu = first.modality is Modality.CT and not any(p.code in _NO_HU for p in in_image)
    confirmed = series is not None and header_confirms(first, series)
    attenuation, drawn = [], []
    for number, row in group.rows:
        regions, problems = _read_regions(scan, row, group)
        problems += _judge_regions(row, group, regions)
        if in_hu:
            known = [item for item in regions.items() if item[0] in ("tumour", "liver")]
            median_hu, in_region = _judge_attenuation(scan, row, group, dict(known))
            attenuation.append((number, Attenuation(row, median_hu, confirmed)))
            problems += in_region
        found += [(number, problem) for problem in problems]
        if "tumour" in regions:
            drawn.append((number, row, crop_region(regions["tumour"])))
    found += find_lesion_overlaps(drawn, group.limits)
    places = tuple((number, locate(row, scan, crop)) for number, row, crop in drawn)
    return GroupFindings(tuple(found), hash_voxels(scan.voxels), tuple(attenuation), places)


def _read_image(path: Path, row: ScanRow, group: ImageGroup) -> tuple[SeriesFacts | None, Scan]:
    """Read an image, and what the headers of a DICOM series say about it."""
    series = find_series(path, row.modality)
    if series is None:
        return None, read_scan(path, row.modality, group.reading)
    return series.facts, read_stack(series, row.modality, group.reading)


def _read_regions(
    scan: Scan, row: ScanRow, group: ImageGroup
) -> tuple[dict[str, Region], list[Problem]]:
    """Read the masks of a row, and list what is wrong with those that cannot be judged."""
    if row.mask == row.image:
        return {}, [_mask_is_image(row)]
    read = {
        name: _read_on_grid(scan, row, group, column, name) for name, column in MASK_COLUMNS.items()
    }
    regions = {name: item for name, item in read.items() if isinstance(item, Region)}
    return regions, [item for item in read.values() if isinstance(item, Problem)]


def _label(row: ScanRow, region: str) -> str | None:
    return row.mask_label if region == "tumour" else None


def _judge_regions(row: ScanRow, group: ImageGroup, regions: Regions) -> Iterator[Problem]:
    tumour, liver = regions.get("tumour"), regions.get("liver")
    yield from find_mask_problems(row, regions, group.limits)
    if tumour is not None:
        yield from find_shape_problems(row, tumour, group.min_region_mm3, group.limits)
    if liver is not None:
        yield from find_liver_problems(row, liver, group.limits)
    if tumour is not None and liver is not None:
        yield from find_overlap_problems(row, tumour, liver, group.limits)


def _judge_attenuation(
    scan: Scan, row: ScanRow, group: ImageGroup, regions: Regions
) -> tuple[dict[str, float], list[Problem]]:
    """Measure a CT under the regions of a row; its organs with the image's first row only."""
    problems: list[Problem] = []
    if "tumour" in regions:
        problems += find_attenuation_problems(scan, row, regions["tumour"], group.limits)
    if "liver" in regions:
        problems += find_liver_attenuation_problems(scan, row, regions["liver"], group.limits)
    if row is not group.rows[0][1]:
        regions = {name: region for name, region in regions.items() if name == "tumour"}
    elif row.phase in group.limits.phase_hu:
        if row.mask:
            regions = {**read_landmarks(group.root / row.mask, scan, group.reading), **regions}
        problems += find_enhancement_contradiction(scan, row, regions, group.limits)
    return measure_attenuation(scan, regions), problems


def _read_on_grid(
    scan: Scan, row: ScanRow, group: ImageGroup, column: str, name: str
) -> Region | Problem | None:
    """Read a region that is not empty, or say what is wrong.

    None where the row names no file.
    """
    file: str = getattr(row, column)
    if not file:
        return None
    try:
        region = read_region(group.root / file, _label(row, name), name, scan, group.reading)
    except ReadError as error:
        return as_problem(error, row, file)
    if region.voxel_count == 0:
        return about(row, file)(
            code=Code.MASK_EMPTY,
            what=f"the {name} mask is empty",
            expected="voxels above 0",
            got="none",
            next_step="Draw the region, or remove the row."
            if name == "tumour"
            else f"Draw the region, or empty the field {column}.",
        )
    return region


def _mask_is_image(row: ScanRow) -> Problem:
    return about(row, row.mask)(
        code=Code.MASK_IS_IMAGE,
        what="image and mask are the same file",
        expected="two files",
        got="one",
        next_step="Correct the column mask in scans.csv.",
    )
