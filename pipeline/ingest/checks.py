"""Every problem of a cohort beyond the form of its tables: paths, images, masks, patients."""

from collections import defaultdict
from dataclasses import replace

from pipeline.config.cohort import CohortConfig
from pipeline.domain.cohort import Cohort, ScanRow
from pipeline.domain.problem import Problem
from pipeline.executor.running import run_cases
from pipeline.ingest.codes import Code
from pipeline.ingest.covariate_checks import find_covariate_problems
from pipeline.ingest.date_checks import find_timing_problems
from pipeline.ingest.duplicate_checks import find_duplicate_images
from pipeline.ingest.image_checks import ImageGroup, examine_image_group
from pipeline.ingest.lesion_phases import find_differing_lesions
from pipeline.ingest.lesion_places import Place, find_copied_masks, find_moved_lesions
from pipeline.ingest.outcome_checks import find_outcome_problems
from pipeline.ingest.path_checks import find_path_problems, find_shared_images, find_table_links
from pipeline.ingest.phase_words import find_unusual_phases
from pipeline.ingest.visit_checks import (
    Attenuation,
    find_exchanged_phases,
    find_unnamed_phases,
    find_unverified_phases,
)


def find_problems(
    cohort: Cohort, config: CohortConfig, jobs: int, *, need_outcome: bool = True
) -> list[Problem]:
    """Check a cohort that has been read.

    Problems of the tables' form are listed by :func:`pipeline.ingest.cohort.read_cohort`, those
    of measurements by :func:`pipeline.biomarkers.checks.find_measurement_problems`.

    Parameters
    ----------
    cohort : Cohort
        Its images are opened here, also those without a mask.
    config : CohortConfig
        Outcome, covariates, smallest region, whether files may lie outside the folder.
    jobs : int
        Processes that read images; the result does not depend on their number.
    need_outcome : bool
        False for patients to be scored, whose outcome is not known.

    Returns
    -------
    list of Problem
        In the order of ``scans.csv`` (rows without a mask last), then of ``patients.csv``.
    """
    problems = list(find_table_links(cohort.root, allow_outside=config.allow_outside))
    listed = replace(cohort, scans=cohort.listed_scans)
    problems += _find_scan_problems(listed, config, jobs)
    problems += find_timing_problems(listed, config.checks)
    if cohort.patients.empty:
        return problems  # the reader of the tables has said why
    if need_outcome:
        problems += find_outcome_problems(cohort.patients, config)
    return problems + find_covariate_problems(cohort.patients, config)


def _find_scan_problems(cohort: Cohort, config: CohortConfig, jobs: int) -> list[Problem]:
    found = [
        *find_shared_images(cohort.scans),
        *find_unnamed_phases(cohort.scans),
        *find_unusual_phases(cohort.scans),
        *find_differing_lesions(cohort.scans),
    ]
    readable: dict[tuple[str, str], list[tuple[int, ScanRow]]] = defaultdict(list)
    for number, row in enumerate(cohort.scans):
        problems = find_path_problems(cohort.root, row, allow_outside=config.allow_outside)
        found += [(number, problem) for problem in problems]
        if not problems:
            readable[row.image, row.modality].append((number, row))
    groups = [
        ImageGroup(cohort.root, tuple(rows), config.min_region_mm3, cohort.reading, config.checks)
        for rows in readable.values()
    ]
    hashes: list[tuple[int, ScanRow, str]] = []
    attenuation: list[tuple[int, Attenuation]] = []
    places: list[tuple[int, Place]] = []
    for group, outcome in zip(
        groups, run_cases(examine_image_group, groups, jobs, "check images"), strict=True
    ):
        number, row = group.rows[0]
        if outcome.result is not None:
            found += outcome.result.problems
            hashes.append((number, row, outcome.result.voxel_hash))
            attenuation += outcome.result.attenuation
            places += outcome.result.places
        elif outcome.failure is not None:
            found.append((number, _check_failed(row, outcome.failure.reason)))
    found += find_duplicate_images(hashes)
    found += find_exchanged_phases(attenuation, config.checks)
    found += find_unverified_phases(attenuation, config.checks)
    found += find_copied_masks(places)
    found += find_moved_lesions(places, config.checks)
    in_order = (problem for _, problem in sorted(found, key=lambda item: item[0]))
    return list(dict.fromkeys(in_order))  # lesions of one scan share its problems


def _check_failed(row: ScanRow, reason: str) -> Problem:
    return Problem(
        code=Code.CHECK_FAILED,
        what="the check itself failed on this image",
        expected="an image that can be judged",
        got=reason,
        next_step="Look at the file, and try --jobs 1; if it is sound, report this as a defect.",
        patient_id=row.patient_id,
        file=row.image,
    )
