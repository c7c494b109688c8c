"""Typed settings, one module a YAML file under ``configs/``."""
