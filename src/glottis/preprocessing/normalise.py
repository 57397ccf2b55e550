"""Intensity normalisation of one image by numbers taken from that image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glottis._errors import ImageError, SettingsError
from glottis.data.volume import Mask, Volume


@dataclass(frozen=True, kw_only=True)
class ZScore:
    """Subtract the mean and divide by the standard deviation of the whole image, as PyRadiomics' ``normalize`` does.

    The result is ``float64``: ``scale * (x - mean) / sd + shift``, ``sd`` with ``n - 1``.

    Attributes:
        scale: factor on the z-score; 100 with a bin width of 5 gives 30 to 130 bins on MR.
        shift: added after scaling.
        remove_outliers: z-scores beyond plus or minus this are set to it before scaling; None keeps all.

    Raises:
        SettingsError: the scale or the limit is not positive.
        ImageError: on call, where all intensities are the same.
    """

    scale: float = 1.0
    shift: float = 0.0
    remove_outliers: float | None = None

    def __post_init__(self) -> None:
        _check_positive(self.scale, self.remove_outliers)

    def __call__(self, image: Volume, mask: Mask) -> tuple[Volume, Mask]:
        """Return the normalised image and the mask as it came."""
        voxels = image.voxels.astype(np.float64)
        scored = _z_scores(voxels, voxels, self.scale, self.shift, self.remove_outliers)
        return image.with_voxels(scored), mask


@dataclass(frozen=True, kw_only=True)
class WithinMaskZScore:
    """Subtract the mean and divide by the standard deviation of the mask; fields and formula as in ``ZScore``.

    What the lesion's own mean and spread say is lost: use it where only texture is wanted.
    """

    scale: float = 1.0
    shift: float = 0.0
    remove_outliers: float | None = None

    def __post_init__(self) -> None:
        _check_positive(self.scale, self.remove_outliers)

    def __call__(self, image: Volume, mask: Mask) -> tuple[Volume, Mask]:
        """Return the normalised image and the mask as it came."""
        voxels = image.voxels.astype(np.float64)
        inside = voxels[mask.voxels]
        return image.with_voxels(_z_scores(voxels, inside, self.scale, self.shift, self.remove_outliers)), mask


@dataclass(frozen=True, kw_only=True)
class ReferenceRegion:
    """Divide by the mean intensity of a reference: a tissue that was outlined, or a range of percentiles.

    The result is ``float64``: ``target * x / mean(reference)``.

    Attributes:
        reference: mask of the reference tissue (muscle for example) on the grid of the image; None takes percentiles.
        percentiles: without a reference mask, the voxels of the image between these two percentiles, ends included.
        target: intensity that the reference has afterwards.

    Raises:
        SettingsError: the percentiles or the target are out of range.
        ImageError: on call, where the reference is empty, lies on another grid, or its mean is not positive.
    """

    reference: Mask | None = None
    percentiles: tuple[float, float] = (50.0, 95.0)
    target: float = 100.0

    def __post_init__(self) -> None:
        low, high = self.percentiles
        if not 0 <= low < high <= 100 or self.target <= 0:
            message = (
                f"ReferenceRegion needs 0 <= low < high <= 100 and a positive target, got {self.percentiles} and "
                f"{self.target:g}."
            )
            raise SettingsError(message)

    def __call__(self, image: Volume, mask: Mask) -> tuple[Volume, Mask]:
        """Return the normalised image and the mask as it came."""
        voxels = image.voxels.astype(np.float64)
        chosen = self._chosen(image, voxels)
        level = float(chosen.mean()) if chosen.size else 0.0
        if level <= 0:
            message = (
                f"The reference region holds {chosen.size} voxels with mean {level:g}, which cannot scale an image: "
                f"outline another reference tissue or use ZScore."
            )
            raise ImageError(message)
        return image.with_voxels(voxels * (self.target / level)), mask

    def _chosen(self, image: Volume, voxels: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.reference is not None:
            difference = self.reference.grid_difference(image, tolerance=1e-3)
            if difference:
                message = f"The reference mask lies on another grid than the image ({difference}): resample it first."
                raise ImageError(message)
            chosen: NDArray[np.bool_] = self.reference.voxels
        else:
            low, high = np.percentile(voxels, self.percentiles)
            chosen = (voxels >= low) & (voxels <= high)
        inside: NDArray[np.float64] = voxels[chosen]
        return inside


def _check_positive(scale: float, outliers: float | None) -> None:
    if scale <= 0 or (outliers is not None and outliers <= 0):
        message = f"scale and remove_outliers must be positive, got {scale} and {outliers}: 100 and 3 are usual for MR."
        raise SettingsError(message)


def _z_scores(
    voxels: NDArray[np.float64], sample: NDArray[Any], scale: float, shift: float, outliers: float | None
) -> NDArray[np.float64]:
    spread = float(sample.std(ddof=1)) if sample.size > 1 else 0.0
    if not np.isfinite(spread) or spread == 0:
        message = (
            f"The image cannot be normalised: {sample.size} voxels with mean {sample.mean():g} and standard deviation "
            f"{spread:g}; check that the file holds an image and no missing values."
        )
        raise ImageError(message)
    scored: NDArray[np.float64] = (voxels - sample.mean()) * (1.0 / spread)
    if outliers is not None:
        np.clip(scored, -outliers, outliers, out=scored)
    scored *= scale
    return scored + shift if shift else scored
