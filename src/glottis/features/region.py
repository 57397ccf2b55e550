"""One mask made ready for textures: its box, its voxels and their neighbours, shared by all images of a case."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glottis.data.volume import Box, Mask, Triple
from glottis.features.discretise import Discretised
from glottis.features.texture._kernels import count_neighbours, place_levels
from glottis.features.texture.settings import TextureSettings

Array = NDArray[Any]


def directions(distances: tuple[int, ...] = (1,), flat_axis: int | None = None) -> NDArray[np.int64]:
    """Steps to all neighbours at these Chebyshev distances, each with its opposite left out.

    Args:
        distances: in voxels, from 1.
        flat_axis: axis along which no step goes; None for none.

    Returns:
        ``(K, 3)``, ``(z, y, x)``, in scan order: thirteen at distance 1, four where an axis is flat.
    """
    far = max(distances)
    steps = np.array(list(np.ndindex((2 * far + 1,) * 3))) - far
    later = np.arange(len(steps)) > len(steps) // 2
    wanted = later & np.isin(np.abs(steps).max(axis=1), distances)
    if flat_axis is not None:
        wanted &= steps[:, flat_axis] == 0
    return np.asarray(steps[wanted])


@dataclass(frozen=True, eq=False, kw_only=True)
class Neighbourhood:
    """The neighbours of a mask's voxels along one set of directions.

    Attributes:
        directions: ``(K, 3)``, ``(z, y, x)``, each with its opposite left out.
        steps: ``(K,)`` ``int32``, the same as index steps in the flattened padded box.
        neighbours: ``(N,)`` ``int32``, neighbours inside the mask of each voxel.
        pairs: ``(K,)``, pairs of voxels inside the mask along each direction.
    """

    directions: NDArray[np.int64]
    steps: NDArray[np.int32]
    neighbours: NDArray[np.int32]
    pairs: NDArray[np.int64]

    @classmethod
    def of(cls, inside: NDArray[np.uint8], where: NDArray[np.int32], along: NDArray[np.int64]) -> Neighbourhood:
        """Count the neighbours of the voxels ``where`` in the padded box ``inside``."""
        _, rows, columns = inside.shape
        steps = (along @ (rows * columns, columns, 1)).astype(np.int32)
        neighbours, pairs = count_neighbours(inside.ravel(), where, steps)
        return cls(directions=along, steps=steps, neighbours=neighbours, pairs=pairs)


@dataclass(frozen=True, eq=False, kw_only=True)
class Field:
    """Grey levels of one image in the flattened padded box of a region; 0 outside the mask.

    Attributes:
        ranks: ``uint16``, position of the grey level among those present, from 1.
        levels: ``int32``, the grey level.
    """

    ranks: NDArray[np.uint16]
    levels: NDArray[np.int32]


@dataclass(frozen=True, eq=False, kw_only=True)
class Region:
    """What every image of a case shares.

    Attributes:
        box: bounding box of the mask in the image.
        inside: the mask inside its box.
        padded_size: voxels of that box padded by the farthest neighbour's distance a side.
        where: ``(N,)`` ``int32``, indices of the mask's voxels in the flattened padded box.
        touching: neighbours that touch, for runs and zones (and all else at distance 1).
        apart: neighbours at the distances of the settings; the same object where that distance is 1.
        strides: index steps along the axes in use, in the flattened padded box, ``int32``: two or three.
        lines: ``(K,)``, whether some line along a touching direction holds two voxels of the mask.
        joins: ``(2^K,)`` ``uint16``, of a set of touching directions those that reach every group of neighbours.
        spacing_mm: voxel size ``(z, y, x)``.
    """

    box: Box
    inside: NDArray[np.bool_]
    padded_size: int
    where: NDArray[np.int32]
    touching: Neighbourhood
    apart: Neighbourhood
    strides: NDArray[np.int32]
    lines: NDArray[np.bool_]
    joins: NDArray[np.uint16]
    spacing_mm: Triple

    @classmethod
    def of(cls, mask: Mask, settings: TextureSettings | None = None) -> Region:
        """Prepare a mask.

        Raises:
            ImageError: the mask is empty.
        """
        chosen = settings or TextureSettings()
        box = mask.bounding_box()
        inside = np.ascontiguousarray(mask.voxels[box])
        padded = np.pad(inside, max(chosen.distances)).view(np.uint8)
        where = np.flatnonzero(padded).astype(np.int32)
        near = directions((1,), chosen.flat_axis)
        touching = Neighbourhood.of(padded, where, near)
        far = directions(chosen.distances, chosen.flat_axis)
        return cls(
            box=box,
            inside=inside,
            padded_size=padded.size,
            where=where,
            touching=touching,
            apart=touching if chosen.distances == (1,) else Neighbourhood.of(padded, where, far),
            strides=np.delete(np.array(padded.strides, dtype=np.int32)[::-1], _from_x(chosen.flat_axis)),
            lines=_lines(inside, touching),
            joins=_joins(chosen.flat_axis),
            spacing_mm=mask.spacing_mm,
        )

    def values(self, voxels: Array) -> Array:
        """Intensities inside the mask, in scan order; always a copy."""
        return np.asarray(voxels[self.box][self.inside])

    def place(self, grey: Discretised) -> Field:
        """The grey levels of an image's voxels in the padded box."""
        ranks = np.zeros(self.padded_size, dtype=np.uint16)
        levels = np.zeros(self.padded_size, dtype=np.int32)
        place_levels(grey.voxel_levels, grey.rank_of_level(), self.where, ranks, levels)
        return Field(ranks=ranks, levels=levels)


def _from_x(flat_axis: int | None) -> list[int]:
    """The flat axis counted from x, in a list that is empty where there is none."""
    return [] if flat_axis is None else [2 - flat_axis]


def _lines(inside: NDArray[np.bool_], touching: Neighbourhood) -> NDArray[np.bool_]:
    lines = touching.pairs > 0
    for k in np.flatnonzero(~lines):
        lines[k] = _shares_a_line(np.argwhere(inside), touching.directions[k])
    return lines


def _shares_a_line(places: Array, direction: Array) -> bool:
    """Whether two of the places lie on one grid line along ``direction``."""
    (axis, *_) = np.flatnonzero(direction)
    along = places[:, axis] * direction[axis]
    lines = places - along[:, None] * direction
    return len(np.unique(lines, axis=0)) < len(places)


@cache
def _joins(flat_axis: int | None) -> NDArray[np.uint16]:
    """For every set of touching directions: one of each group of neighbours that touch each other."""
    along = directions((1,), flat_axis)
    touch = np.abs(along[:, None] - along).max(axis=2) <= 1
    sets = np.arange(1 << len(along))
    reached = np.zeros_like(sets)  # all directions that touch one of the set
    for k, row in enumerate(touch):
        reached |= np.where(sets >> k & 1, int(row @ (1 << np.arange(len(along)))), 0)
    chosen = np.zeros_like(sets)
    left = sets.copy()
    while left.any():
        first = left & -left
        chosen |= first
        group = first
        while ((grown := reached[group] & left) != group).any():
            group = grown
        left &= ~group
    return chosen.astype(np.uint16)
