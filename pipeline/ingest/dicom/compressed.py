"""Decode one compressed frame to its stored values.

RLE and JPEG 2000 are decoded by pydicom with OpenJPEG, the rest of the JPEG family by SimpleITK
(GDCM). Rescaling is left out on purpose: it is applied once, in
:mod:`pipeline.ingest.dicom.pixels`.
"""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import (
    UID,
    CTImageStorage,
    JPEG2000TransferSyntaxes,
    JPEGLSTransferSyntaxes,
    JPEGTransferSyntaxes,
    RLELossless,
)

from pipeline.ingest.dicom.codestream import FrameSize, frame_size, is_complete
from pipeline.ingest.dicom.encoding import Encoding

_BY_PYDICOM = frozenset({RLELossless, *JPEG2000TransferSyntaxes})  # high-throughput ones included
_BY_GDCM = frozenset({*JPEGTransferSyntaxes, *JPEGLSTransferSyntaxes}) - _BY_PYDICOM
COMPRESSED = _BY_PYDICOM | _BY_GDCM
"""Transfer syntaxes that are decoded."""

Stored = npt.NDArray[np.integer[Any]]


def decode_frame(data: bytes, encoding: Encoding) -> Stored:
    """Decode one frame.

    Parameters
    ----------
    data : bytes
        The frame's compressed bytes, without encapsulation.
    encoding : Encoding
        How the header says it is stored.

    Returns
    -------
    numpy.ndarray of int, shape (rows, columns)
        Stored values.

    Raises
    ------
    ValueError
        If the frame is incomplete or announces another size than the header.
    RuntimeError
        If the decoder fails.
    """
    if encoding.transfer_syntax != RLELossless:
        _check_codestream(data, encoding)
    by_pydicom = encoding.transfer_syntax in _BY_PYDICOM
    stored = _decode_by_pydicom(data, encoding) if by_pydicom else _decode_by_gdcm(data, encoding)
    if stored.shape != (encoding.rows, encoding.columns) or stored.dtype.kind not in "iu":
        msg = f"decoded to {stored.shape} {stored.dtype}"
        raise ValueError(msg)
    return stored


def _check_codestream(data: bytes, encoding: Encoding) -> None:
    announced, expected = frame_size(data), FrameSize(encoding.rows, encoding.columns, 1)
    if announced != expected:
        msg = f"compressed as {announced} instead of {expected}"
        raise ValueError(msg)
    if not is_complete(data):
        msg = "the compressed image breaks off"
        raise ValueError(msg)


def _decode_by_pydicom(data: bytes, encoding: Encoding) -> Stored:
    decoder = get_decoder(UID(encoding.transfer_syntax))
    stored, _ = decoder.as_array(encapsulate([data]), index=0, raw=True, **_pixel_module(encoding))
    return stored


def _pixel_module(encoding: Encoding) -> dict[str, Any]:
    return {
        "number_of_frames": 1,
        "rows": encoding.rows,
        "columns": encoding.columns,
        "samples_per_pixel": 1,
        "photometric_interpretation": "MONOCHROME2",
        "bits_allocated": encoding.bits_allocated,
        "bits_stored": encoding.bits_stored,
        "pixel_representation": int(encoding.signed),
        "pixel_keyword": "PixelData",
    }


def _decode_by_gdcm(data: bytes, encoding: Encoding) -> Stored:
    """Decode a frame as the only one of a file without identity and rescaling."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "frame.dcm"
        _bare_file(data, encoding).save_as(file, enforce_file_format=True)
        image = sitk.ReadImage(str(file))
    stored: Stored = sitk.GetArrayFromImage(image)[0]
    return stored


def _bare_file(data: bytes, encoding: Encoding) -> Dataset:
    bare = Dataset()
    bare.file_meta = FileMetaDataset()
    bare.file_meta.TransferSyntaxUID = UID(encoding.transfer_syntax)
    bare.file_meta.MediaStorageSOPClassUID = bare.SOPClassUID = CTImageStorage
    bare.file_meta.MediaStorageSOPInstanceUID = bare.SOPInstanceUID = UID("1.2.3")
    bare.Modality = "CT"
    bare.SamplesPerPixel, bare.PhotometricInterpretation = 1, "MONOCHROME2"
    bare.Rows, bare.Columns = encoding.rows, encoding.columns
    bare.BitsAllocated, bare.BitsStored = encoding.bits_allocated, encoding.bits_stored
    bare.HighBit, bare.PixelRepresentation = encoding.high_bit, int(encoding.signed)
    bare.RescaleSlope, bare.RescaleIntercept = 1, 0
    bare.PixelData = encapsulate([data])
    bare["PixelData"].VR = "OB"
    return bare
