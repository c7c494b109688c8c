"""Where lesions lie, compared between images: copied masks, and lesions that moved in a visit."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from pipeline.config.checks import Checks
from pipeline.domain.cohort import ScanRow
from pipeline.domain.geometry import Geometry
from pipeline.domain.problem import Problem, Severity
from pipeline.domain.scan import Scan
from pipeline.ingest.codes import Code
from pipeline.ingest.lesion_overlap import Crop, same_lesion
from pipeline.ingest.row_problem import about


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row's tumour lies.

    Parameters
    ----------
    row : ScanRow
        Whose tumour it is.
    centre_mm : tuple of float
        Mean position of its voxels (x, y, z) in the patient.
    geometry : Geometry
        Grid of the image.
    frame_of_reference : str
        Of the image, empty where unknown; only to be compared.
    fingerprint : str
        Equal for tumours of the same voxels on grids of one size; empty for a box, which has no
        shape of its own.
    """

    row: ScanRow
    centre_mm: tuple[float, ...]
    geometry: Geometry
    frame_of_reference: str = field(repr=False)
    fingerprint: str

    def shares_positions(self, other: "Place") -> bool:
        """Tell whether positions on both images are positions in one patient at rest."""
        if self.frame_of_reference and other.frame_of_reference:
            return self.frame_of_reference == other.frame_of_reference
        return not self.geometry.difference(other.geometry)


def locate(row: ScanRow, scan: Scan, tumour: Crop) -> Place:
    """Measure where a row's tumour lies on its scan."""
    centre_zyx = tumour.first + np.argwhere(tumour.inside).mean(axis=0)
    centre_mm = np.asarray(scan.geometry.origin_mm) + scan.geometry.axes_mm @ centre_zyx[::-1]
    return Place(
        row,
        tuple(float(value) for value in centre_mm),
        scan.geometry,
        scan.frame_of_reference,
        "" if tumour.inside.all() else _fingerprint(scan.geometry, tumour),
    )


def _fingerprint(geometry: Geometry, tumour: Crop) -> str:
    place = (geometry.shape_zyx, tumour.first.tolist(), tumour.inside.shape)
    digest = hashlib.sha256(repr(place).encode())
    digest.update(np.packbits(tumour.inside).tobytes())
    return digest.hexdigest()


def find_copied_masks(places: Sequence[tuple[int, Place]]) -> Iterator[tuple[int, Problem]]:
    """List tumours with the voxels of another patient's, time point's or lesion's tumour.

    Phases of one visit share a mask by right, and lesions of one image are compared by
    :func:`pipeline.ingest.lesion_overlap.find_lesion_overlaps`.

    Parameters
    ----------
    places : sequence of (int, Place)
        Of the whole cohort, with the number of the row.

    Yields
    ------
    (int, Problem)
        One for each row with the mask of another patient; within a patient, for the later row only.
    """
    alike: dict[str, list[tuple[int, ScanRow]]] = defaultdict(list)
    for number, place in sorted(places, key=lambda item: item[0]):
        if place.fingerprint:
            alike[place.fingerprint].append((number, place.row))
    for members in alike.values():
        for index, (number, row) in enumerate(members):
            others = [other for _, other in members if other.patient_id != row.patient_id]
            if others:
                yield number, _copied(row, others[0], Severity.ERROR)
            before = [other for _, other in members[:index] if other.patient_id == row.patient_id]
            yield from ((number, problem) for problem in _find_own_copies(row, before))


def _find_own_copies(row: ScanRow, before: Sequence[ScanRow]) -> Iterator[Problem]:
    in_visit = [other for other in before if other.timepoint == row.timepoint]
    scan = (row.modality, row.phase)
    for other in in_visit:
        is_copy = other.image != row.image and (other.modality, other.phase) == scan
        if is_copy and other.lesion_id != row.lesion_id:
            yield same_lesion(other, row)
            return
    if before and not in_visit:
        yield _copied(row, before[0], Severity.WARNING)


def _copied(row: ScanRow, other: ScanRow, severity: Severity) -> Problem:
    return about(row, row.mask)(
        code=Code.MASK_DUPLICATE,
        what="the tumour mask has the voxels of another one",
        expected="a mask drawn on a scan of its own patient and time point",
        got=f"the voxels of {other.mask} ({other.patient_id}/{other.timepoint})",
        next_step="Find out which image it was drawn on, and draw the other.",
        severity=severity,
    )


def find_moved_lesions(
    places: Sequence[tuple[int, Place]], limits: Checks
) -> Iterator[tuple[int, Problem]]:
    """List lesions whose masks on two scans of a visit lie further apart than breathing moves.

    Parameters
    ----------
    places : sequence of (int, Place)
        Of the whole cohort, with the number of the row.
    limits : Checks
        ``lesion_shift_mm``.

    Yields
    ------
    (int, Problem)
        One for each row that is away from the first one comparable with it.
    """
    lesions: dict[tuple[str, str, str], list[Place]] = defaultdict(list)
    for number, place in sorted(places, key=lambda item: item[0]):
        row = place.row
        before = lesions[row.patient_id, row.timepoint, row.lesion_id]
        first = next((other for other in before if other.shares_positions(place)), place)
        shift_mm = float(np.linalg.norm(np.subtract(first.centre_mm, place.centre_mm)))
        if shift_mm > limits.lesion_shift_mm:
            yield number, _moved(first.row, row, shift_mm, limits.lesion_shift_mm)
        before.append(place)


def _moved(first: ScanRow, second: ScanRow, shift_mm: float, most_mm: float) -> Problem:
    return about(second, second.mask)(
        code=Code.LESION_MOVED,
        what="the masks of one lesion on two scans of a visit lie far apart",
        expected=f"centres at most {most_mm:g} mm apart (checks.lesion_shift_mm)",
        got=f"{shift_mm:.0f} mm from {first.mask} ({first.phase})",
        next_step="Look at both: a mask or lesion_id may be another's.",
        severity=Severity.WARNING,
    )
