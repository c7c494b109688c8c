"""Serum measurements: units, censoring, kinetics, liver-function scores."""
