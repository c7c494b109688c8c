"""Whatever a description holds, the guess is consistent and quotes nothing but its vocabulary."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.ingest.phase.header import guess_from_text

NEUTRAL = st.sampled_from(
    ["Liver", "ABD", "5.0", "B40f", "COR", "Recon 2:", "(AP)", "C-A-P", "axial"]
)
PHASES = st.sampled_from(
    [
        ("ARTERIAL", "arterial"),
        ("Late art. phase", "arterial"),
        ("portal venous", "portal"),
        ("VENOUS", "portal"),
        ("Delayed", "delayed"),
        ("NON CONTRAST", "native"),
        ("C-", "native"),
        ("平扫", "native"),
    ]
)
WORDS = st.sampled_from(
    ["pre", "art", "venous", "delay", "post", "w/o", "3 min", "phase", "with", "b"]
)


@given(st.text(), st.booleans())
def test_any_text_gives_a_consistent_guess(text: str, is_mr: bool) -> None:
    found = guess_from_text(text, is_mr=is_mr)
    assert (found.phase == "") == (found.confidence == "none")
    assert found.reason


@given(st.lists(NEUTRAL, max_size=3), PHASES, st.lists(NEUTRAL, max_size=3), st.booleans())
def test_words_around_it_do_not_change_the_phase(
    before: list[str], named: tuple[str, str], after: list[str], is_mr: bool
) -> None:
    word, phase = named
    text = "  ".join([*before, word, *after])
    assert guess_from_text(text, is_mr=is_mr).phase == phase
    assert guess_from_text(text.replace(" ", "_"), is_mr=is_mr).phase == phase


@given(st.lists(st.one_of(WORDS, st.just("Quixote^Alonso")), max_size=6), st.booleans())
def test_names_are_never_quoted(words: list[str], is_mr: bool) -> None:
    for separator in (" ", "_", "-", "/"):
        reason = guess_from_text(separator.join(words), is_mr=is_mr).reason
        assert "quixote" not in reason.lower()
        assert "alonso" not in reason.lower()
