"""Which neighbours the texture matrices look at, and how their directions are put together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from glottis._errors import SettingsError
from glottis.data.volume import Triple

Weighting = Literal["manhattan", "euclidean", "infinity", "no_weighting"]
WEIGHTINGS: tuple[Weighting, ...] = ("manhattan", "euclidean", "infinity", "no_weighting")


@dataclass(frozen=True, kw_only=True)
class TextureSettings:
    """Neighbours and directions of the texture matrices.

    Attributes:
        distances: Chebyshev distances (voxels) of the pairs of GLCM and of the neighbourhoods of GLDM and NGTDM. Runs
            and zones always join touching voxels.
        flat_axis: axis (0 z, 1 y, 2 x) along which no neighbour is looked at, so that textures are measured slice by
            slice (PyRadiomics' ``force2D``); None looks in all three.
        weighting: GLCM and GLRLM directions are added up before features are computed, each with a weight that
            follows from its length in mm by this norm: ``exp(-length^2)`` in the GLCM, the length itself in the
            GLRLM, as PyRadiomics 3.0.1 has it; ``no_weighting`` adds them up unweighted. None computes features for
            every direction and averages them.
        symmetric: count every pair of the GLCM in both orders.
        alpha: largest difference of grey levels at which a neighbour counts as dependent in the GLDM
            (PyRadiomics' ``gldm_a``).

    Raises:
        SettingsError: a value is out of range.
    """

    distances: tuple[int, ...] = (1,)
    flat_axis: int | None = None
    weighting: Weighting | None = None
    symmetric: bool = True
    alpha: float = 0

    def __post_init__(self) -> None:
        distances = tuple(sorted({int(distance) for distance in self.distances}))
        if not distances or distances[0] < 1:
            message = f"distances must be whole numbers from 1, got {self.distances}: (1,) is usual."
            raise SettingsError(message)
        object.__setattr__(self, "distances", distances)
        if self.flat_axis not in (None, 0, 1, 2):
            message = f"flat_axis must be 0 (z), 1 (y), 2 (x) or None, got {self.flat_axis}."
            raise SettingsError(message)
        if self.weighting is not None and self.weighting not in WEIGHTINGS:
            message = f"weighting '{self.weighting}' is unknown: use one of {', '.join(WEIGHTINGS)}."
            raise SettingsError(message)
        if self.alpha < 0:
            message = f"alpha must be at least 0, got {self.alpha}: 0 counts equal grey levels only."
            raise SettingsError(message)

    def lengths(self, directions: NDArray[np.int64], spacing_mm: Triple) -> NDArray[Any] | None:
        """Length of every direction in mm by the norm of ``weighting``.

        Args:
            directions: ``(K, 3)`` steps in voxels, ``(z, y, x)``.
            spacing_mm: voxel size ``(z, y, x)``.

        Returns:
            ``(K,)``; None where directions are not weighted by length.
        """
        steps = np.abs(directions) * np.array(spacing_mm)
        if self.weighting == "manhattan":
            return np.asarray(steps.sum(axis=1))
        if self.weighting == "euclidean":
            return np.asarray(np.sqrt((steps**2).sum(axis=1)))
        return np.asarray(steps.max(axis=1)) if self.weighting == "infinity" else None
