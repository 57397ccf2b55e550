"""Intensities to grey levels: fixed bin width or fixed bin count, with the bin edges of PyRadiomics."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numba import njit
from numpy.typing import NDArray

from glottis._errors import SettingsError

MOST_EDGES = 1_000_000
"""More bin edges than this are taken as a mistake in the bin width."""


class Bins(Protocol):
    """A step that places bin edges over the intensities of one mask."""

    def edges(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Ascending bin edges for these intensities."""
        ...


@dataclass(frozen=True)
class FixedBinWidth:
    """Bins of one width, aligned to multiples of it (IBSI Q3RU, but starting from zero rather than the minimum).

    Attributes:
        width: bin width in the image's intensity unit, positive.

    Raises:
        SettingsError: the width is not a positive number.
    """

    width: float = 25.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.width) and self.width > 0):
            message = f"The bin width must be a positive number, got {self.width}: 16 to 128 bins suit most images."
            raise SettingsError(message)

    def edges(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Edges from the multiple of the width at or below the minimum to beyond the maximum.

        Raises:
            SettingsError: the width is too small for the range or the size of the intensities.
        """
        low, high, width = float(values.min()), float(values.max()), float(self.width)
        if (high - low) / width > MOST_EDGES:
            message = (
                f"Bin width {width:g} cuts intensities {low:g} to {high:g} into more than {MOST_EDGES} bins: "
                f"choose a larger width; 16 to 128 bins suit most images."
            )
            raise SettingsError(message)
        if np.spacing(max(-low, high)) > width / 8:
            message = (
                f"Bin width {width:g} is lost in rounding at intensities {low:g} to {high:g}: choose a larger width, "
                f"or scale the image; 16 to 128 bins suit most images."
            )
            raise SettingsError(message)
        return np.arange(low - low % width, high + 2 * width, width)


@dataclass(frozen=True)
class FixedBinCount:
    """A fixed number of equal bins between minimum and maximum (IBSI K15C).

    Attributes:
        count: number of bins, at least 1.

    Raises:
        SettingsError: the count is below 1.
    """

    count: int = 32

    def __post_init__(self) -> None:
        if self.count < 1:
            message = f"The bin count must be at least 1, got {self.count}: 32 or 64 suit most images."
            raise SettingsError(message)

    def edges(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Edges of numpy's histogram in the pixel type of the image, the last one raised by 1 to hold the maximum.

        Raises:
            SettingsError: the intensities lie so close that bins between them are no numbers.
        """
        try:
            edges = np.histogram_bin_edges(values, self.count)
        except ValueError as error:  # numpy: too many bins for the range
            message = (
                f"Intensities {values.min():g} to {values.max():g} lie too close for {self.count} bins: choose fewer "
                f"bins, or scale the image."
            )
            raise SettingsError(message) from error
        edges[-1] += 1
        return edges.astype(np.float64)


@dataclass(frozen=True, eq=False, kw_only=True)
class Discretised:
    """Grey levels of the voxels of one mask.

    Attributes:
        voxel_levels: ``(N,)`` ``int32``, grey level of each voxel.
        levels: ``(G,)`` ``int64``, the grey levels present, ascending, from 1.
        counts: ``(G,)``, voxels of each level.
    """

    voxel_levels: NDArray[np.int32]
    levels: NDArray[np.int64]
    counts: NDArray[np.int64]

    @property
    def n_bins(self) -> int:
        """The largest grey level: number of bins between the first edge and the maximum."""
        return int(self.levels[-1])

    def rank_of_level(self) -> NDArray[np.uint16]:
        """``(largest level + 1,)``, position of each level in ``levels``, counted from 1; at most 65,535 levels."""
        ranks = np.zeros(self.n_bins + 1, dtype=np.uint16)
        ranks[self.levels] = np.arange(1, len(self.levels) + 1)
        return ranks


def discretise(values: NDArray[Any], bins: Bins) -> Discretised:
    """Grey level of every intensity: the number of bin edges at or below it.

    Args:
        values: ``(N,)`` intensities inside the mask, finite, at least one.
        bins: where the edges lie.
    """
    voxel_levels, found = gather_levels(np.asarray(values, dtype=np.float64), bins.edges(values))
    (levels,) = np.nonzero(found)
    return Discretised(voxel_levels=voxel_levels, levels=levels, counts=found[levels])


@njit(cache=True, nogil=True)
def gather_levels(values: Any, edges: Any) -> tuple[Any, Any]:
    """Number of ``edges`` (ascending, nearly equidistant) at or below every value, and how often each number occurs."""
    levels = np.empty(values.size, np.int32)
    counts = np.zeros(edges.size + 1, np.int64)
    last = edges.size - 1
    low = edges[0]
    width = edges[1] - edges[0]
    per_bin = 1 / width if width > 0 else 0.0
    for v in range(values.size):
        value = values[v]
        k = min(max(int((value - low) * per_bin), 0), last)
        while k >= 0 and edges[k] > value:
            k -= 1
        while k < last and edges[k + 1] <= value:
            k += 1
        levels[v] = k + 1
        counts[k + 1] += 1
    return levels, counts
