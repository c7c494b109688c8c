"""Phases of a visit: unique, and unknown rather than wrong."""

from pipeline.ingest.collections.phase_names import name_phases, surer
from pipeline.ingest.phase import PhaseGuess

BASELINE = ("baseline", "CT")
PREOP = ("preop", "CT")
NOTHING = PhaseGuess("", "none", "nothing says")


def test_different_phases_are_kept() -> None:
    guesses = [PhaseGuess("arterial", "high", "x"), PhaseGuess("portal", "low", "y")]
    named = name_phases([(BASELINE, guess) for guess in guesses])
    assert [item.phase for item in named] == ["arterial", "portal"]
    assert [item.confidence for item in named] == ["high", "low"]


def test_two_equally_sure_guesses_of_one_phase_are_both_unknown() -> None:
    twins = [PhaseGuess("portal", "medium", "recon 2"), PhaseGuess("portal", "medium", "recon 3")]
    named = name_phases([(BASELINE, guess) for guess in twins])
    assert [item.phase for item in named] == ["unknown1", "unknown2"]
    assert "may be portal (recon 2), but another scan" in named[0].reason


def test_the_surer_of_two_keeps_the_phase() -> None:
    guesses = [PhaseGuess("portal", "low", "x"), PhaseGuess("portal", "high", "y")]
    named = name_phases([(BASELINE, guess) for guess in guesses])
    assert [item.phase for item in named] == ["unknown1", "portal"]


def test_visits_do_not_compete() -> None:
    portal = PhaseGuess("portal", "low", "x")
    named = name_phases([(BASELINE, portal), (PREOP, portal), (PREOP, NOTHING)])
    assert [item.phase for item in named] == ["portal", "portal", "unknown1"]
    assert named[2].reason == "nothing says"


def test_the_header_wins_between_equals() -> None:
    header, measured = PhaseGuess("arterial", "low", "h"), PhaseGuess("portal", "low", "m")
    assert surer(header, measured) is header
    assert surer(NOTHING, measured) is measured
