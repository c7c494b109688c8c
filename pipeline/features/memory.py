"""How much memory a process needs to extract features, told from the headers of the images."""

from collections.abc import Iterable
from math import prod
from pathlib import Path

from pipeline.config.extraction import ExtractionParameters
from pipeline.domain.errors import PipelineError
from pipeline.features.engine import choose_engine
from pipeline.ingest.source_memory import list_file_states
from pipeline.ingest.volume import read_geometry

_LOOKED_AT = 3
"""Images whose headers are read: the largest files. Reading all would take long."""

_FIXED_BYTES = {"fast": 350e6, "pyradiomics": 500e6}
_BYTES_PER_VOXEL = {"fast": 4.5, "pyradiomics": 12.0}
"""Peak memory on int16 CTs resampled to 1 mm, Original, LoG and Wavelet, 65 cm3 and 1150 cm3.

Measured, GB: fast 0.38-0.47 at 512 x 512 x 120 and 0.55-0.70 at 512 x 512 x 300; PyRadiomics
0.47-0.89 and 0.78-1.17. The lines lie above these."""

_FLOAT_BYTES_PER_VOXEL = 8.0
"""Of ``intensity: float``, which makes doubles of the whole image."""

_WHOLE_WAVELET_BYTES_PER_VOXEL = 150.0
"""Of PyRadiomics' wavelets without resampling, which are made of the whole image and all kept.

Measured: 5.05 GB at 512 x 512 x 120, where LoG took 0.71 GB and Gradient 0.58 GB."""


def estimate_worker_bytes(images: Iterable[Path], parameters: ExtractionParameters) -> int:
    """Estimate the most memory that a process needs for any of the images.

    Parameters
    ----------
    images : iterable of Path
        Those that cannot be read do not count; the reader says later what is wrong.
    parameters : ExtractionParameters
        The engine and the type of voxels decide.

    Returns
    -------
    int
        Bytes, from measurements of this software.
    """
    engine = choose_engine(parameters).engine.name
    by_size = sorted(set(images), key=lambda image: (-image_bytes(image), image))
    voxels = max(map(_voxels, by_size[:_LOOKED_AT]), default=0)
    each = _BYTES_PER_VOXEL[engine]
    if parameters.pipeline.intensity == "float":
        each += _FLOAT_BYTES_PER_VOXEL
    if engine == "pyradiomics" and _filters_whole_images(parameters):
        each += _WHOLE_WAVELET_BYTES_PER_VOXEL
    return int(_FIXED_BYTES[engine] + each * voxels)


def _filters_whole_images(parameters: ExtractionParameters) -> bool:
    cut = ("resampledPixelSpacing", "preCrop")
    return "Wavelet" in parameters.image_types and not any(map(parameters.settings.get, cut))


def image_bytes(image: Path) -> int:
    """Return the size of an image's files; 0 where they cannot be found."""
    try:
        return sum(size for _, _, size, *_ in list_file_states(image))
    except OSError:
        return 0


def _voxels(image: Path) -> int:
    try:
        return prod(read_geometry(image).size)
    except PipelineError:
        return 0
