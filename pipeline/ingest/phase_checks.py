"""Whether the phase that ``scans.csv`` declares is contradicted by the header or the voxels."""

from collections.abc import Iterator, Mapping

from pipeline.config.checks import Checks
from pipeline.domain.cohort import ScanRow
from pipeline.domain.problem import Problem, Severity
from pipeline.domain.scan import Region, Scan
from pipeline.ingest.codes import Code
from pipeline.ingest.dicom.facts import SeriesFacts
from pipeline.ingest.phase.enhancement import contradicts, fitting_phases
from pipeline.ingest.phase.guess import Confidence
from pipeline.ingest.phase.header import guess_from_header
from pipeline.ingest.phase.measure import describe, measure
from pipeline.ingest.row_problem import about
from pipeline.ingest.scan_rows import KNOWN_PHASES

_CONTRAST_PHASES = frozenset({"native", "arterial", "portal", "delayed", "hbp"})

_SEVERITIES: dict[Confidence, Severity] = {"high": Severity.ERROR, "medium": Severity.WARNING}
"""How a contradiction is reported; one of low confidence is not."""


def find_header_contradiction(
    row: ScanRow, facts: SeriesFacts, limits: Checks
) -> Iterator[Problem]:
    """Report a DICOM image whose header names another phase.

    Phases with a meaning of the user's own are not judged.

    Parameters
    ----------
    row : ScanRow
        Its ``phase`` is judged.
    facts : SeriesFacts
        What the headers of its image say.
    limits : Checks
        Whether it is an error.
    """
    if row.phase not in KNOWN_PHASES:
        return
    guess = guess_from_header(facts)
    if guess.confidence in _SEVERITIES and not _agree(row.phase, guess.phase):
        sure = _SEVERITIES[guess.confidence] is Severity.ERROR
        severity = Severity(limits.phase_in_header) if sure else Severity.WARNING
        yield about(row, row.image)(
            code=Code.PHASE_CONTRADICTED,
            what="the header says another phase than scans.csv",
            expected=f"{row.phase} (column phase)",
            got=f"{guess.phase}: {guess.reason}",
            next_step="Look at the scan, and correct the column phase or the path; where the header"
            " is wrong, set checks.phase_in_header: warning in cohort.yaml.",
            severity=severity,
        )


def header_confirms(row: ScanRow, facts: SeriesFacts) -> bool:
    """Tell whether the header of a DICOM image plainly names the row's phase."""
    guess = guess_from_header(facts)
    return guess.confidence in _SEVERITIES and _agree(row.phase, guess.phase)


def _agree(declared: str, found: str) -> bool:
    """Tell whether two names may be of one scan: a T1-weighted MR can be of any contrast phase."""
    kinds = {declared, found}
    return declared == found or ("t1" in kinds and len(kinds & _CONTRAST_PHASES) == 1)


def find_enhancement_contradiction(
    scan: Scan, row: ScanRow, regions: Mapping[str, Region], limits: Checks
) -> Iterator[Problem]:
    """Report a CT whose liver and vessels are enhanced as in another phase.

    Parameters
    ----------
    scan : Scan
        The row's image.
    row : ScanRow
        Its ``phase`` is judged where ``phase_hu`` knows it.
    regions : mapping of str to Region
        ``tumour``, ``liver``, ``aorta``, ``portal_vein`` as far as there are.
    limits : Checks
        ``phase_hu`` says what each phase looks like.
    """
    measured = measure(scan, regions)
    confidence = contradicts(row.phase, measured, limits.phase_hu)
    if confidence not in _SEVERITIES:
        return
    fitting = " or ".join(fitting_phases(measured, limits.phase_hu)) or "no phase"
    yield about(row, row.image)(
        code=Code.PHASE_CONTRADICTED,
        what="the enhancement contradicts the phase of scans.csv",
        expected=f"{row.phase} (column phase; ranges in checks.phase_hu)",
        got=f"{describe(measured)}, as in {fitting}",
        next_step="Look at the scan, and correct the column phase, the path or the liver mask.",
        severity=_SEVERITIES[confidence],
    )
