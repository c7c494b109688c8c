"""Say why something was not used, without what a header or a path says about a person."""

import re
from pathlib import Path

from pipeline.domain.errors import PipelineError
from pipeline.ingest.collections.plan import ScanSource
from pipeline.ingest.description_words import is_safe
from pipeline.ingest.dicom.stacks import Stack
from pipeline.ingest.read_error import ReadError

_HIDDEN = "(file)"
_IDENTIFIER = re.compile(r"[0-9]+(?:\.[0-9]+){4,}")
"""A DICOM unique identifier: digits with more dots than any number or date has."""

_LONGEST_MEASURE = 4
"""Digits of a name that is left in a message, as numbers of slices and millimetres are."""


def explain(error: PipelineError, source: ScanSource) -> str:
    """Return an error's message without paths, file names and header text."""
    if isinstance(error, ReadError):
        text = f"{error.what}: expected {error.expected}, got {error.got}. {error.next_step}"
        return public_reason(text, source, error.path)
    return public_reason(str(error), source)


def public_reason(text: str, source: ScanSource, *paths: Path) -> str:
    """Return a text without the names of the source's files and header text that may be a name."""
    for name in sorted(_private_texts(source, paths), key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", _HIDDEN, text, flags=re.IGNORECASE)
    return _IDENTIFIER.sub(_HIDDEN, text)


def _private_texts(source: ScanSource, paths: tuple[Path, ...]) -> set[str]:
    files = [*paths, *(item.path for item in source.regions)]
    # Names of segments and contours are typed by people too.
    texts = [str(item.label) for item in source.regions if item.label is not None]
    if isinstance(source.image, Stack):
        facts = source.image.facts
        files += source.image.files
        texts += [facts.series_description, facts.study_description, facts.protocol_name]
        texts += [facts.contrast_agent, facts.patient_id]
    names = {name for file in files for name in (str(file), file.name)}
    unsafe = {text.strip() for text in texts if text.strip() and not is_safe(text)}
    # Messages quote some texts as Python writes them, with signs escaped.
    quoted = {repr(text)[1:-1] for text in unsafe}
    return {name for name in names | unsafe | quoted if name and not _is_measure(name)}


def _is_measure(name: str) -> bool:
    """Tell whether a name is so short a number that it would hide the numbers of a message."""
    return name.isdigit() and len(name) <= _LONGEST_MEASURE
