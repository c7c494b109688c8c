"""Find the segment or region of interest that ``mask_label`` names.

A label is a name or a number. It is compared with the names first, exactly; then without regard to
capitals and surrounding spaces; then, if it is a whole number, with the numbers. So a segment that
somebody named "2" is found by its name even if another has that number.

Without a label, a mask of several segments is read where one of them bears the name of the region
that is wanted: the column ``liver_mask`` has no label of its own.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.ingest.codes import Code
from pipeline.ingest.description_words import WITHHELD, safe_description
from pipeline.ingest.read_error import ReadError

_NAMES_SHOWN = 10

_WHOLE_NUMBER = re.compile(r"\s*([0-9]+)(?:\.0*)?\s*")


@dataclass(frozen=True, slots=True)
class Labelled:
    """A segment (SegmentNumber, SegmentLabel) or region of interest (ROINumber, ROIName)."""

    number: int
    name: str

    def __str__(self) -> str:
        """Give number and name; one that may be a person's is withheld, as messages are written."""
        name = safe_description(self.name)
        return f"{self.number} {name}" if name == WITHHELD else f"{self.number} ({name or '-'})"


def whole_number(label: str | int) -> int | None:
    """Return a label as a number, ``1.0`` of a spreadsheet included; None where it is none."""
    found = _WHOLE_NUMBER.fullmatch(str(label))
    return int(found[1]) if found else None


def pick_label(path: Path, items: Sequence[Labelled], label: str | int | None, region: str) -> int:
    """Return the number of the item that a label means.

    Parameters
    ----------
    path : Path
        The mask, for messages.
    items : sequence of Labelled
        What the mask holds, without the background.
    label : str, int or None
        None takes the only item, or the only one named as the region.
    region : str
        The region that is wanted: ``tumour``, ``liver``.

    Raises
    ------
    ReadError
        ``label-missing`` if the label is None and there are several; ``label-absent`` if nothing
        bears it; ``label-ambiguous`` if several do and it is not their number; ``mask-empty`` if
        there are none.
    """
    if not items:
        raise _refusal(path, "holds no segment or contour", "at least one", items, Code.MASK_EMPTY)
    if label is None:
        wanted = items if len(items) == 1 else _named(items, region)
        if len(wanted) != 1:
            what = f"holds several segments or contours, and no label says which is the {region}"
            expected = f"mask_label in scans.csv, or one named {region}"
            raise _refusal(path, what, expected, items, Code.LABEL_MISSING)
        return wanted[0].number
    found = _matches(items, label)
    if not found:
        what = f"has no segment or contour {str(label)!r}"
        raise _refusal(path, what, f"label {str(label)!r}", items, Code.LABEL_ABSENT)
    if len(found) > 1:
        what = f"has several segments or contours {str(label)!r}"
        raise _refusal(path, what, "one; or its number", found, Code.LABEL_AMBIGUOUS)
    return found[0].number


def _matches(items: Sequence[Labelled], label: str | int) -> Sequence[Labelled]:
    numbered = [item for item in items if item.number == whole_number(label)]
    if isinstance(label, int):
        return numbered
    exact = [item for item in items if item.name == label]
    if exact:
        return exact
    return _named(items, label) or numbered


def _named(items: Sequence[Labelled], name: str) -> Sequence[Labelled]:
    return [item for item in items if item.name.strip().casefold() == name.strip().casefold()]


def _refusal(
    path: Path, what: str, expected: str, items: Sequence[Labelled], code: Code
) -> ReadError:
    shown = ", ".join(str(item) for item in items[:_NAMES_SHOWN]) or "none"
    more = f" and {len(items) - _NAMES_SHOWN} more" if len(items) > _NAMES_SHOWN else ""
    return ReadError(
        path,
        what,
        expected=expected,
        got=shown + more,
        next_step="Write the name or number of one of them as mask_label in scans.csv.",
        code=code,
    )
