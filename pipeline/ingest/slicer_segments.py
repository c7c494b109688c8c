"""Names of the segments in a segmentation file of 3D Slicer (``.seg.nrrd``).

3D Slicer writes a label image and, into the NRRD header, for each segment ``Segment0_Name``,
``Segment0_LabelValue`` and ``Segment0_Layer`` (https://slicer.readthedocs.io, "Segmentations").
Overlapping segments lie in several layers, a fourth axis that is not read here.
"""

from pathlib import Path

import SimpleITK as sitk

from pipeline.ingest.codes import Code
from pipeline.ingest.dicom.mask_labels import Labelled
from pipeline.ingest.read_error import ReadError

_SUFFIX = ".seg.nrrd"


def is_slicer_file(name: str) -> bool:
    """Tell by its ending whether a path names a segmentation of 3D Slicer."""
    return name.lower().endswith(_SUFFIX)


def layers_refused(path: Path, got: str) -> ReadError:
    """Return the error of a file whose segments overlap, for the caller to raise."""
    return ReadError(
        path,
        "holds more than one layer, as for segments that overlap",
        expected="segments that do not overlap, in one layer",
        got=got,
        next_step="Export the segment that is meant to a file of its own, and name that file.",
        code=Code.MASK_KIND,
    )


def read_slicer_segments(path: Path) -> tuple[Labelled, ...]:
    """Return the segments that a NRRD header names, with the voxel value as the number.

    Parameters
    ----------
    path : Path
        A file that has been found to be a readable NRRD image.

    Returns
    -------
    tuple of Labelled
        Empty where the header names no segments; without one of value 0, the background.
    """
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.ReadImageInformation()
    segments: list[Labelled] = []
    for key in reader.GetMetaDataKeys():
        if not (key.startswith("Segment") and key.endswith("_Name")):
            continue
        value_key = f"{key.removesuffix('_Name')}_LabelValue"
        text = reader.GetMetaData(value_key) if reader.HasMetaDataKey(value_key) else ""
        if text.isdecimal() and int(text):
            segments.append(Labelled(int(text), reader.GetMetaData(key)))
    return tuple(sorted(segments, key=lambda segment: segment.number))
