"""Text from tables and file names, made safe to print: no control signs, no endless fields."""

from dataclasses import replace

from pipeline.domain.problem import Problem

LONGEST_TEXT = 600
"""Signs of one text that are shown; a field of a table can hold 100 000."""


def plain_text(text: str) -> str:
    """Return a text with its control signs escaped and the middle of a long one left out.

    A terminal obeys control signs, so that a name in a table could change what is on the screen;
    half characters (from names that are not UTF-8) cannot be written at all.
    """
    left_out = len(text) - LONGEST_TEXT
    if left_out > 0:
        half = LONGEST_TEXT // 2
        text = f"{text[:half]} [{left_out} signs left out] {text[-half:]}"
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text
    )


def plain_problem(problem: Problem) -> Problem:
    """Return a problem whose texts are all plain."""
    return replace(
        problem,
        what=plain_text(problem.what),
        expected=plain_text(problem.expected),
        got=plain_text(problem.got),
        next_step=plain_text(problem.next_step),
        patient_id=plain_text(problem.patient_id),
        file=plain_text(problem.file),
        column=plain_text(problem.column),
    )
