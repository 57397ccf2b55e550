"""Local binary patterns in three dimensions by spherical harmonics, with the values of PyRadiomics 3.0.1.

Banerjee, Moelker, Niessen, van Walsum, "3D LBP-based rotationally invariant region description", ACCV 2012 Workshops,
LNCS 7728 (2013): 26-37. Two facts of PyRadiomics' version are kept: the vertex coordinates x, y, z are added to the
voxel indices z, y, x, and the polar and azimuthal angles of the harmonics are exchanged.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from glottis._errors import SettingsError
from glottis.data.volume import Box, Triple, Volume
from glottis.features._spheres import measure
from glottis.features.filters import WHOLE_IMAGE, placed


@dataclass(frozen=True, kw_only=True)
class LBP3D:
    """Which points of a sphere round each voxel are at least as bright as it, summed up without its orientation.

    Yields ``lbp-3D-m1`` ... ``lbp-3D-m<levels>``, the norm of the pattern's harmonics of each degree from 0, and
    ``lbp-3D-k``, the excess kurtosis of the intensities on the sphere (not a number where they are all equal). Points
    are interpolated by a cubic spline in voxels, not mm, in the pixel type of the image; outside it they are 0. The
    patterns have few values: give them a bin width below 1.

    Attributes:
        levels: number of degrees of the harmonics.
        radius: of the sphere, in voxels.
        subdivision: how often the 20 faces of the icosahedron are cut in four: 0, 1, 2 give 12, 42, 162 points.

    Raises:
        SettingsError: a value is out of range.
    """

    wraps_round: ClassVar[bool] = False
    levels: int = 2
    radius: float = 1.0
    subdivision: int = 1

    def __post_init__(self) -> None:
        if self.levels < 1 or self.radius <= 0 or not 0 <= self.subdivision <= 6:
            message = (
                f"LBP3D needs levels >= 1, a positive radius and a subdivision from 0 to 6, got {self.levels}, "
                f"{self.radius:g} and {self.subdivision}: levels=2, radius=1, subdivision=1 are usual."
            )
            raise SettingsError(message)

    def reach_voxels(self, spacing_mm: Triple) -> int:
        """The whole image: the spline's prefilter runs along whole axes, and rounding decides equal intensities."""
        return WHOLE_IMAGE

    def __call__(self, image: Volume, *, box: Box | None = None) -> Iterator[tuple[str, Volume]]:
        """Yield one image a level and the kurtosis; only ``box`` is computed."""
        points, harmonics = _sphere(self.levels, self.radius, self.subdivision)
        z, y, x = (slice(*at.indices(n)) for at, n in zip(box or (slice(None),) * 3, image.shape, strict=True))
        squares, kurtosis = measure(image.voxels, (z, y, x), points, harmonics)
        for level, values in enumerate(np.sqrt(squares).real):
            yield f"lbp-3D-m{level + 1}", placed(image, values, box)
        yield "lbp-3D-k", placed(image, kurtosis, box)

    def skipped(self, image: Volume) -> tuple[str, ...]:
        """Nothing is ever left out."""
        return ()


@lru_cache(maxsize=4)
def _sphere(levels: int, radius: float, subdivision: int) -> tuple[NDArray[np.float64], NDArray[np.complex128]]:
    """Points ``(points, 3)`` and the harmonics ``(points, levels^2)`` there, degree by degree."""
    points = icosphere(subdivision, radius)
    angle = np.arccos(np.clip(points[:, 2] / radius, -1, 1))
    other = np.arctan2(points[:, 1], points[:, 0])
    terms = [(degree, order) for degree in range(levels) for order in range(-degree, degree + 1)]
    harmonics = np.stack([_harmonic(degree, order, angle, other) for degree, order in terms], axis=1)
    return points, harmonics


def _harmonic(
    degree: int, order: int, azimuth: NDArray[np.float64], polar: NDArray[np.float64]
) -> NDArray[np.complex128]:
    """Spherical harmonic with the Condon-Shortley phase; ``polar`` may be negative and counts by its cosine."""
    from scipy.special import lpmv, poch

    size = abs(order)
    legendre = lpmv(size, degree, np.cos(polar))
    if order < 0:
        legendre = legendre * ((-1) ** size * poch(degree + size + 1, -2 * size))
    scale = np.sqrt((2 * degree + 1) / 4.0 / np.pi)
    values: NDArray[np.complex128] = (
        legendre * scale * np.sqrt(poch(degree + order + 1, -2 * order)) * np.exp(1j * order * azimuth)
    )
    return values


def icosphere(subdivision: int, radius: float) -> NDArray[np.float64]:
    """Points ``(10 * 4**subdivision + 2, 3)`` of an icosahedron whose edges were halved and pushed onto the sphere.

    Their order is that of trimesh, which PyRadiomics calls.
    """
    from scipy.spatial import cKDTree

    a, b = 0.5257311121191336, 0.85065080835204  # 1 and the golden ratio, over the length of both together
    corners = ((-a, b), (a, b), (-a, -b), (a, -b))
    last = ((b, -a), (b, a), (-b, -a), (-b, a))
    points = np.array(
        [(u, v, 0.0) for u, v in corners] + [(0.0, u, v) for u, v in corners] + [(u, 0.0, v) for u, v in last]
    )
    for _ in range(max(subdivision, 1)):
        if subdivision:
            shortest = cKDTree(points).query(points, k=2)[0][:, 1].min()
            edges = cKDTree(points).query_pairs(1.4 * shortest, output_type="ndarray")
            edges = edges[np.lexsort((edges[:, 0], edges[:, 1]))]
            points = np.vstack([points, points[edges].mean(axis=1)])
        lengths = np.sqrt(np.dot(points**2, [1, 1, 1]))
        points = points + points / lengths[:, None] * (radius - lengths)[:, None]
    return points
