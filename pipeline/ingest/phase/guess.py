"""What is thought about the phase of a scan, how surely, and why."""

from dataclasses import dataclass
from typing import Literal

Confidence = Literal["high", "medium", "low", "none"]
"""``high``: contradicting it is an error. ``medium``: worth a warning. ``low``: a proposal for a
person to confirm. ``none``: nothing can be said."""


@dataclass(frozen=True, slots=True)
class PhaseGuess:
    """A contrast phase or sequence with its confidence and reason.

    Parameters
    ----------
    phase : str
        As in the column ``phase`` of ``scans.csv``; empty where nothing can be said.
    confidence : str
        ``high``, ``medium``, ``low`` or ``none``.
    reason : str
        One sentence part. Of header text it quotes nothing but words of the vocabulary and times,
        never the description itself, which may hold a name.

    Raises
    ------
    ValueError
        If the phase is empty though there is confidence, or the reverse.
    """

    phase: str
    confidence: Confidence
    reason: str

    def __post_init__(self) -> None:
        if (self.phase == "") != (self.confidence == "none"):
            msg = f"a phase and confidence none exclude each other, got {self}"
            raise ValueError(msg)


def no_phase(reason: str) -> PhaseGuess:
    """Return the guess that says nothing, and why."""
    return PhaseGuess("", "none", reason)
