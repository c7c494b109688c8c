"""Delays after injection that a series description states: ``65s``, ``3 min delay``."""

import re
from collections.abc import Iterator

from pipeline.ingest.phase.words import Mention

_TIME = re.compile(
    r"(?<![a-z0-9.])(?P<numbers>\d{1,3}(?:\s*[,/&+]\s*\d{1,3})*)"
    r"(?:\s*(?P<unit>secs?|seconds?|sek|min|mins|minutes?|minuten)|(?P<short>s))(?![a-z])"
    r"(?![\s_-]*(?:b/?h\b|breath|hold))"
)
"""A number or list of numbers with a unit; a breath-hold's duration is no delay."""

_SIGNS = re.compile("(?P<number>[0-9]{1,3})\\s*(?P<unit>秒|分)")

ARTERIAL_S = (20.0, 40.0)
PORTAL_S = (60.0, 100.0)
DELAYED_S = (120.0, 3600.0)
"""Delays in seconds from the start of injection by which a phase is called.

Late arterial 30 to 40 s (radiopaedia.org/articles/late-arterial-phase), portal 60 to 90 s, delayed
from 2 to 3 min. Gaps are left between them, where protocols differ: a delay in a gap names nothing.
"""

HEPATOBILIARY_FROM_S = 900.0
"""From here an MR with a liver-specific agent shows the hepatobiliary phase (20 min after gadoxetic
acid); with another agent it is a late delayed phase, hence the low confidence."""


def find_delays_s(text: str) -> list[float]:
    """Return the delays that a normalised text states, in seconds and in order."""
    found = [
        float(number) * (60.0 if (match["unit"] or "s").startswith("min") else 1.0)
        for match in _TIME.finditer(text)
        for number in re.findall(r"\d+", match["numbers"])
    ]
    signs = _SIGNS.finditer(text)
    return found + [float(m["number"]) * (60.0 if m["unit"] == "分" else 1.0) for m in signs]


def phase_at(delay_s: float, *, is_mr: bool) -> Mention | None:
    """Return the phase that a delay after injection means, None where it may be either of two."""
    word = f"{delay_s:g} s"
    if is_mr and delay_s >= HEPATOBILIARY_FROM_S:
        return Mention("hbp", "low", word)
    for phase, (first, last) in (
        ("arterial", ARTERIAL_S),
        ("portal", PORTAL_S),
        ("delayed", DELAYED_S),
    ):
        if first <= delay_s <= last:
            return Mention(phase, "medium", word)
    return None


def find_times(text: str, *, is_mr: bool) -> Iterator[Mention]:
    """Yield the phases that the delays of a normalised text mean."""
    for delay_s in dict.fromkeys(find_delays_s(text)):
        mention = phase_at(delay_s, is_mr=is_mr)
        if mention is not None:
            yield mention
