"""Local binary patterns slice by slice, equal to those of scikit-image, which PyRadiomics calls.

Ojala, Pietikäinen, Mäenpää, "Multiresolution gray-scale and rotation invariant texture classification with local binary
patterns", IEEE Trans Pattern Anal Mach Intell 24 (2002): 971-987.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from glottis._errors import SettingsError
from glottis.data.volume import Box, Triple, Volume
from glottis.features.filters import WHOLE_IMAGE, placed

Method = Literal["default", "ror", "uniform", "var"]
MOST_BITS = 31
"""``default`` and ``ror`` write one bit a sample into a 32-bit number."""


@dataclass(frozen=True, kw_only=True)
class LBP2D:
    """Which of the samples on a circle round each voxel are at least as bright as it; named ``lbp-2D``.

    Samples are interpolated bilinearly between voxels of the slice; outside the image they are 0. The result has the
    pixel type of the image. It has few values (``samples + 2`` for ``uniform``): give it a bin width of about 1.

    Attributes:
        radius: of the circle, in voxels.
        samples: number of points on it, from the first one on the row of the voxel.
        method: ``uniform`` counts the brighter samples where they form one arc and is ``samples + 1`` elsewhere;
            ``default`` is the binary number of the samples, ``ror`` the smallest of its rotations; ``var`` is the
            variance of the samples, not a number where they are all equal.
        flat_axis: axis (0 z, 1 y, 2 x) across which the slices lie.

    Raises:
        SettingsError: a value is out of range.
    """

    wraps_round: ClassVar[bool] = False
    radius: float = 1.0
    samples: int = 8
    method: Method = "uniform"
    flat_axis: int = 0

    def __post_init__(self) -> None:
        if self.method not in ("default", "ror", "uniform", "var"):
            message = f"LBP2D method '{self.method}' is unknown: use one of default, ror, uniform, var."
            raise SettingsError(message)
        most = MOST_BITS if self.method in ("default", "ror") else 1000
        if self.radius <= 0 or not 1 <= self.samples <= most or self.flat_axis not in (0, 1, 2):
            message = (
                f"LBP2D needs a positive radius, 1 to {most} samples and flat_axis 0, 1 or 2, got {self.radius:g}, "
                f"{self.samples} and {self.flat_axis}: radius=1, samples=8, flat_axis=0 are usual."
            )
            raise SettingsError(message)

    def reach_voxels(self, spacing_mm: Triple) -> int:
        """The whole image: the place in the slice enters the rounding of a sample, which decides equal intensities."""
        return WHOLE_IMAGE

    def __call__(self, image: Volume, *, box: Box | None = None) -> Iterator[tuple[str, Volume]]:
        """Yield the one derived image."""
        parts = list(box or (slice(0, size) for size in image.shape))
        parts[0], parts[self.flat_axis] = parts[self.flat_axis], parts[0]
        slices = image.voxels.swapaxes(0, self.flat_axis)  # PyRadiomics swaps the axes, which turns x-slices round
        codes = self._codes(slices[parts[0]].astype(np.float64), parts[1], parts[2])
        with np.errstate(invalid="ignore"):  # 'var' is not a number in flat places; integers make something of it
            values = codes.swapaxes(0, self.flat_axis).astype(image.voxels.dtype)
        yield "lbp-2D", placed(image, values, box)

    def skipped(self, image: Volume) -> tuple[str, ...]:
        """Nothing is ever left out."""
        return ()

    def _codes(self, slices: NDArray[np.float64], rows: slice, columns: slice) -> NDArray[np.float64]:
        """Pattern of every voxel ``[:, rows, columns]`` of a stack of slices."""
        angles = 2 * np.pi * np.arange(self.samples, dtype=np.float64) / self.samples
        down, right = np.round(-self.radius * np.sin(angles), 5), np.round(self.radius * np.cos(angles), 5)
        y, x = np.arange(slices.shape[1])[rows], np.arange(slices.shape[2])[columns]
        texture = np.stack([_bilinear(slices, y + dy, x + dx) for dy, dx in zip(down, right, strict=True)])
        if self.method == "var":
            return _variance(texture)
        bright = texture - slices[:, rows, columns] >= 0
        return _uniform(bright) if self.method == "uniform" else _numbers(bright, rotated=self.method == "ror")


def _bilinear(slices: NDArray[np.float64], y: NDArray[Any], x: NDArray[Any]) -> NDArray[np.float64]:
    """Values ``(n, len(y), len(x))`` at these rows and columns, 0 outside."""
    top, left = np.floor(y), np.floor(x)
    fy, fx = (y - top)[:, None], x - left
    upper, lower = _voxels(slices, top, left, fx), _voxels(slices, np.ceil(y), left, fx)
    mixed: NDArray[np.float64] = (1 - fy) * upper + fy * lower
    return mixed


def _voxels(slices: NDArray[np.float64], y: NDArray[Any], left: NDArray[Any], fx: NDArray[Any]) -> NDArray[np.float64]:
    """Values on whole rows ``y``, interpolated between the columns ``left`` and the next."""
    _, height, width = slices.shape
    rows = slices[:, np.clip(y, 0, height - 1).astype(np.intp)] * ((y >= 0) & (y < height))[:, None]
    near, far = (
        rows[:, :, np.clip(at, 0, width - 1).astype(np.intp)] * ((at >= 0) & (at < width))
        for at in (left, left + (fx > 0))
    )
    mixed: NDArray[np.float64] = (1 - fx) * near + fx * far
    return mixed


def _variance(texture: NDArray[np.float64]) -> NDArray[np.float64]:
    total, squares = np.zeros(texture.shape[1:]), np.zeros(texture.shape[1:])
    for sample in texture:  # one after the other, as the sums are rounded
        total += sample
        squares += sample * sample
    variance = (squares - (total * total) / len(texture)) / len(texture)
    return np.where(variance != 0, variance, np.nan)


def _uniform(bright: NDArray[np.bool_]) -> NDArray[np.float64]:
    changes = np.count_nonzero(bright[1:] != bright[:-1], axis=0)
    return np.where(changes <= 2, np.count_nonzero(bright, axis=0), len(bright) + 1).astype(np.float64)


def _numbers(bright: NDArray[np.bool_], *, rotated: bool) -> NDArray[np.float64]:
    n = len(bright)
    number = np.zeros(bright.shape[1:], dtype=np.int64)
    for bit, sample in enumerate(bright):
        number |= sample.astype(np.int64) << bit
    smallest = number
    for _ in range(n if rotated else 0):
        number = (number >> 1) | ((number & 1) << (n - 1))
        smallest = np.minimum(smallest, number)
    return smallest.astype(np.float64)
