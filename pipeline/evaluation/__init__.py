"""Honest figures from predictions; knows only outcomes, probabilities and groups."""
