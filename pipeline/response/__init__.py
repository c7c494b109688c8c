"""Image-derived response to treatment: size, enhancement, viable tumour."""
