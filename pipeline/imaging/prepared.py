"""A scan made ready for measuring: canonical axes, cropped to its regions, kept as bytes.

MR also gets a copy without its bias field, for radiomics. Response is measured on the values as
they are: the coil brightens all phases of a visit alike, and fields that are estimated phase by
phase would differ where contrast agent differs.
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
from pipeline.domain.scan import Modality, Region, Scan, drawn_lesions
from pipeline.imaging.bias_field import correct, estimate_bias_field
from pipeline.imaging.crop import bounding_box, crop_region, crop_scan
from pipeline.imaging.intensity import IntensityReference, measure_references
from pipeline.imaging.orient import orient_region, orient_scan

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
        Cropped, axes in canonical order, values and their type as in the file.
    regions : mapping of str to Region
        ``tumour`` and, where the cohort has them, ``liver``, ``vessels`` and ``other_lesions``; on
        the scan's grid, cut off where they reach beyond.
    references : mapping of str to IntensityReference
        ``image`` and, where there are such regions, ``liver`` and ``muscle``; of the texture scan
        before cropping.
    corrected : Scan or None
        The scan without its bias field, in 32-bit floats; None where none was taken out.
    bias_field : (float, float) or None
        Smallest and largest value of that field.
    """

    scan: Scan
    regions: Mapping[str, Region]
    references: Mapping[str, IntensityReference]
    corrected: Scan | None = None
    bias_field: tuple[float, float] | None = None

    @property
    def texture_scan(self) -> Scan:
        """What radiomics are taken from: the corrected scan, where there is one."""
        return self.scan if self.corrected is None else self.corrected


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
    """Order the axes of a scan and its regions, crop them, and take out the bias field of MR.

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
    wants_field = config.bias_field and scan.modality is Modality.MR and phase not in MAPS
    field = estimate_bias_field(scan, drawn_lesions(regions)) if wants_field else None
    corrected = correct(scan, field.factors) if field else scan
    references = measure_references(corrected, regions)
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
        corrected=crop_scan(orient_scan(corrected), box) if field else None,
        bias_field=(field.smallest, field.largest) if field else None,
    )


def to_bytes(case: PreparedCase) -> bytes:
    """Write a prepared case; the same case gives the same bytes.

    A zlib stream of: length of the header (8 bytes), header (JSON), then the voxels, each region
    in the header's order and, with a bias field, the corrected voxels, in NumPy's own format.
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
    arrays = [case.scan.voxels, *(region.inside for region in case.regions.values())]
    if case.corrected is not None:
        arrays.append(case.corrected.voxels)
    for array in arrays:
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
    if header["bias_field"] is None:
        return PreparedCase(scan, regions, references)
    corrected = Scan(_read_array(stream), geometry, scan.modality)
    return PreparedCase(scan, regions, references, corrected, tuple(header["bias_field"]))


def _read_array(stream: io.BytesIO) -> npt.NDArray[Any]:
    array: npt.NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)
    return array
