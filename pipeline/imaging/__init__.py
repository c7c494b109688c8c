"""Geometry, canonical volumes and regions."""
