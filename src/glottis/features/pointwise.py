"""Filters that change every voxel by one curve and rescale by the largest absolute intensity of the image.

Curves and scales are those of PyRadiomics 3.0.1; the result is ``float64``. With ``c`` the largest absolute intensity
of the whole image (after resampling: of the crop), intensities from ``-c`` to ``c`` stay within ``-c`` to ``c``. An
image of zeros, where PyRadiomics divides by zero, gives the limit: zeros (ones for the exponential).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from glottis.data.volume import Box, Triple, Volume
from glottis.features.filters import WHOLE_IMAGE, placed


@dataclass(frozen=True)
class _Pointwise(ABC):
    """What the four curves share: they look at the whole image for its largest absolute intensity."""

    wraps_round: ClassVar[bool] = False
    name: ClassVar[str]

    def reach_voxels(self, spacing_mm: Triple) -> int:
        """The whole image: its largest absolute intensity is the scale."""
        return WHOLE_IMAGE

    def __call__(self, image: Volume, *, box: Box | None = None) -> Iterator[tuple[str, Volume]]:
        """Yield the one derived image."""
        largest = max(abs(float(image.voxels.max())), abs(float(image.voxels.min())))
        part = image.voxels if box is None else image.voxels[box]
        yield self.name, placed(image, self._curve(part.astype(np.float64), largest), box)

    def skipped(self, image: Volume) -> tuple[str, ...]:
        """Nothing is ever left out."""
        return ()

    @abstractmethod
    def _curve(self, x: NDArray[Any], largest: float) -> NDArray[Any]:
        """The new intensities of ``x``, ``largest`` being the scale."""


@dataclass(frozen=True)
class Square(_Pointwise):
    """``x^2 / c``; named ``square``."""

    name: ClassVar[str] = "square"

    def _curve(self, x: NDArray[Any], largest: float) -> NDArray[Any]:
        squares: NDArray[Any] = (x * (1 / math.sqrt(largest)) if largest else x) ** 2
        return squares


@dataclass(frozen=True)
class SquareRoot(_Pointwise):
    """``sqrt(c |x|)`` with the sign of ``x``; named ``squareroot``."""

    name: ClassVar[str] = "squareroot"

    def _curve(self, x: NDArray[Any], largest: float) -> NDArray[Any]:
        roots: NDArray[Any] = np.copysign(np.sqrt(np.abs(x) * largest), x)
        return roots


@dataclass(frozen=True)
class Logarithm(_Pointwise):
    """``c log(|x| + 1) / log(c + 1)`` with the sign of ``x``; named ``logarithm``."""

    name: ClassVar[str] = "logarithm"

    def _curve(self, x: NDArray[Any], largest: float) -> NDArray[Any]:
        scale = largest / float(np.log(np.float64(largest + 1))) if largest else 0.0
        logarithm: NDArray[Any] = np.copysign(np.log(np.abs(x) + 1), x)
        return logarithm * scale


@dataclass(frozen=True)
class Exponential(_Pointwise):
    """``exp(x log(c) / c)``, positive everywhere and at most ``c`` where ``c`` is at least 1; named ``exponential``."""

    name: ClassVar[str] = "exponential"

    def _curve(self, x: NDArray[Any], largest: float) -> NDArray[Any]:
        scale = float(np.log(np.float64(largest))) / largest if largest else 0.0
        powers: NDArray[Any] = np.exp(x * scale)
        return powers
