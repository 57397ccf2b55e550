"""Local binary patterns in three dimensions by spherical harmonics, with the values of PyRadiomics 3.0.1.

Banerjee, Moelker, Niessen, van Walsum, "3D LBP-based rotationally invariant region description", ACCV 2012 Workshops,
LNCS 7728 (2013): 26-37. Two facts of PyRadiomics' version are kept: the vertex coordinates x, y, z are added to the
voxel indices z, y, x, and the polar and azimuthal angles of the harmonics are exchanged.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from glottis._errors import SettingsError
from glottis.data.volume import Box, Triple, Volume
from glottis.features.filters import WHOLE_IMAGE, placed

_CHUNK = 200_000
"""Sphere points that are worked on at once, so that memory stays flat."""


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
        from scipy.ndimage import spline_filter

        points, harmonics, degrees = _sphere(self.levels, self.radius, self.subdivision)
        wanted = box or tuple(slice(0, size) for size in image.shape)
        shape = tuple(part.stop - part.start for part in wanted)
        places = np.indices(shape).reshape(3, -1).T + [part.start for part in wanted]
        coefficients = spline_filter(image.voxels, order=3, output=np.float64)
        found = np.empty((self.levels + 1, len(places)))
        step = max(1, _CHUNK // len(points))
        for first in range(0, len(places), step):
            part = places[first : first + step]
            samples = _on_spheres(coefficients, part, points, image.voxels.dtype)
            bright = samples >= image.voxels[tuple(part.T)][:, None]
            found[:-1, first : first + step] = _norms(bright, harmonics, degrees)
            found[-1, first : first + step] = _kurtosis(samples)
        names = [f"lbp-3D-m{level + 1}" for level in range(self.levels)] + ["lbp-3D-k"]
        for name, values in zip(names, found, strict=True):
            yield name, placed(image, values.reshape(shape), box)

    def skipped(self, image: Volume) -> tuple[str, ...]:
        """Nothing is ever left out."""
        return ()


def _on_spheres(
    coefficients: NDArray[np.float64], places: NDArray[Any], points: NDArray[np.float64], dtype: Any
) -> NDArray[Any]:
    """Intensities ``(places, points)`` by cubic spline, integers rounded."""
    from scipy.ndimage import map_coordinates

    where = (places[None] + points[:, None]).T
    values: NDArray[Any] = map_coordinates(coefficients, where, output=dtype, order=3, prefilter=False)
    return values


def _norms(
    bright: NDArray[np.bool_], harmonics: NDArray[np.complex128], degrees: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Real part of the norm of the pattern's part of every degree ``(levels, places)``."""
    weights = np.zeros((len(bright), len(degrees)), dtype=np.complex128)
    for point, values in zip(bright.T, harmonics, strict=True):
        weights += point[:, None] * values
    norms = np.empty((int(degrees[-1]) + 1, len(bright)))
    for degree in range(len(norms)):
        part = degrees == degree
        squares = np.zeros(len(bright), dtype=np.complex128)
        for values in harmonics[:, part]:
            squares += (weights[:, part] * values).sum(axis=1) ** 2
        norms[degree] = np.sqrt(squares).real
    return norms


def _kurtosis(samples: NDArray[Any]) -> NDArray[Any]:
    """Excess kurtosis of every row, not a number where the row is constant."""
    mean = samples.mean(axis=1, keepdims=True)
    squares = (samples - mean) ** 2
    second, fourth = squares.mean(axis=1), (squares**2).mean(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        flat = second <= (np.finfo(second.dtype).resolution * mean[:, 0]) ** 2
        values: NDArray[Any] = np.where(flat, np.nan, fourth / second**2) - 3
    return values


@lru_cache(maxsize=4)
def _sphere(
    levels: int, radius: float, subdivision: int
) -> tuple[NDArray[np.float64], NDArray[np.complex128], NDArray[np.int64]]:
    """Points ``(points, 3)``, harmonics ``(points, terms)`` there, and the degree of every term."""
    points = icosphere(subdivision, radius)
    angle = np.arccos(np.clip(points[:, 2] / radius, -1, 1))
    other = np.arctan2(points[:, 1], points[:, 0])
    terms = [(degree, order) for degree in range(levels) for order in range(-degree, degree + 1)]
    harmonics = np.stack([_harmonic(degree, order, angle, other) for degree, order in terms], axis=1)
    return points, harmonics, np.array([degree for degree, _ in terms])


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
