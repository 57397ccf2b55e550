"""Bring image and mask to one voxel size, cropped round the mask, on the grid that PyRadiomics 3.0.1 uses."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from glottis._errors import SettingsError
from glottis.data.volume import Box, Mask, Volume
from glottis.preprocessing._separable import bspline, inside, nearest, positions
from glottis.preprocessing.mask import check_inside, correct_mask, to_index, to_patient

INTERPOLATORS = {
    "nearest": "sitkNearestNeighbor",
    "linear": "sitkLinear",
    "bspline": "sitkBSpline",
    "bspline1": "sitkBSpline1",
    "bspline2": "sitkBSpline2",
    "bspline4": "sitkBSpline4",
    "bspline5": "sitkBSpline5",
    "bspline_resampler": "sitkBSplineResampler",
    "bspline_resampler1": "sitkBSplineResamplerOrder1",
    "bspline_resampler2": "sitkBSplineResamplerOrder2",
    "bspline_resampler4": "sitkBSplineResamplerOrder4",
    "bspline_resampler5": "sitkBSplineResamplerOrder5",
    "gaussian": "sitkGaussian",
    "label_gaussian": "sitkLabelGaussian",
    "hamming_sinc": "sitkHammingWindowedSinc",
    "cosine_sinc": "sitkCosineWindowedSinc",
    "welch_sinc": "sitkWelchWindowedSinc",
    "lanczos_sinc": "sitkLanczosWindowedSinc",
    "blackman_sinc": "sitkBlackmanWindowedSinc",
}
"""Interpolators by our name, with the name that SimpleITK and PyRadiomics give them."""
_GUARD = 24
"""Voxels of the input kept round the new grid: the B-spline prefilter has died out after 24 (8 is not enough).

The other interpolators look at the whole input: a crop moves the origin by a rounding error, and that decides ties.
"""
_SEPARABLE = {"bspline": bspline, "nearest": nearest}


@dataclass(frozen=True, kw_only=True)
class Resample:
    """Interpolate image and mask to a voxel size and crop both round the mask.

    The grid starts at the corner of the mask's grid and holds the mask's bounding box widened by ``pad_voxels`` new
    voxels, clipped to the mask's grid. The image keeps its pixel type; integers are truncated toward zero. An axis
    along which the mask is one voxel thick keeps its spacing. Where the image has the target spacing already, nothing
    is interpolated, but it is cropped all the same.

    Attributes:
        spacing_mm: target voxel size ``(x, y, z)`` in mm, as users and PyRadiomics write it; 0 keeps that axis.
        interpolator: of the image, one of ``INTERPOLATORS``; ``"bspline"`` is of third order.
        mask_interpolator: ``"nearest"``, or ``"linear"`` followed by a threshold.
        mask_threshold: a linearly interpolated mask voxel belongs to the mask at or above this (IBSI: 0.5).
        pad_voxels: margin round the mask; the edge of the crop is what the filters see as the edge of the image.

    Raises:
        SettingsError: a value is out of range.
        ImageError: on call, where the mask is empty or reaches outside the image.
    """

    spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0)
    interpolator: str = "bspline"
    mask_interpolator: Literal["nearest", "linear"] = "nearest"
    mask_threshold: float = 0.5
    pad_voxels: int = 5

    def __post_init__(self) -> None:
        spacing = tuple(float(step) for step in self.spacing_mm)
        if len(spacing) != 3 or min(spacing) < 0:
            message = f"spacing_mm must be three numbers >= 0 (x, y, z), got {self.spacing_mm}: 0 keeps an axis."
            raise SettingsError(message)
        object.__setattr__(self, "spacing_mm", spacing)
        for name, value, known in (
            ("interpolator", self.interpolator, tuple(INTERPOLATORS)),
            ("mask_interpolator", self.mask_interpolator, ("nearest", "linear")),
        ):
            if value not in known:
                message = f"{name} '{value}' is unknown: use one of {', '.join(known)}."
                raise SettingsError(message)
        if self.pad_voxels < 0 or not 0 < self.mask_threshold <= 1:
            message = (
                f"pad_voxels must be >= 0 and mask_threshold in (0, 1], got {self.pad_voxels} and "
                f"{self.mask_threshold}: the usual values are 5 and 0.5."
            )
            raise SettingsError(message)

    def __call__(self, image: Volume, mask: Mask) -> tuple[Volume, Mask]:
        """Return the resampled crop of image and mask; their grids are equal."""
        check_inside(mask, image)
        spacing = self._spacing(mask)
        if np.allclose(image.spacing_mm, spacing):
            mask = correct_mask(mask, image)
            box = mask.bounding_box(pad=self.pad_voxels)
            return image.crop(box), mask.crop(box)
        grid = _new_grid(mask, spacing, self.pad_voxels)
        voxels = interpolate(image, grid, self.interpolator)
        return grid.with_voxels(voxels), self._mask_on(grid, mask)

    def _spacing(self, mask: Mask) -> NDArray[np.float64]:
        wanted = np.array(self.spacing_mm[::-1])
        one_slice = np.array([part.stop - part.start == 1 for part in mask.bounding_box()])
        return np.where((wanted == 0) | one_slice, mask.spacing_mm, wanted)

    def _mask_on(self, grid: Volume, mask: Mask) -> Mask:
        if self.mask_interpolator == "nearest":
            voxels = interpolate(mask, grid, "nearest") != 0
        else:
            voxels = interpolate(_as_float(mask), grid, "linear") >= self.mask_threshold
        return Mask(voxels=voxels, spacing_mm=grid.spacing_mm, origin_mm=grid.origin_mm, direction=grid.direction)


def _as_float(mask: Mask) -> Volume:
    return Volume(
        voxels=mask.voxels.astype(np.float64),
        spacing_mm=mask.spacing_mm,
        origin_mm=mask.origin_mm,
        direction=mask.direction,
    )


def _new_grid(mask: Mask, spacing: NDArray[np.float64], pad: int) -> Volume:
    """The grid round the mask with the new spacing; its voxels are zeros that take no memory."""
    old = np.array(mask.spacing_mm)
    box = mask.bounding_box()
    ratio = old / spacing
    low = np.floor((np.array([part.start for part in box]) - 0.5) * ratio - pad)
    high = np.ceil((np.array([part.stop for part in box]) - 0.5) * ratio + pad)
    low = np.maximum(low, 0)
    high = np.minimum(high, np.ceil(np.array(mask.shape) * ratio) - 1)
    corner = 0.5 * (spacing - old) / old + low / ratio
    x, y, z = to_patient(mask, corner[None])[0]
    depth, rows, columns = (int(size) for size in high - low + 1)
    sz, sy, sx = (float(step) for step in spacing)
    return Volume(
        voxels=np.broadcast_to(np.uint8(0), (depth, rows, columns)),
        spacing_mm=(sz, sy, sx),
        origin_mm=(float(x), float(y), float(z)),
        direction=mask.direction,
    )


def interpolate(image: Volume, grid: Volume, interpolator: str, *, edge: bool = False) -> NDArray[Any]:
    """Values of ``image`` on ``grid``: axis by axis where that is exact, by SimpleITK elsewhere.

    Args:
        image: the image.
        grid: any grid; its voxels are not read.
        interpolator: one of ``INTERPOLATORS``.
        edge: what lies outside the image takes the value of its edge; otherwise it is 0.
    """
    source = image.crop(_needed(image, grid)) if interpolator == "bspline" else image
    where = positions(source, grid)
    if where is not None and interpolator in _SEPARABLE and inside(where, source.shape):
        voxels = _SEPARABLE[interpolator](source.voxels, where)
        if voxels is not None:
            return voxels
    return _by_sitk(source, grid, interpolator, edge=edge)


def _by_sitk(source: Volume, grid: Volume, interpolator: str, *, edge: bool) -> NDArray[Any]:
    import SimpleITK as sitk

    resampler = sitk.ResampleImageFilter()
    resampler.SetOutputSpacing(grid.spacing_mm[::-1])
    resampler.SetOutputDirection(grid.direction)
    resampler.SetOutputOrigin(grid.origin_mm)
    resampler.SetSize(grid.shape[::-1])
    resampler.SetInterpolator(getattr(sitk, INTERPOLATORS[interpolator]))
    resampler.SetUseNearestNeighborExtrapolator(edge)
    resampler.SetNumberOfWorkUnits(1)
    voxels: NDArray[Any] = sitk.GetArrayFromImage(resampler.Execute(source.to_sitk()))
    return voxels


def _needed(image: Volume, grid: Volume) -> Box:
    """The part of ``image`` that interpolation on ``grid`` looks at; never empty."""
    corners = np.array(list(product(*((0, size - 1) for size in grid.shape))))
    index = to_index(image, to_patient(grid, corners))
    first = np.clip(np.floor(index.min(axis=0)).astype(int) - _GUARD, 0, np.array(image.shape) - 1)
    last = np.clip(np.ceil(index.max(axis=0)).astype(int) + _GUARD, 0, np.array(image.shape) - 1)
    z, y, x = (slice(int(a), int(b) + 1) for a, b in zip(first, last, strict=True))
    return z, y, x
