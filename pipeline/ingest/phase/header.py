"""Guess the phase of a series from what its header says.

The description counts most, then the time between injection and acquisition, then the protocol's
name, which series share. The description of the study is not used: it names the phases of the
protocol, not that of this series. That a contrast agent is absent from the header proves nothing
(it is often left out), so it is not read as native.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from pipeline.ingest.phase.guess import Confidence, PhaseGuess, no_phase
from pipeline.ingest.phase.times import find_delays_s, find_times, phase_at
from pipeline.ingest.phase.words import (
    CONTRAST_WORDS,
    DERIVED,
    ENHANCED,
    NOT_FOR_ANALYSIS,
    SEQUENCE_WORDS,
    SEVERAL_PHASES,
    T1_WORDS,
    WITH_AND_WITHOUT,
    Mention,
    find_mentions,
    normalise,
    strongest,
)

if TYPE_CHECKING:
    from pipeline.ingest.dicom.facts import SeriesFacts

LONGEST_DELAY_S = 3600.0
"""A larger difference between injection and acquisition is a slip of a clock, not a delay."""

Openness = Literal["settled", "unspecific", "silent"]
"""Whether other attributes may say more: a phase or a conflict settles it, ``LIVER 3 PHASE`` is
unspecific, ``AXIAL`` is silent."""

_NO_SINGLE_PHASE = (
    (NOT_FOR_ANALYSIS, "names a series for planning or bolus timing"),
    (DERIVED, "names images computed from others"),
)
_UNSPECIFIC = (
    (SEVERAL_PHASES, "names a protocol of several phases"),
    (ENHANCED, "says after contrast, not in which phase"),
)
_NOTHING = "no word that names a phase"

_CLOCK = re.compile(r"\d{6}")
_MOMENT = re.compile(r"\d{14}")


def guess_from_header(facts: "SeriesFacts") -> PhaseGuess:
    """Guess the phase of a series.

    Parameters
    ----------
    facts : SeriesFacts
        Description, protocol, image type, modality and the times of injection and acquisition.

    Returns
    -------
    PhaseGuess
        ``high`` where a word that means nothing else names one phase; ``medium`` for
        abbreviations, stated delays and the protocol's name; ``low`` for words that often mean
        something else. None where no phase or more than one is named.
    """
    image_type = {part.upper() for part in facts.image_type}
    if image_type & {"LOCALIZER", "SCOUT"}:
        return no_phase("the image type is a localiser")
    if facts.modality == "PT":
        return PhaseGuess("suv", "medium", "the modality is PET")
    is_mr = facts.modality == "MR"
    if is_mr and "ADC" in image_type:
        return PhaseGuess("adc", "high", "the image type is ADC")
    described, openness = _read(facts.series_description, is_mr=is_mr)
    if openness == "settled":
        return described
    timed = _guess_from_injection(facts, is_mr=is_mr)
    if timed is not None:
        return timed
    named, _ = _read(facts.protocol_name, is_mr=is_mr)
    if openness == "silent" and named.phase:
        weaker: Confidence = "medium" if named.confidence == "high" else "low"
        return PhaseGuess(named.phase, weaker, f"the protocol's name: {named.reason}")
    return described


def guess_from_text(text: str, *, is_mr: bool) -> PhaseGuess:
    """Guess the phase from one line of text.

    Parameters
    ----------
    text : str
        A series description or protocol name.
    is_mr : bool
        MR has sequences beside phases; late images of it may be hepatobiliary.
    """
    return _read(text, is_mr=is_mr)[0]


def _read(text: str, *, is_mr: bool) -> tuple[PhaseGuess, Openness]:
    plain = normalise(text)
    for pattern, meaning in _NO_SINGLE_PHASE:
        match = pattern.search(plain)
        if match:
            return no_phase(f"'{match.group().strip()}' {meaning}"), "settled"
    sequences = list(find_mentions(plain, SEQUENCE_WORDS)) if is_mr else []
    if sequences:
        return _guess(sequences[:1]), "settled"  # ADC before DWI before T2, as in the vocabulary
    match = WITH_AND_WITHOUT.search(plain)
    if match:
        word = match.group().strip()
        return no_phase(f"'{word}' names images with and without contrast"), "settled"
    found = _contrast_mentions(plain, is_mr=is_mr)
    if found:
        return _guess(found), "settled"
    for pattern, meaning in _UNSPECIFIC:
        match = pattern.search(plain)
        if match:
            return no_phase(f"'{match.group().strip()}' {meaning}"), "unspecific"
    weighted = list(find_mentions(plain, T1_WORDS)) if is_mr else []
    return (_guess(weighted[:1]), "settled") if weighted else (no_phase(_NOTHING), "silent")


def _contrast_mentions(plain: str, *, is_mr: bool) -> list[Mention]:
    """Return the phases named by words and times; a stated time says what 'delay' means."""
    mentions = list(find_mentions(plain, CONTRAST_WORDS))
    delays_s = find_delays_s(plain)
    if len(set(delays_s)) > 1:
        return [*mentions, Mention("several", "low", "several delays")]
    timed = list(find_times(plain, is_mr=is_mr))
    if delays_s:
        mentions = [item for item in mentions if item.phase != "delayed"]
    return [*mentions, *timed]


def _guess(mentions: Sequence[Mention]) -> PhaseGuess:
    phases = dict.fromkeys(mention.phase for mention in mentions)
    words = ", ".join(dict.fromkeys(f"'{mention.word}'" for mention in mentions))
    if len(phases) > 1 or "several" in phases:
        return no_phase(f"{words} name more than one phase")
    best = strongest(mentions)
    return PhaseGuess(best.phase, best.strength, f"{words} in the header's text")


def _guess_from_injection(facts: "SeriesFacts", *, is_mr: bool) -> PhaseGuess | None:
    """Guess from Contrast/Bolus Start Time (0018,1042) and the time of acquisition.

    Their distance is the delay after the injection began (PS3.3 C.7.6.4).
    """
    start = _CLOCK.match(facts.contrast_start_time)
    if start is None or not _MOMENT.fullmatch(facts.acquired_at):
        return None
    try:
        injected_at = datetime.strptime(facts.acquired_at[:8] + start.group(), "%Y%m%d%H%M%S")
        acquired_at = datetime.strptime(facts.acquired_at, "%Y%m%d%H%M%S")
    except ValueError:  # such as 25 o'clock
        return None
    delay_s = (acquired_at - injected_at).total_seconds()
    mention = phase_at(delay_s, is_mr=is_mr) if 0 < delay_s < LONGEST_DELAY_S else None
    if mention is None:
        return None
    return PhaseGuess(mention.phase, mention.strength, f"acquired {delay_s:g} s after injection")
