"""Resample onto a grid that is turned and shifted: another position of the patient, interpolated once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glottis._errors import SettingsError
from glottis.data.volume import Mask, Volume
from glottis.preprocessing.mask import check_inside, to_patient
from glottis.preprocessing.resample import Resample, interpolate

_TIE = 1e-6
"""A voxel this near to the mask's edge, in voxels, belongs to the grid."""


@dataclass(frozen=True, kw_only=True)
class MovedResample(Resample):
    """Resample where image and mask appear turned in their slices and shifted by a part of a voxel.

    The grid of ``Resample`` moves the other way, about the mask's centre, so that image and mask are interpolated once,
    as Zwanenburg et al., Sci Rep 2019;9:614, do it: `Rotate` behind `Resample` interpolates again, which blurs fine
    texture. What comes from outside the image takes the value of its edge. An axis along which the mask is one voxel
    thick is not shifted.

    Attributes:
        degrees: from the x index axis toward the y index axis.
        fraction: of a new voxel along x, y and z.

    Raises:
        SettingsError: an angle that is not finite, a fraction of a whole voxel or more.
    """

    degrees: float = 0.0
    fraction: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        parts = np.asarray(self.fraction, dtype=np.float64)
        if not np.isfinite(self.degrees) or parts.shape != (3,) or not (np.abs(parts) < 1).all():
            message = (
                f"MovedResample needs an angle in degrees and three fractions of a voxel (x, y, z) below 1, got "
                f"{self.degrees} and {self.fraction}: write for example degrees=5, fraction=(0.25, 0.25, 0.25)."
            )
            raise SettingsError(message)

    def __call__(self, image: Volume, mask: Mask) -> tuple[Volume, Mask]:
        """Return the resampled crop of image and mask; their grids are equal."""
        if not self.degrees and not any(self.fraction):
            return super().__call__(image, mask)
        check_inside(mask, image)
        grid = self._grid(mask, self._spacing(mask)[::-1])
        voxels = interpolate(image, grid, self.interpolator, edge=True)
        return grid.with_voxels(voxels), self._mask_on(grid, mask)

    def _grid(self, mask: Mask, spacing: NDArray[np.float64]) -> Volume:
        """The moved grid round the mask; here every triple is x, y, z."""
        old, size = np.array(mask.spacing_mm[::-1]), np.array(mask.shape[::-1])
        thick = np.array([part.stop - part.start > 1 for part in mask.bounding_box()])[::-1]
        shift = np.where(thick, self.fraction, 0.0)
        turn = _about_z(-self.degrees)
        axes = np.array(mask.direction).reshape(3, 3)
        inside = to_patient(mask, np.argwhere(mask.voxels))
        centre = inside.mean(axis=0)
        corner = to_patient(mask, (0.5 * (spacing - old) / old)[None, ::-1])[0]  # where the unmoved grid starts
        origin = centre + axes @ turn @ (axes.T @ (corner - centre) - shift * spacing)
        axes = axes @ turn
        index = (inside - origin) @ axes / spacing
        reach = np.abs(turn) @ (old / 2) / spacing
        first, last = np.ceil(index.min(axis=0) - reach - _TIE), np.floor(index.max(axis=0) + reach + _TIE)
        low = np.minimum(np.maximum(first - self.pad_voxels, 0), first)
        high = np.maximum(np.minimum(last + self.pad_voxels, np.ceil(size * old / spacing) - 1), last)
        x, y, z = origin + axes @ (low * spacing)
        columns, rows, depth = (int(n) for n in high - low + 1)
        sx, sy, sz = (float(step) for step in spacing)
        return Volume(
            voxels=np.broadcast_to(np.uint8(0), (depth, rows, columns)),
            spacing_mm=(sz, sy, sx),
            origin_mm=(float(x), float(y), float(z)),
            direction=tuple(map(float, axes.ravel())),
        )


def _about_z(degrees: float) -> NDArray[np.float64]:
    angle = np.deg2rad(degrees)
    return np.array([[np.cos(angle), -np.sin(angle), 0.0], [np.sin(angle), np.cos(angle), 0.0], [0.0, 0.0, 1.0]])
