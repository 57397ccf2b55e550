"""Surface mesh of a mask halfway between voxels inside and outside, as marching cubes draws it (Lorensen 1987).

Every cube of eight neighbouring voxel centres holds up to five triangles between midpoints of its edges. Which ones
depends only on the eight voxels, so area and volume follow from how often each of the 256 patterns occurs and where.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[Any]

CORNERS = np.array(list(np.ndindex(2, 2, 2)))
"""Corner ``b`` of a cube, ``(z, y, x)``; its bit in a pattern is ``1 << b``."""
EDGES = [(a, b) for a in range(8) for b in range(a + 1, 8) if (a ^ b).bit_count() == 1]
MIDPOINTS = np.array([(CORNERS[a] + CORNERS[b]) / 2 for a, b in EDGES])
MIRROR_BIT = 1 << 6
"""A pattern with this corner inside is drawn as its complement, seen from the other side."""
_TRIANGLES = """
- 102 403 132342 651 506026 651403 536346426 735 735210 745405 152572742 671731 307027267 674641401 672742 289
109089 403289 139349489 651289 508586896 651403289 536346486896 735289 735890910 745405289 159574549489
671731289 307089097967 674641401289 674649489 a84 102a84 a83803 13a1a2a82 651a84 506026a84 651a83803
5363a8386826 735a84 735210a84 7a5a85805 1525727a2a82 671731a84 307027267a84 6717a1a81801 a87827267 2494a9
10a04a1a9 a93923203 1393a9 6512494a9 5060464a6a96 651a93923203 5363a9396 7352494a9 7354a0a91a10 7a5a92a25205
15a57a1a9 6717312494a9 30704a0a9096067 6707a0a90920601 6797a9 ba7 102ba7 403ba7 132342ba7 651ba7 506026ba7
651403ba7 536346426ba7 ba5a35 ba5a35210 ba0a40b05 1525ba5a2a42 6b1ba1a31 30a02606a6ba 6b1ba1a41401 ba6a46426
ba7892 109089ba7 403ba7892 139349489ba7 651ba7892 508586896ba7 651403ba7892 536346486896ba7 ba5a35892
ba5a35890910 ba0a40b05892 1545b4ba4149489 6b1ba1a31892 30608689636a6ba 6b1ba1a41401892 ba6a46486896 b87847
102b87847 7b3b80b03 1323727b2b82 651b87847 506026b87847 6517b3b80b03 53637b3b8382326 b85845435 b85845435210
b85805 1525b8582 6b1b84b41431 30232636b3b8384 6b1b80b01 b86826 2472797b9 1090470797b9 7b3b93923203 1393797b9
6512472797b9 5090494797b9596 6517b3b93923203 5363797b9396 b95924945435 b94914104b45435 b90920b05 1595b9
6b1b92b24b43b31 3046b9 6b1b90920b01 6b9
"""
TRIANGLES = tuple(_TRIANGLES.split())
"""Patterns without ``MIRROR_BIT``, ascending: three edges (hexadecimal) a triangle, turning so that the area vector
points out of the mask; ``-`` for none."""


def area_and_volume(inside: NDArray[np.bool_], spacing_mm: tuple[float, float, float]) -> tuple[float, float]:
    """Area (mm^2) and enclosed volume (mm^3) of the mesh round a mask.

    Args:
        inside: ``(z, y, x)``, the mask inside its bounding box.
        spacing_mm: voxel size ``(z, y, x)``.
    """
    found = count_patterns(np.pad(inside, 1).astype(np.int32)).astype(np.float64)
    spacing = np.array(spacing_mm)
    patterns, signs, corners = _triangles()
    a, b, c = corners * spacing
    count, place = found[patterns, 0], found[patterns, 1:] * spacing
    normals = _cross(a - c, b - c)
    area = count @ np.sqrt((normals**2).sum(axis=1)) / 2
    local = (_cross(a, b) * c).sum(axis=1)
    volume = signs @ (count * local + (normals * place).sum(axis=1)) / 6
    return float(area), float(volume)


@cache
def _triangles() -> tuple[Array, Array, Array]:
    """Every triangle of every pattern: its pattern ``(T,)``, sign of its volume ``(T,)`` and corners ``(3, T, 3)``."""
    patterns, signs, edges = [], [], []
    for pattern in range(1, 255):
        mirrored = bool(pattern & MIRROR_BIT)
        drawn = 255 - pattern if mirrored else pattern
        code = TRIANGLES[(drawn & (MIRROR_BIT - 1)) | (drawn >> 1 & MIRROR_BIT)]
        triangles = [[int(letter, 16) for letter in code[start : start + 3]] for start in range(0, len(code), 3)]
        edges += triangles
        patterns += [pattern] * len(triangles)
        signs += [-1.0 if mirrored else 1.0] * len(triangles)
    return np.array(patterns), np.array(signs), MIDPOINTS[np.array(edges).T]


def _cross(a: Array, b: Array) -> Array:
    """Cross products of rows (``np.cross`` spends most of its time on axes)."""
    return np.asarray(a[:, [1, 2, 0]] * b[:, [2, 0, 1]] - a[:, [2, 0, 1]] * b[:, [1, 2, 0]])


@njit(cache=True, nogil=True)
def count_patterns(padded: Array) -> Array:
    """How often each pattern of eight voxels occurs, and the summed ``z``, ``y``, ``x`` of its cubes, ``(256, 4)``."""
    found = np.zeros((256, 4), np.int64)
    for z in range(padded.shape[0] - 1):
        for y in range(padded.shape[1] - 1):
            right = 0
            for x in range(padded.shape[2] - 1):
                left = right
                right = padded[z, y, x + 1] | padded[z, y + 1, x + 1] << 2
                right |= padded[z + 1, y, x + 1] << 4 | padded[z + 1, y + 1, x + 1] << 6
                pattern = left | right << 1
                if 0 < pattern < 255:
                    found[pattern, 0] += 1
                    found[pattern, 1] += z
                    found[pattern, 2] += y
                    found[pattern, 3] += x
    return found


def vertices(inside: NDArray[np.bool_], *, along: int) -> Array:
    """Outermost mesh vertices of every grid row along axis ``along``, ``(V, 3)`` in half voxels ``(z, y, x)``.

    A vertex lies between a voxel inside and a face neighbour outside. Whatever lies between the outermost two of a
    row cannot be farther from any point than both of them.
    """
    padded = np.pad(inside, 1)
    found = []
    for axis in range(3):
        crossing = np.diff(padded, axis=axis)
        rows = np.moveaxis(crossing, along, -1)
        occupied = np.argwhere(rows.any(axis=-1))
        hit = rows[tuple(occupied.T)]
        first = hit.argmax(axis=1)
        last = hit.shape[1] - 1 - hit[:, ::-1].argmax(axis=1)
        places = [np.insert(occupied, along, end, axis=1) for end in (first, last)]
        found.append(2 * np.concatenate(places) + (np.arange(3) == axis))
    return np.concatenate(found)


def largest_distance(points: Array, groups: Array) -> float:
    """Largest distance between two points of one group.

    Args:
        points: ``(V, 3)`` in mm.
        groups: ``(V,)`` integers; only points of the same group are compared.
    """
    groups = (groups - groups.min()).astype(np.uint16)  # numbers so short are sorted by counting
    sizes = np.bincount(groups)
    middle = np.stack([np.bincount(groups, weights=axis) for axis in points.T], axis=1) / np.maximum(sizes, 1)[:, None]
    radius = np.sqrt(((points - middle[groups]) ** 2).sum(axis=1))
    order = np.argsort(-radius)
    order = order[np.argsort(groups[order], kind="stable")]
    starts = np.append(0, np.cumsum(sizes))
    return float(farthest_pair(points[order], radius[order], starts))


@njit(cache=True, nogil=True)
def farthest_pair(points: Array, radius: Array, starts: Array) -> float:
    """Largest distance within the groups ``points[starts[g]:starts[g + 1]]``, each ordered by falling radius.

    Two points are no farther apart than the sum of their distances from the group's middle, so most pairs are skipped.
    """
    best = 0.0
    for g in range(starts.size - 1):
        for i in range(starts[g], starts[g + 1]):
            reach = np.sqrt(best) * (1 - 1e-12)
            if radius[i] + radius[starts[g]] < reach:
                break
            for j in range(starts[g], i):
                if radius[i] + radius[j] < reach:
                    break
                dz = points[i, 0] - points[j, 0]
                dy = points[i, 1] - points[j, 1]
                dx = points[i, 2] - points[j, 2]
                best = max(best, dz * dz + dy * dy + dx * dx)
    return float(np.sqrt(best))
