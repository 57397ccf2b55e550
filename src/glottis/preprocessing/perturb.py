"""Small changes of image and mask, after Zwanenburg et al., Sci Rep 2019;9:614, for cohorts with no second reader.

A feature is robust when it keeps its value under them (`glottis.selection.PerturbationFilter`). The paper adds noise to
the image as it comes, rotates and translates while resampling (`glottis.preprocessing.moved.MovedResample`), then
changes the volume and randomises the contour. ``Rotate`` and ``Translate`` are for an image that is resampled already.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from glottis._errors import ImageError, SettingsError
from glottis.data.volume import Mask, Volume
from glottis.preprocessing._supervoxels import supervoxels
from glottis.preprocessing.mask import correct_mask
from glottis.preprocessing.noise import noise_level

Voxels = NDArray[Any]
Affine = tuple[NDArray[np.float64], NDArray[np.float64]]
_AT_THE_EDGE = 1e-3
"""Signed distance in mm of a voxel that smoothing would put on the other side."""


@dataclass(frozen=True, kw_only=True)
class Rotate:
    """Turn image and mask in their slices about the mask's centre; the grid stays.

    The image is interpolated by cubic splines and becomes floating; what comes from outside takes the value of the
    edge. The mask keeps its number of voxels: those deepest inside its turned signed distance, smoothed by a voxel.

    Attributes:
        degrees: from the x index axis toward the y index axis, such as 5 or -5.

    Raises:
        SettingsError: the angle is not finite.
        ImageError: on call, where the mask is empty or lies outside the image.
    """

    degrees: float

    def __post_init__(self) -> None:
        if not np.isfinite(self.degrees):
            message = f"Rotate needs an angle in degrees, got {self.degrees}: write for example degrees=5."
            raise SettingsError(message)

    def __call__(self, image: Volume, mask: Mask) -> tuple[Volume, Mask]:
        """Return the turned image and mask."""
        mask = correct_mask(mask, image)
        centre = np.array([axis.mean() for axis in np.nonzero(_not_empty(mask).voxels)])
        angle = np.deg2rad(self.degrees)
        steps = np.array(image.spacing_mm[1:])
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])  # of (y, x) backwards, in mm
        matrix = np.eye(3)
        matrix[1:, 1:] = turn * steps[None, :] / steps[:, None]
        return _moved(image, mask, (matrix, centre - matrix @ centre))


@dataclass(frozen=True, kw_only=True)
class Translate:
    """Shift image and mask by a part of a voxel; the grid stays. Interpolation as in ``Rotate``.

    Attributes:
        fraction: of a voxel along x, y and z, or one number for all three, such as 0.25.

    Raises:
        SettingsError: a fraction of a whole voxel or more.
        ImageError: on call, where the mask is empty or lies outside the image.
    """

    fraction: float | tuple[float, float, float]

    def __post_init__(self) -> None:
        parts = np.atleast_1d(np.asarray(self.fraction, dtype=np.float64))
        if parts.shape not in ((1,), (3,)) or not (np.abs(parts) < 1).all():
            message = f"Translate needs a fraction of a voxel, or three (x, y, z), below 1; got {self.fraction}."
            raise SettingsError(message)

    def __call__(self, image: Volume, mask: Mask) -> tuple[Volume, Mask]:
        """Return the shifted image and mask."""
        mask = _not_empty(correct_mask(mask, image))
        shift = np.broadcast_to(np.asarray(self.fraction, dtype=np.float64), 3)[::-1]
        return _moved(image, mask, (np.eye(3), -shift))


@dataclass(frozen=True, kw_only=True)
class ChangeVolume:
    """Grow or shrink the mask to a given volume; the image stays as it is.

    Voxels join in the order of their distance from the mask in mm, or leave in the order of their distance from its
    outside; those equally far in random order, as the paper's last rim.

    Attributes:
        fraction: by which the volume changes: 0.2 is a fifth more, -0.2 a fifth less.
        random_state: seed.

    Raises:
        SettingsError: the fraction is -1 or less, or not finite.
        ImageError: on call, where the mask is empty, nothing would be left, or the image is too small for the growth.
    """

    fraction: float
    random_state: int = 0

    def __post_init__(self) -> None:
        if not (np.isfinite(self.fraction) and self.fraction > -1):
            message = f"ChangeVolume needs a fraction above -1, got {self.fraction}: -0.2 takes a fifth away."
            raise SettingsError(message)

    def __call__(self, image: Volume, mask: Mask) -> tuple[Volume, Mask]:
        """Return the image as it came and the changed mask."""
        _not_empty(mask)
        target = round(mask.n_voxels * (1 + self.fraction))
        if not 0 < target <= mask.voxels.size:
            message = (
                f"A mask of {mask.n_voxels} voxels cannot change by {self.fraction:g} in an image of "
                f"{mask.voxels.size}: take a smaller fraction, or crop the image later."
            )
            raise ImageError(message)
        return image, _innermost(mask, _signed_distance(mask), target, self.random_state)


@dataclass(frozen=True, kw_only=True)
class AddNoise:
    """Add Gaussian noise to the image, as much as it has already; it becomes floating and the mask stays as it is.

    Attributes:
        sd: standard deviation in the unit of the image; None estimates it by `noise_level`, as the paper does.
        random_state: seed.

    Raises:
        SettingsError: the standard deviation is not positive.
        ImageError: on call, where the estimate is 0.
    """

    sd: float | None = None
    random_state: int = 0

    def __post_init__(self) -> None:
        if self.sd is not None and not (np.isfinite(self.sd) and self.sd > 0):
            message = f"AddNoise needs a positive sd, got {self.sd}: None estimates it from the image."
            raise SettingsError(message)

    def __call__(self, image: Volume, mask: Mask) -> tuple[Volume, Mask]:
        """Return the noisier image and the mask as it came."""
        sd = noise_level(image) if self.sd is None else self.sd
        if sd == 0:
            message = (
                "The noise of the image is estimated as 0, since most of it is constant: crop it to the patient, "
                "or write AddNoise(sd=...) (in a study file: perturbations: {noise: false})."
            )
            raise ImageError(message)
        voxels = _floating(image)
        noise = np.random.default_rng(self.random_state).standard_normal(voxels.shape)
        return image.with_voxels(voxels + (sd * noise).astype(voxels.dtype)), mask


@dataclass(frozen=True, kw_only=True)
class RandomiseContour:
    """Draw the contour anew along supervoxels of the image, which stays as it is.

    Supervoxels that the mask covers to 90% or more belong to the new mask, those below 20% do not, the others with
    their covered share as probability; the one covered most always does. Small gaps are closed. The supervoxels are
    those of ITK's SLIC (Achanta 2012), on the mask's box widened by 25 mm, as the authors' software MIRP has it.

    Attributes:
        supervoxel_mm3: volume of a supervoxel, at least 20 voxels; MIRP has 500.
        random_state: seed.

    Raises:
        SettingsError: the volume is not positive.
        ImageError: on call, where the mask is empty or lies outside the image.
    """

    supervoxel_mm3: float = 500.0
    random_state: int = 0

    def __post_init__(self) -> None:
        if not (np.isfinite(self.supervoxel_mm3) and self.supervoxel_mm3 > 0):
            message = f"RandomiseContour needs a positive supervoxel_mm3, got {self.supervoxel_mm3}: MIRP has 500."
            raise SettingsError(message)

    def __call__(self, image: Volume, mask: Mask) -> tuple[Volume, Mask]:
        """Return the image as it came and the redrawn mask."""
        mask = _not_empty(correct_mask(mask, image))
        labels, box = supervoxels(image, mask, self.supervoxel_mm3)
        inside = mask.voxels[box]
        covered = np.bincount(labels.ravel(), weights=inside.ravel()) / np.maximum(np.bincount(labels.ravel()), 1)
        chance = np.where(covered >= 0.9, 1.0, np.where(covered < 0.2, 0.0, covered))
        chance[covered.argmax()] = 1.0
        drawn = np.random.default_rng(self.random_state).random(chance.size) < chance
        voxels = np.zeros(mask.shape, dtype=bool)
        voxels[box] = drawn[labels]
        return image, replace(mask, voxels=voxels | ndimage.binary_closing(voxels))


def _not_empty(mask: Mask) -> Mask:
    mask.bounding_box()
    return mask


def _floating(image: Volume) -> Voxels:
    return image.voxels.astype(np.result_type(image.voxels.dtype, np.float32))


def _signed_distance(mask: Mask) -> NDArray[np.float64]:
    """Distance in mm to the nearest voxel on the other side, positive inside; beyond the image is outside."""
    padded = np.pad(mask.voxels, 1)
    inner = ndimage.distance_transform_edt(padded, sampling=mask.spacing_mm)
    outer = ndimage.distance_transform_edt(~padded, sampling=mask.spacing_mm)
    distance: NDArray[np.float64] = (inner - outer)[1:-1, 1:-1, 1:-1]
    return distance


def _smooth_distance(mask: Mask) -> NDArray[np.float64]:
    """Signed distance that knows parts of a voxel, which the drawn one does not; its sign is that of the mask."""
    spacing = np.array(mask.spacing_mm)
    smooth = ndimage.gaussian_filter(_signed_distance(mask), spacing.min() / spacing)
    return np.asarray(np.where(mask.voxels, np.maximum(smooth, _AT_THE_EDGE), np.minimum(smooth, -_AT_THE_EDGE)))


def _moved(image: Volume, mask: Mask, to_input: Affine) -> tuple[Volume, Mask]:
    """Image and mask where the output voxel at ``index`` shows the input at ``matrix @ index + offset``."""
    matrix, offset = to_input
    pixels = _floating(image)
    voxels = ndimage.affine_transform(pixels, matrix, offset, order=3, mode="nearest")
    distance = ndimage.affine_transform(_smooth_distance(mask), matrix, offset, order=1, mode="nearest")
    return image.with_voxels(voxels), _innermost(mask, distance, mask.n_voxels)


def _innermost(mask: Mask, distance: NDArray[np.float64], n_voxels: int, random_state: int = 0) -> Mask:
    """The mask of the ``n_voxels`` with the highest signed distance; those equally far are drawn at random."""
    ties = np.random.default_rng(random_state).random(distance.size)
    order = np.lexsort((ties, -np.round(distance.ravel(), 6)))
    voxels = np.zeros(distance.size, dtype=bool)
    voxels[order[:n_voxels]] = True
    return replace(mask, voxels=voxels.reshape(mask.shape))
