"""Radiomics by the Image Biomarker Standardisation Initiative (IBSI), and how well it is met."""
