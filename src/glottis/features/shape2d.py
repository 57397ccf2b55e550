"""Shape features of a single slice, from its contour and its pixels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glottis._errors import ImageError
from glottis.data.volume import Mask
from glottis.features._mesh import largest_distance
from glottis.features.shape import ellipse_axes

_AREA = np.array([0, 1, 1, 4, 1, 4, 2, 7, 1, 2, 4, 7, 4, 7, 7, 8]) / 8
"""Part inside the contour of a square of four pixel centres, by which of them lie inside (bits: own, next in x, next in
y, both). The contour cuts each corner at half a pixel, so pixels that touch at a corner only stay apart."""
_CORNERS = np.array([0, 1, 1, 0, 1, 0, 2, 1, 1, 2, 0, 1, 0, 1, 1, 0])
"""Corners that the contour cuts in such a square."""
_ALONG_X = (3, 12)
_ALONG_Y = (5, 10)


def features(mask: Mask, flat_axis: int) -> dict[str, float]:
    """All two-dimensional shape features, the deprecated SphericalDisproportion among them.

    Args:
        mask: one slice thick along ``flat_axis``.
        flat_axis: 0 z, 1 y, 2 x.

    Returns:
        by PyRadiomics name; lengths in mm, areas in mm^2. Elongation of a single pixel is NaN.

    Raises:
        ImageError: the mask is empty, or thicker than one slice along ``flat_axis``.
    """
    box = mask.bounding_box()
    thickness = box[flat_axis].stop - box[flat_axis].start
    if thickness > 1:
        message = (
            f"Two-dimensional shape needs a mask of one slice, this one spans {thickness} slices along "
            f"{'zyx'[flat_axis]}: use the class 'shape', or set force2Ddimension to the axis that is one slice thick."
        )
        raise ImageError(message)
    inside = np.squeeze(mask.voxels[box], axis=flat_axis)
    spacing = np.delete(np.array(mask.spacing_mm), flat_axis)
    perimeter, area = _contour(inside, spacing)
    minor, major = ellipse_axes(inside, spacing)
    circumference = 2 * math.sqrt(math.pi * area)
    return {
        "Elongation": minor / major if major > 0 else math.nan,
        "MajorAxisLength": major,
        "MaximumDiameter": _diameter(inside, spacing),
        "MeshSurface": area,
        "MinorAxisLength": minor,
        "Perimeter": perimeter,
        "PerimeterSurfaceRatio": perimeter / area,
        "PixelSurface": float(np.count_nonzero(inside) * spacing.prod()),
        "SphericalDisproportion": perimeter / circumference,
        "Sphericity": circumference / perimeter,
    }


def _contour(inside: NDArray[np.bool_], spacing: NDArray[Any]) -> tuple[float, float]:
    """Length (mm) and enclosed area (mm^2) of the contour halfway between pixels inside and outside."""
    padded = np.pad(inside, 1).astype(np.int64)
    patterns = padded[:-1, :-1] + 2 * padded[:-1, 1:] + 4 * padded[1:, :-1] + 8 * padded[1:, 1:]
    found = np.bincount(patterns.ravel(), minlength=16)
    dy, dx = (float(step) for step in spacing)
    straight = found[list(_ALONG_X)].sum() * dx + found[list(_ALONG_Y)].sum() * dy
    return float(straight + found @ _CORNERS * math.hypot(dy, dx) / 2), float(found @ _AREA * dy * dx)


def _diameter(inside: NDArray[np.bool_], spacing: NDArray[Any]) -> float:
    """Largest distance between two corners of the contour."""
    padded = np.pad(inside, 1)
    corners = [np.argwhere(np.diff(padded, axis=axis)) + 0.5 * (np.arange(2) == axis) for axis in (0, 1)]
    points = np.zeros((sum(map(len, corners)), 3))
    points[:, 1:] = np.concatenate(corners) * spacing
    return largest_distance(points, np.zeros(len(points), dtype=np.int64))
