"""PyRadiomics' features by compiled kernels: the same numbers for a small part of the time."""
