"""Is a mask fit for extraction, does it lie inside its image, and how to bring it onto the image's grid."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from glottis._errors import ImageError
from glottis.data.volume import Mask, Volume

_EDGE_TOLERANCE = 1e-3
"""A mask may stick out of its image by this part of a voxel."""


def correct_mask(mask: Mask, image: Volume) -> Mask:
    """Bring ``mask`` onto the grid of ``image`` by nearest neighbour.

    Raises:
        ImageError: the mask is empty or reaches outside the image.
    """
    if not mask.grid_difference(image, tolerance=0.0):
        return mask
    check_inside(mask, image)
    import SimpleITK as sitk

    resampler = sitk.ResampleImageFilter()
    resampler.SetReferenceImage(image.to_sitk())
    resampler.SetInterpolator(sitk.sitkNearestNeighbor)
    return Mask.from_sitk(resampler.Execute(mask.to_sitk()))


def check_inside(mask: Mask, image: Volume) -> None:
    """Refuse a mask whose bounding box reaches outside the image, where there is nothing to measure.

    Raises:
        ImageError: names by how many voxels the mask sticks out.
    """
    box = mask.bounding_box()
    corners = np.array([[part.start - 0.5 for part in box], [part.stop - 0.5 for part in box]])
    inside = to_index(image, to_patient(mask, corners))
    low = inside.min(axis=0) + 0.5
    high = np.array(image.shape) - 0.5 - inside.max(axis=0)
    worst = float(-min(low.min(), high.min()))
    if worst > _EDGE_TOLERANCE:
        message = (
            f"The mask reaches {worst:.3g} voxels outside its image ({mask.grid_difference(image)}): "
            f"check that image and mask belong to the same series."
        )
        raise ImageError(message)


def check_mask(mask: Mask, *, minimum_voxels: int = 1, minimum_dimensions: int = 2) -> None:
    """Refuse a mask that is too small to measure.

    Args:
        mask: the mask as it goes into extraction, after resampling.
        minimum_voxels: smallest number of voxels that is accepted.
        minimum_dimensions: along how many axes the mask must be longer than one voxel: 1 a line, 2 a surface, 3 a
            volume. A single voxel is always refused.

    Raises:
        ImageError: the mask is empty, one voxel, flat or too small.
    """
    size = [part.stop - part.start for part in mask.bounding_box()]
    dimensions = sum(length > 1 for length in size)
    extent = " x ".join(str(length) for length in size[::-1])
    if dimensions == 0:
        message = "The mask holds a single voxel: redraw it, or check its label; features need more than one voxel."
        raise ImageError(message)
    if dimensions < minimum_dimensions:
        message = (
            f"The mask spans {extent} voxels (x, y, z), so it has {dimensions} dimensions where {minimum_dimensions} "
            f"are asked for: redraw it or lower the minimum number of dimensions."
        )
        raise ImageError(message)
    if mask.n_voxels < minimum_voxels:
        message = (
            f"The mask holds {mask.n_voxels} voxels, fewer than the minimum of {minimum_voxels}: redraw it or lower "
            f"the minimum size."
        )
        raise ImageError(message)


def to_patient(image: Volume, index_zyx: NDArray[Any]) -> NDArray[np.float64]:
    """Patient positions ``(x, y, z)`` in mm of continuous voxel indices ``(n, 3)`` in ``(z, y, x)``."""
    steps = np.asarray(index_zyx, dtype=float)[:, ::-1] * np.array(image.spacing_mm[::-1])
    placed: NDArray[np.float64] = np.asarray(image.origin_mm) + steps @ np.asarray(image.direction).reshape(3, 3).T
    return placed


def to_index(image: Volume, position_xyz: NDArray[Any]) -> NDArray[np.float64]:
    """Continuous voxel indices ``(n, 3)`` in ``(z, y, x)`` of patient positions ``(x, y, z)`` in mm."""
    steps = (position_xyz - np.asarray(image.origin_mm)) @ np.linalg.inv(np.asarray(image.direction).reshape(3, 3)).T
    index: NDArray[np.float64] = (steps / np.array(image.spacing_mm[::-1]))[:, ::-1]
    return index
