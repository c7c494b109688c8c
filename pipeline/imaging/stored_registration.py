"""A registration as bytes, for the per-case store."""

import io
import json
import zlib
from dataclasses import asdict
from typing import Any

import numpy as np

from pipeline.config.registration import RegistrationMethod
from pipeline.domain.geometry import Geometry
from pipeline.imaging.alignment import Alignment, Displacement, RigidMotion
from pipeline.imaging.registration import Registration
from pipeline.imaging.registration_verdict import Quality


def to_bytes(registration: Registration) -> bytes:
    """Write a registration; the same one gives the same bytes.

    A zlib stream of: length of the header (8 bytes), header (JSON; figures that were not measured
    as NaN), then the vectors of the displacement, if any, in NumPy's own format.
    """
    alignment = registration.alignment
    displacement = alignment.displacement
    header = {
        "method": registration.method,
        "failure": registration.failure,
        "aligned": registration.aligned,
        "quality": asdict(registration.quality),
        "rigid": asdict(alignment.rigid),
        "geometry": asdict(displacement.geometry) if displacement else None,
    }
    encoded = json.dumps(header).encode()
    stream = io.BytesIO()
    stream.write(len(encoded).to_bytes(8, "little") + encoded)
    if displacement:
        vectors = np.ascontiguousarray(displacement.vectors_mm)
        np.lib.format.write_array(stream, vectors, allow_pickle=False)
    return zlib.compress(stream.getvalue(), level=1)


def from_bytes(payload: bytes) -> Registration:
    """Read what :func:`to_bytes` wrote: the same values bit for bit."""
    stream = io.BytesIO(zlib.decompress(payload))
    header = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
    displacement = None
    if header["geometry"] is not None:
        vectors = np.lib.format.read_array(stream, allow_pickle=False)
        displacement = Displacement(vectors, Geometry(**_tuples(header["geometry"])))
    return Registration(
        alignment=Alignment(RigidMotion(**_tuples(header["rigid"])), displacement),
        method=RegistrationMethod(header["method"]),
        quality=Quality(**header["quality"]),
        failure=header["failure"],
        aligned=header["aligned"],
    )


def _tuples(fields: dict[str, list[Any]]) -> dict[str, Any]:
    return {name: tuple(value) for name, value in fields.items()}
