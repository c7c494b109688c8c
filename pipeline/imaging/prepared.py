"""A scan made ready for measuring: canonical axes, cropped to its regions, kept as bytes."""

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
from pipeline.imaging.crop import bounding_box, crop_region, crop_scan
from pipeline.imaging.intensity import IntensityReference, measure_references
from pipeline.imaging.orient import orient_region, orient_scan

PREPARATION = "prepare-1"
"""Name and version of what this module does; raised whenever its results change."""


@dataclass(frozen=True, slots=True)
class PreparedCase:
    """A prepared volume.

    Parameters
    ----------
    scan : Scan
        Cropped, axes in canonical order, values and their type as in the file.
    regions : mapping of str to Region
        ``tumour`` and, where the cohort has one, ``liver``; on the scan's grid.
    references : mapping of str to IntensityReference
        ``image`` and, where there is a liver region, ``liver``; of the scan before cropping.
    """

    scan: Scan
    regions: Mapping[str, Region]
    references: Mapping[str, IntensityReference]


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


def prepare_case(scan: Scan, regions: Mapping[str, Region], config: PrepareConfig) -> PreparedCase:
    """Order the axes of a scan and its regions and crop them.

    Raises
    ------
    GeometryError
        If a region is not on the scan's grid.
    CaseError
        If no region has a voxel.
    """
    check_same_grid(scan, regions)
    references = measure_references(scan, regions)
    oriented = orient_scan(scan)
    turned = {name: orient_region(region) for name, region in regions.items()}
    box = bounding_box(turned.values(), oriented.geometry, config.margin_mm)
    cropped = crop_scan(oriented, box)
    return PreparedCase(
        scan=cropped,
        # One grid for all: the files' may differ in the last digits.
        regions={
            name: Region(crop_region(region, box).inside, cropped.geometry, name)
            for name, region in turned.items()
        },
        references=references,
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
    return PreparedCase(scan, regions, references)


def _read_array(stream: io.BytesIO) -> npt.NDArray[Any]:
    array: npt.NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)
    return array
