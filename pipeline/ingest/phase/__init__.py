"""Tell the contrast phase of a scan: from its header's text, else from measured enhancement."""

from pipeline.ingest.phase.enhancement import guess_from_enhancement
from pipeline.ingest.phase.guess import Confidence, PhaseGuess
from pipeline.ingest.phase.header import guess_from_header

__all__ = ["Confidence", "PhaseGuess", "guess_from_enhancement", "guess_from_header"]
