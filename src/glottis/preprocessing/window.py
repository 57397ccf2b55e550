"""Limits on intensities: a window that clips the image, a range that narrows the mask."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from glottis._errors import ImageError, SettingsError
from glottis.data.volume import Mask, Volume


@dataclass(frozen=True, kw_only=True)
class Window:
    """Clip intensities to ``[lower, upper]``, the CT window; the mask stays as it is.

    Integer images stay integer where both limits are whole numbers and become ``float64`` otherwise.

    Attributes:
        lower: smallest intensity kept, in the unit of the image (HU in CT); None leaves this side open.
        upper: largest intensity kept.

    Raises:
        SettingsError: no limit is given, or they are in the wrong order.
    """

    lower: float | None = None
    upper: float | None = None

    def __post_init__(self) -> None:
        if self.lower is None and self.upper is None:
            message = "Window has neither lower nor upper: give at least one, for example lower=-160, upper=240."
            raise SettingsError(message)
        if self.lower is not None and self.upper is not None and self.lower >= self.upper:
            message = f"Window has lower {self.lower:g} and upper {self.upper:g}: lower must be the smaller one."
            raise SettingsError(message)

    def __call__(self, image: Volume, mask: Mask) -> tuple[Volume, Mask]:
        """Return the clipped image and the mask as it came."""
        return image.with_voxels(self._clip(image.voxels)), mask

    def _clip(self, voxels: NDArray[Any]) -> NDArray[Any]:
        limits = [limit for limit in (self.lower, self.upper) if limit is not None]
        if np.issubdtype(voxels.dtype, np.integer) and all(float(limit).is_integer() for limit in limits):
            info = np.iinfo(voxels.dtype)
            low = info.min if self.lower is None else min(max(int(self.lower), info.min), info.max)
            high = info.max if self.upper is None else min(max(int(self.upper), info.min), info.max)
            clipped: NDArray[Any] = np.clip(voxels, low, high)
        else:
            clipped = np.clip(voxels, self.lower, self.upper)
        return clipped


@dataclass(frozen=True, kw_only=True)
class Resegment:
    """Keep only the mask voxels whose intensity lies in a closed range; the image stays as it is.

    The narrowed mask is for intensities and texture; shape is measured on the mask as drawn.

    Attributes:
        range: one number (a lower limit) or two (lower and upper, in any order).
        mode: ``"absolute"`` intensities, ``"relative"`` to the largest intensity in the mask, or ``"sigma"``, standard
            deviations from the mean of the mask.

    Raises:
        SettingsError: the range or the mode is unknown.
        ImageError: on call, where at most one voxel is left.
    """

    range: tuple[float, ...]
    mode: Literal["absolute", "relative", "sigma"] = "absolute"

    def __post_init__(self) -> None:
        limits = tuple(sorted(float(limit) for limit in self.range))
        if len(limits) not in (1, 2):
            message = f"Resegment needs one or two limits, got {self.range}: write for example range=(-1000, 400)."
            raise SettingsError(message)
        if self.mode not in ("absolute", "relative", "sigma"):
            message = f"Resegment mode '{self.mode}' is unknown: use absolute, relative or sigma."
            raise SettingsError(message)
        object.__setattr__(self, "range", limits)

    def __call__(self, image: Volume, mask: Mask) -> tuple[Volume, Mask]:
        """Return the image as it came and the narrowed mask."""
        inside = image.voxels[mask.voxels]
        limits = self._limits(inside)
        keep = inside >= limits[0]
        if len(limits) == 2:
            keep &= inside <= limits[1]
        kept = int(np.count_nonzero(keep))
        if kept <= 1:
            message = (
                f"Re-segmentation to {self.range} ({self.mode}) leaves {kept} of {inside.size} mask voxels: widen the "
                f"range, or check that it is meant for the unit of this image."
            )
            raise ImageError(message)
        voxels = np.zeros(mask.shape, dtype=bool)
        voxels[mask.voxels] = keep
        return image, replace(mask, voxels=voxels)

    def _limits(self, inside: NDArray[Any]) -> list[Any]:
        if self.mode == "relative":
            return [inside.max() * limit for limit in self.range]
        if self.mode == "sigma":
            return [inside.mean() + inside.std() * limit for limit in self.range]
        return list(self.range)
