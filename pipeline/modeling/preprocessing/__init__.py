"""Preprocessing steps; each learns from the training part alone and never sees the outcome."""
