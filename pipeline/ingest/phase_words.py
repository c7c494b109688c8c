"""Words in the column ``phase`` that no check knows: another spelling silences the phase checks."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from pipeline.domain.cohort import ScanRow
from pipeline.domain.problem import Problem, Severity
from pipeline.domain.time_series import series_seconds
from pipeline.ingest.codes import Code
from pipeline.ingest.scan_rows import KNOWN_PHASES, SCANS_FILE
from pipeline.ingest.tables import did_you_mean
from pipeline.ingest.visit_checks import is_unnamed

_SPELLINGS = {
    "native": "nc ncct nect non_contrast noncontrast plain pre precontrast pre_contrast"
    " unenhanced nativ without_contrast",
    "arterial": "a ap art artery late_arterial early_arterial hap arteriell",
    "portal": "p pv pvp portal_venous portalvenous venous ven vp portovenous porto_venous venoes",
    "delayed": "d dp delay late equilibrium eq ep late_venous spaet",
    "hbp": "hb hepatobiliary hepato_biliary",
    "t1": "t1w t1_w t1wi",
    "t2": "t2w t2_w t2wi t2fs t2_fs",
    "adc": "adc_map",
    "dwi": "dw diffusion b800 b1000",
    "suv": "pet fdg",
}
"""How the standard words are often written; one that may mean several is not among them."""

_STANDARD = {word: known for known, words in _SPELLINGS.items() for word in words.split()}


def find_unusual_phases(rows: Sequence[ScanRow]) -> Iterator[tuple[int, Problem]]:
    """Name each word of the column ``phase`` that is not of the vocabulary, once.

    Yields
    ------
    (int, Problem)
        One a word, with the number of the first row that bears it.
    """
    numbers: dict[str, list[int]] = defaultdict(list)
    for number, row in enumerate(rows):
        if not (row.phase in KNOWN_PHASES or is_unnamed(row.phase) or _in_series(row.phase)):
            numbers[row.phase].append(number)
    for word, bearers in numbers.items():
        yield bearers[0], _unusual(word, [rows[number] for number in bearers], len(rows))


def _in_series(phase: str) -> bool:
    return series_seconds(phase) is not None


def _unusual(word: str, bearers: Sequence[ScanRow], total: int) -> Problem:
    patients = {row.patient_id for row in bearers}
    standard = standard_word(word)
    advice = (
        f"Write {standard} if that is meant." if standard else did_you_mean(word, KNOWN_PHASES, "")
    )
    keep = "A word of your own is kept, but the checks of phases pass it over."
    return Problem(
        code=Code.PHASE_UNUSUAL,
        what="the phase is not a standard word",
        expected=f"one of {', '.join(KNOWN_PHASES)}, or a word of your own in all patients",
        got=f"{word!r} in {len(bearers)} of {total} rows, of {len(patients)}"
        + (" patient" if len(patients) == 1 else " patients"),
        next_step=f"{advice} {keep}".strip(),
        patient_id=bearers[0].patient_id if len(patients) == 1 else "",
        file=SCANS_FILE,
        column="phase",
        severity=Severity.WARNING,
    )


def standard_word(word: str) -> str:
    """Return the standard word that a phase is another spelling of; empty where none is known."""
    stripped = word.removesuffix("phase").removesuffix("_")
    return stripped if stripped in KNOWN_PHASES else _STANDARD.get(stripped, "")
