"""Stationary wavelet images, with PyWavelets' numbers, around the region only.

PyRadiomics gives PyWavelets the whole frame, made even by repeating its first voxels, and the
transform goes around its ends. A band in the bounding box needs few voxels beyond it, so that these
are gathered first and no frame's end is met afterwards.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby, product
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pywt

from pipeline.features.fast.kernels.wavelet import convolve_axis
from pipeline.features.fast.prepared_image import PreparedImage


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of the endless frame: its values, where they begin, and when the frame repeats.

    ``first`` and ``period`` along z, y, x, in voxels.
    """

    values: npt.NDArray[Any]
    first: tuple[int, ...]
    period: tuple[int, ...]

    @classmethod
    def frame(cls, values: npt.NDArray[Any]) -> Self:
        """Take a frame; sizes count as even, with its first voxel again after its last."""
        return cls(values, (0, 0, 0), tuple(size + size % 2 for size in values.shape))

    def gather(self, spans: list[range], dtype: type | None = None) -> Self:
        """Copy the spans along z, y, x, around the frame's ends where this is a whole frame."""
        values = self.values
        for axis, span in enumerate(spans):
            places = (np.arange(span.start, span.stop) - self.first[axis]) % self.period[axis]
            places %= values.shape[axis]
            if places[-1] - places[0] == len(places) - 1:
                kept = [slice(None)] * axis + [slice(places[0], places[-1] + 1)]
                values = values[tuple(kept)]
            else:
                values = np.take(values, places, axis)
        first = tuple(span.start for span in spans)
        return type(self)(np.ascontiguousarray(values, dtype), first, self.period)


@dataclass(frozen=True, slots=True)
class _Bank:
    """The two analysis filters of a wavelet, and the axes that they run along."""

    low: npt.NDArray[Any]
    high: npt.NDArray[Any]
    axes: tuple[int, ...]

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any], precision: type) -> Self:
        """Ask PyWavelets how it answers to a single one.

        Its taps in single precision are not always its taps in double precision, rounded: they
        differ for coiflets.
        """
        wavelet = pywt.Wavelet(settings.get("wavelet", "coif1"))
        impulse = np.zeros(wavelet.dec_len, precision)
        impulse[0] = 1
        low, high = (np.roll(x, wavelet.dec_len // 2) for x in pywt.swt(impulse, wavelet, 1)[0])
        left_out = settings.get("force2Ddimension", 0) if settings.get("force2D") else None
        return cls(low, high, tuple(axis for axis in (2, 1, 0) if axis != left_out))

    def widen(self, spans: list[range], steps: int) -> list[range]:
        """Return the spans that are needed ``steps`` earlier."""
        ahead = len(self.low) // 2
        behind = len(self.low) - 1 - ahead
        return [
            range(span.start - steps * behind, span.stop + steps * ahead)
            if axis in self.axes
            else span
            for axis, span in enumerate(spans)
        ]


def wavelet_images(
    prepared: PreparedImage, settings: Mapping[str, Any]
) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    """Decompose into all bands of each level, then the last approximation.

    Parameters
    ----------
    prepared : PreparedImage
        What PyRadiomics would filter.
    settings : mapping
        ``wavelet``, any discrete one of PyWavelets; ``level`` and ``start_level``; ``force2D`` and
        ``force2Ddimension``, the axis (0 is z) that is left out.

    Yields
    ------
    (str, numpy.ndarray of float64, or of float32 for an image of float32)
        The image's name and its values in the bounding box of the region. Letters of the name
        stand for x, y, z: L for the low-pass filter, H for the high-pass.
    """
    precision = np.float32 if prepared.values.dtype == np.float32 else np.float64
    bank = _Bank.from_settings(settings, precision)
    skipped, levels = settings.get("start_level", 0), settings.get("level", 1)
    box = [range(span.start, span.stop) for span in prepared.box]
    part = _Part.frame(prepared.values)
    dtype = np.int16 if prepared.values.dtype == np.int16 else precision  # the kernel converts it
    for level in range(1 - skipped, levels + 1):
        spans = [
            span if len(span) < period else range(period)
            for span, period in zip(bank.widen(box, levels - level), part.period, strict=True)
        ]
        near = part.gather(bank.widen(spans, 1), dtype)
        dtype = precision
        prefix = f"wavelet{level}" if level > 1 else "wavelet"
        for letters, part in _bands(near, bank, spans, "HL" if level > 0 else "L"):
            if "H" in letters:
                yield f"{prefix}-{letters}", part.gather(box).values
    yield f"{prefix}-{letters}", part.gather(box).values


def _bands(
    part: _Part, bank: _Bank, spans: list[range], filters: str
) -> Iterator[tuple[str, _Part]]:
    """Filter along each axis with each of the filters; the approximation (all L) comes last.

    The first axes are filtered again for each pair of bands: large volumes cost more to keep.
    """
    taps = {"L": bank.low, "H": bank.high}
    *earlier, last = bank.axes
    for letters in product(filters, repeat=len(earlier)):
        filtered = part
        for axis, letter in zip(earlier, letters, strict=True):
            filtered = _convolve(filtered, axis, taps[letter], spans[axis])
        for letter in filters:
            band = "".join((*letters, letter))
            yield band, _convolve(filtered, last, taps[letter], spans[last])


def _convolve(part: _Part, axis: int, taps: npt.NDArray[Any], span: range) -> _Part:
    shape, period = part.values.shape, part.period[axis]
    inner = int(np.prod(shape[axis + 1 :]))
    volume = part.values.reshape(-1, shape[axis], inner)
    out = np.empty((*shape[:axis], len(span), *shape[axis + 1 :]), taps.dtype)
    lag = span.start - part.first[axis] + len(taps) // 2
    for beyond, places in groupby(span, lambda place: _taps_beyond(place, period, len(taps))):
        run = list(places)
        order = np.array([*range(beyond)[::-1], *range(beyond, len(taps))])
        start, stop = run[0] - span.start, run[-1] + 1 - span.start
        merged = out.reshape(len(volume), -1, inner)
        convolve_axis(volume, taps[order], lag - order, start, stop, merged)
    first = (*part.first[:axis], span.start, *part.first[axis + 1 :])
    return _Part(out, first, part.period)


def _taps_beyond(place: int, period: int, taps: int) -> int:
    """Count the taps that lie beyond the end of the frame, which PyWavelets adds in reverse."""
    return max(0, place % period + taps // 2 - period + 1)
