"""Predict, before the operation, how much of a liver tumour is dead. Research use only."""

__version__ = "0.1.0"

RESEARCH_USE_ONLY = (
    "Research use only. Not a medical device: no treatment decision may rest on these figures."
)
