"""Read DICOM: image series, segmentations, structure sets."""
