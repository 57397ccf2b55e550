"""One mask made ready for textures: its box, its voxels and their neighbours, shared by all images of a case."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glottis.data.volume import Box, Mask
from glottis.features.texture._kernels import count_neighbours

DIRECTIONS = (
    np.array(
        [d for d in np.ndindex(3, 3, 3) if d > (1, 1, 1)],
    )
    - 1
)
"""The thirteen directions to a neighbour, ``(z, y, x)``, each with its opposite left out."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Region:
    """What every image of a case shares.

    Attributes:
        box: bounding box of the mask in the image.
        inside: the mask inside its box.
        where: ``(N,)`` ``int32``, indices of the mask's voxels in the flattened box padded by one voxel a side.
        steps: ``(13,)`` ``int32``, index steps of ``DIRECTIONS`` in that padded box.
        neighbours: ``(N,)`` ``int32``, neighbours inside the mask of each voxel, 0 to 26.
        lines: ``(13,)``, whether some line along the direction holds two voxels of the mask.
    """

    box: Box
    inside: NDArray[np.bool_]
    where: NDArray[np.int32]
    steps: NDArray[np.int32]
    neighbours: NDArray[np.int32]
    lines: NDArray[np.bool_]
    padded_size: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "padded_size", int(np.prod([size + 2 for size in self.inside.shape])))

    @classmethod
    def of(cls, mask: Mask) -> Region:
        """Prepare a mask.

        Raises:
            ImageError: the mask is empty.
        """
        box = mask.bounding_box()
        inside = np.ascontiguousarray(mask.voxels[box])
        padded = np.pad(inside, 1).view(np.uint8)
        where = np.flatnonzero(padded).astype(np.int32)
        _, rows, columns = padded.shape
        steps = (DIRECTIONS @ (rows * columns, columns, 1)).astype(np.int32)
        neighbours, pairs = count_neighbours(padded.ravel(), where, steps)
        lines = pairs > 0
        for k in np.flatnonzero(~lines):
            lines[k] = _shares_a_line(np.argwhere(inside), DIRECTIONS[k])
        return cls(box=box, inside=inside, where=where, steps=steps, neighbours=neighbours, lines=lines)

    def values(self, voxels: NDArray[Any]) -> NDArray[Any]:
        """Intensities inside the mask, in scan order; always a copy."""
        return np.asarray(voxels[self.box][self.inside])

    def fill(self, ranks: NDArray[np.int32]) -> NDArray[np.int32]:
        """The padded, flattened box with ``ranks`` at the mask's voxels and 0 elsewhere."""
        field_ = np.zeros(self.padded_size, dtype=np.int32)
        field_[self.where] = ranks
        return field_


def _shares_a_line(places: NDArray[Any], direction: NDArray[Any]) -> bool:
    """Whether two of the places lie on one grid line along ``direction``."""
    (axis, *_) = np.flatnonzero(direction)
    along = places[:, axis] * direction[axis]
    lines = places - along[:, None] * direction
    return len(np.unique(lines, axis=0)) < len(places)
