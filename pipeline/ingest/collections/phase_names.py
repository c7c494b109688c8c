"""Give each scan of a visit a phase of its own, so that rows and files can be told apart."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.ingest.phase import Confidence, PhaseGuess

UNKNOWN = "unknown"
"""Stem of the phase of scans that nothing tells; the user is to correct it in ``scans.csv``."""

_RANK = {"none": 0, "low": 1, "medium": 2, "high": 3}

Visit = tuple[str, str]
"""Time point and modality."""


@dataclass(frozen=True, slots=True)
class Named:
    """A phase that no other scan of the visit has, and why.

    Parameters
    ----------
    phase : str
        A phase, or ``unknown1``, ``unknown2`` ...
    confidence, reason : str
        As in :class:`pipeline.ingest.phase.PhaseGuess`.
    """

    phase: str
    confidence: str
    reason: str


def surer(first: PhaseGuess, second: PhaseGuess) -> PhaseGuess:
    """Return the guess with more confidence; the first of equals."""
    return second if _rank(second) > _rank(first) else first


def less_sure(guess: PhaseGuess, why: str) -> PhaseGuess:
    """Return a guess with one step less confidence, low at least, and the reason for that."""
    confidence: Confidence = "medium" if guess.confidence == "high" else "low"
    if guess.confidence == "none":
        return guess
    return PhaseGuess(guess.phase, confidence, f"{guess.reason} {why}")


def name_phases(guesses: Sequence[tuple[Visit, PhaseGuess]]) -> list[Named]:
    """Turn guesses into phases that are unique in their visit.

    Of scans with one guess, the one that is surer than all others keeps it; where none is, nothing
    says which is which, and each is ``unknown`` with the guess in its reason.

    Parameters
    ----------
    guesses : sequence of (visit, PhaseGuess)
        Of one patient.

    Returns
    -------
    list of Named
        In the same order.
    """
    counters: dict[Visit, int] = {}
    named = []
    for visit, guess in guesses:
        rivals = [
            other
            for place, other in guesses
            if place == visit and other is not guess and other.phase == guess.phase
        ]
        if guess.phase and all(_rank(guess) > _rank(rival) for rival in rivals):
            named.append(Named(guess.phase, guess.confidence, guess.reason))
            continue
        counters[visit] = counters.get(visit, 0) + 1
        phase = f"{UNKNOWN}{counters[visit]}"
        named.append(Named(phase, "none", _why_unknown(guess, len(rivals))))
    return named


def _rank(guess: PhaseGuess) -> int:
    return _RANK[guess.confidence]


def _why_unknown(guess: PhaseGuess, rivals: int) -> str:
    if not guess.phase:
        return guess.reason
    scans = "another scan" if rivals == 1 else f"{rivals} other scans"
    return f"may be {guess.phase} ({guess.reason}), but {scans} of the visit may be as well"
