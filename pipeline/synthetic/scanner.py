"""What the scanner adds: blur, noise, offset, gain, and on MR a bias field."""

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from pipeline.config.demo import Scanner

Floats = npt.NDArray[np.float64]

_MR_NOISE_PER_HU = 1.5
"""Standard deviation of MR noise, in units of the phantom's MR scale, per HU of CT noise."""

_BIAS_AMPLITUDE = 0.12
_CT_RANGE = (-1024, 3071)
_MR_RANGE = (0, 32767)


def acquire_ct(
    ideal: Floats, scanner: Scanner, generator: np.random.Generator
) -> npt.NDArray[np.int16]:
    """Return a CT image in HU: blurred, shifted, with Gaussian noise."""
    blurred = gaussian_filter(ideal, scanner.blur_voxels, mode="nearest")
    noisy = blurred + scanner.offset_hu
    noisy += scanner.noise_hu * generator.standard_normal(ideal.shape)
    return _as_int16(noisy, _CT_RANGE)


def acquire_mr(
    ideal: Floats, scanner: Scanner, bias: Floats, generator: np.random.Generator
) -> npt.NDArray[np.int16]:
    """Return an MR magnitude image: blurred, with coil sensitivity, Rician noise and gain."""
    signal = gaussian_filter(ideal, scanner.blur_voxels, mode="nearest") * bias
    sd = _MR_NOISE_PER_HU * scanner.noise_hu
    real = signal + sd * generator.standard_normal(ideal.shape)
    imaginary = sd * generator.standard_normal(ideal.shape)
    return _as_int16(scanner.mr_scale * np.hypot(real, imaginary), _MR_RANGE)


def draw_texture(shape: tuple[int, ...], generator: np.random.Generator) -> Floats:
    """Draw a smooth random volume of mean 0 and standard deviation 1."""
    smooth = gaussian_filter(generator.standard_normal(shape), 1.2, mode="wrap")
    return np.asarray((smooth - smooth.mean()) / smooth.std())


def draw_bias(shape: tuple[int, int, int], generator: np.random.Generator) -> Floats:
    """Draw a slowly varying coil sensitivity around 1 (z, y, x)."""
    slope = generator.uniform(-_BIAS_AMPLITUDE, _BIAS_AMPLITUDE, 3)
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, count) for count in shape), indexing="ij")
    return np.asarray(1 + slope[0] * z + slope[1] * y + slope[2] * x * x)


def _as_int16(values: Floats, limits: tuple[int, int]) -> npt.NDArray[np.int16]:
    return np.clip(np.round(values), *limits).astype(np.int16)
