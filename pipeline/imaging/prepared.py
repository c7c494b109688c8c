"""A scan made ready for measuring: canonical axes, cropped to its regions, kept as bytes.

MR is freed from its bias field where that is asked for; all other values stay as they are.
"""

import io
import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.config.prepare import PrepareConfig
from pipeline.domain.errors import GeometryError
from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.imaging.bias_field import correct, estimate_bias_field
from pipeline.imaging.crop import bounding_box, crop_region, crop_scan
from pipeline.imaging.intensity import IntensityReference, measure_references
from pipeline.imaging.orient import orient_region, orient_scan

PREPARATION = "prepare-4"
"""Name and version of what this module does; raised whenever its results change."""

MAPS = ("adc",)
"""MR phases whose values are quantities: no bias field, no arbitrary unit."""

CROPPED_TO = ("tumour", "liver")
"""Regions that the prepared volume holds as a whole."""


@dataclass(frozen=True, slots=True)
class PreparedCase:
    """A prepared volume.

    Parameters
    ----------
    scan : Scan
        Cropped, axes in canonical order, values and their type as in the file; of MR whose bias
        field was taken out, 32-bit floats.
    regions : mapping of str to Region
        ``tumour`` and, where the cohort has them, ``liver``, ``vessels`` and ``other_lesions``; on
        the scan's grid, cut off where they reach beyond.
    references : mapping of str to IntensityReference
        ``image`` and, where there are such regions, ``liver`` and ``muscle``; of the scan before
        cropping.
    bias_field : (float, float) or None
        Smallest and largest value of the field that was divided out; None where none was.
    """

    scan: Scan
    regions: Mapping[str, Region]
    references: Mapping[str, IntensityReference]
    bias_field: tuple[float, float] | None = None


def check_same_grid(scan: Scan, regions: Mapping[str, Region]) -> None:
    """Check that every region lies on the scan's grid.

    Raises
    ------
    GeometryError
        Naming the region and what differs.
    """
    for name, region in regions.items():
        difference = scan.geometry.difference(region.geometry)
        if difference:
            msg = (
                f"the {name} mask is not on the grid of the scan: it has {difference}."
                " Resample the mask onto the scan."
            )
            raise GeometryError(msg)


def prepare_case(
    scan: Scan, regions: Mapping[str, Region], config: PrepareConfig, phase: str = ""
) -> PreparedCase:
    """Take out the bias field of an MR scan, order the axes of scan and regions, and crop them.

    Cropped to the tumour and the liver. A region named ``muscle`` is measured, not kept.

    Parameters
    ----------
    scan : Scan
        As read.
    regions : mapping of str to Region
        On its grid.
    config : PrepareConfig
        What is done.
    phase : str
        A phase of :data:`MAPS` keeps its values: they are measurements, not brightness.

    Raises
    ------
    GeometryError
        If a region is not on the scan's grid.
    CaseError
        If no region has a voxel, or the bias field of an MR scan cannot be estimated.
    """
    check_same_grid(scan, regions)
    bias_field = None
    if config.bias_field and scan.modality is Modality.MR and phase not in MAPS:
        lesions = [regions[name] for name in ("tumour", "other_lesions") if name in regions]
        field = estimate_bias_field(scan, lesions)
        scan, bias_field = correct(scan, field.factors), (field.smallest, field.largest)
    references = measure_references(scan, regions)
    oriented = orient_scan(scan)
    turned = {name: orient_region(region) for name, region in regions.items() if name != "muscle"}
    wanted = [turned[name] for name in CROPPED_TO if name in turned]
    box = bounding_box(wanted, oriented.geometry, config.margin_mm)
    cropped = crop_scan(oriented, box)
    return PreparedCase(
        scan=cropped,
        # One grid for all: the files' may differ in the last digits.
        regions={
            name: Region(crop_region(region, box).inside, cropped.geometry, name)
            for name, region in turned.items()
        },
        references=references,
        bias_field=bias_field,
    )


def to_bytes(case: PreparedCase) -> bytes:
    """Write a prepared case; the same case gives the same bytes.

    A zlib stream of: length of the header (8 bytes), header (JSON), then the voxels and each
    region in NumPy's own format, in the header's order.
    """
    header = {
        "modality": case.scan.modality,
        "geometry": asdict(case.scan.geometry),
        "regions": list(case.regions),
        "references": {name: asdict(value) for name, value in case.references.items()},
        "bias_field": case.bias_field,
    }
    encoded = json.dumps(header).encode()
    stream = io.BytesIO()
    stream.write(len(encoded).to_bytes(8, "little") + encoded)
    for array in (case.scan.voxels, *(region.inside for region in case.regions.values())):
        np.lib.format.write_array(stream, np.ascontiguousarray(array), allow_pickle=False)
    return zlib.compress(stream.getvalue(), level=1)


def from_bytes(payload: bytes) -> PreparedCase:
    """Read what :func:`to_bytes` wrote: the same values, types and geometry, bit for bit."""
    stream = io.BytesIO(zlib.decompress(payload))
    header = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
    geometry = Geometry(**{name: tuple(value) for name, value in header["geometry"].items()})
    scan = Scan(_read_array(stream), geometry, Modality(header["modality"]))
    regions = {name: Region(_read_array(stream), geometry, name) for name in header["regions"]}
    references = {name: IntensityReference(**value) for name, value in header["references"].items()}
    field = header["bias_field"]
    return PreparedCase(scan, regions, references, None if field is None else tuple(field))


def _read_array(stream: io.BytesIO) -> npt.NDArray[Any]:
    array: npt.NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)
    return array
