"""Shape features: size and form of the mask in three dimensions, from its surface mesh and its voxels (IBSI HCUG)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glottis.data.volume import Mask, Triple
from glottis.features._mesh import area_and_volume, largest_distance, vertices

NEGLIGIBLE_EIGENVALUE = 1e-10
"""An eigenvalue of the covariance (mm^2) this little below zero is rounding and taken as zero."""
NEGLIGIBLE_VOLUME = 1e-9
"""In voxels; mesh volumes are multiples of a 48th, less is rounding. Strings of voxels along edges can make it zero."""


def features(mask: Mask) -> dict[str, float]:
    """All shape features, the three deprecated ones among them.

    Args:
        mask: at least one voxel. One plane or line of voxels is allowed: its thin axes have length zero.

    Returns:
        by PyRadiomics name; lengths in mm, areas in mm^2, volumes in mm^3. Elongation and Flatness of a single voxel
        are NaN, and so are ratios to a volume of zero: the mesh round a string of voxels along edges can be open.

    Raises:
        ImageError: the mask is empty.
    """
    inside = mask.voxels[mask.bounding_box()]
    area, volume = area_and_volume(inside, mask.spacing_mm)
    voxel_volume = math.prod(mask.spacing_mm[::-1])
    if abs(volume) < NEGLIGIBLE_VOLUME * voxel_volume:
        volume = 0.0
    ball_area = (36 * math.pi * volume**2) ** (1 / 3)
    found = {
        "Compactness1": volume / (area**1.5 * math.sqrt(math.pi)),
        "Compactness2": 36 * math.pi * volume**2 / area**3,
        "MeshVolume": volume,
        "SphericalDisproportion": area / ball_area if volume else math.nan,
        "Sphericity": ball_area / area,
        "SurfaceArea": area,
        "SurfaceVolumeRatio": area / volume if volume else math.nan,
        "VoxelVolume": mask.n_voxels * voxel_volume,
        **_axes(inside, mask.spacing_mm),
        **_diameters(inside, mask.spacing_mm),
    }
    return {name: found[name] for name in sorted(found)}


def _axes(inside: NDArray[np.bool_], spacing_mm: Triple) -> dict[str, float]:
    """Axes of the ellipsoid with the mask's covariance of voxel centres."""
    least, minor, major = ellipse_axes(inside, np.array(spacing_mm))
    return {
        "Elongation": minor / major if major > 0 else math.nan,
        "Flatness": least / major if major > 0 else math.nan,
        "LeastAxisLength": least,
        "MajorAxisLength": major,
        "MinorAxisLength": minor,
    }


def ellipse_axes(inside: NDArray[np.bool_], spacing_mm: NDArray[Any]) -> tuple[float, ...]:
    """Lengths (mm) of the axes of the ellipse or ellipsoid with the covariance of voxel centres, ascending.

    Args:
        inside: the mask, two- or three-dimensional.
        spacing_mm: voxel size along the same axes.
    """
    n, sums, products = _moments(inside)
    scale = spacing_mm / n  # sums of integers are exact: nothing cancels, and a plane stays a plane
    covariance = (n * products - np.outer(sums, sums)) * np.outer(scale, scale)
    values = np.linalg.eigvalsh(covariance)
    values[(values < 0) & (values > -NEGLIGIBLE_EIGENVALUE)] = 0
    return tuple(4 * float(value) for value in np.sqrt(values))


def _moments(inside: NDArray[np.bool_]) -> tuple[int, NDArray[np.float64], NDArray[np.float64]]:
    """Number of voxels, sums ``(D,)`` of their indices and sums ``(D, D)`` of the products of two indices."""
    axes = range(inside.ndim)
    index = [np.arange(size, dtype=np.float64) for size in inside.shape]
    products = np.empty((inside.ndim, inside.ndim))
    sums = np.empty(inside.ndim)
    for a in axes:
        for b in axes[a + 1 :]:
            counts = inside.sum(axis=tuple(c for c in axes if c not in (a, b)), dtype=np.int32)
            products[a, b] = products[b, a] = index[a] @ counts @ index[b]
        along = inside.sum(axis=tuple(c for c in axes if c != a), dtype=np.int64)
        sums[a], products[a, a] = along @ index[a], along @ index[a] ** 2
    return int(along.sum()), sums, products


def _diameters(inside: NDArray[np.bool_], spacing_mm: Triple) -> dict[str, float]:
    """Largest distances between mesh vertices: in space, and in planes of constant z, y and x."""
    half = np.array(spacing_mm) / 2
    rows, columns = vertices(inside, along=2), vertices(inside, along=1)

    def largest(found: NDArray[Any], groups: NDArray[Any]) -> float:
        return largest_distance(found * half, groups)

    return {
        "Maximum2DDiameterColumn": largest(rows, rows[:, 1]),
        "Maximum2DDiameterRow": largest(columns, columns[:, 2]),
        "Maximum2DDiameterSlice": largest(rows, rows[:, 0]),
        "Maximum3DDiameter": largest(rows, np.zeros(len(rows), dtype=np.int64)),
    }
