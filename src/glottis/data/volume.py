"""Images and masks: voxels with their place in the patient.

Axis order, stated here once for the whole package: voxel arrays and everything that runs along them (``voxels``,
``spacing_mm``, boxes, sizes) are ``(z, y, x)``; what lies in the patient's space (``origin_mm``, ``direction``) is
``(x, y, z)`` in ITK's LPS convention.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from glottis._errors import ImageError

Triple = tuple[float, float, float]
Box = tuple[slice, slice, slice]
IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True, eq=False, kw_only=True)
class Volume:
    """A scalar image on a regular grid.

    Attributes:
        voxels: array ``(z, y, x)`` in the pixel type of the file; one in foreign byte order is copied once.
        spacing_mm: voxel size in mm, ``(z, y, x)``.
        origin_mm: patient position of voxel ``[0, 0, 0]`` in mm, ``(x, y, z)``.
        direction: row-major 3 x 3 matrix whose columns are the patient directions of the x, y and z index axes.
    """

    voxels: NDArray[Any]
    spacing_mm: Triple
    origin_mm: Triple = (0.0, 0.0, 0.0)
    direction: tuple[float, ...] = IDENTITY

    def __post_init__(self) -> None:
        if self.voxels.ndim != 3:
            message = f"An image needs three dimensions, this one has shape {self.voxels.shape}: give a 3D volume."
            raise ImageError(message)
        kind = self.voxels.dtype
        if kind.kind not in "biuf" or kind in (np.float16, np.longdouble):
            message = f"Pixel type {kind} is not one that images have: convert the voxels to int16, float32 or float64."
            raise ImageError(message)
        if not kind.isnative:  # SimpleITK and compiled loops know the machine's byte order only
            object.__setattr__(self, "voxels", self.voxels.astype(kind.newbyteorder("=")))
        if len(self.spacing_mm) != 3 or min(self.spacing_mm) <= 0:
            message = f"Voxel spacing must be three positive numbers, got {self.spacing_mm}: repair the image header."
            raise ImageError(message)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels along z, y and x."""
        return self.voxels.shape

    def with_voxels(self, voxels: NDArray[Any]) -> Self:
        """The same grid with other voxel values of the same shape."""
        return replace(self, voxels=voxels)

    def crop(self, box: Box) -> Self:
        """The part inside ``box`` (slices along z, y, x); the voxels keep their place in the patient."""
        start = np.array([part.indices(size)[0] for part, size in zip(box, self.shape, strict=True)], dtype=float)
        step_xyz = (start * self.spacing_mm)[::-1]
        x, y, z = np.asarray(self.origin_mm) + np.asarray(self.direction).reshape(3, 3) @ step_xyz
        return replace(self, voxels=self.voxels[box], origin_mm=(float(x), float(y), float(z)))

    def grid_difference(self, other: Volume, *, tolerance: float = 1e-5) -> str:
        """How the grid of ``other`` differs from this one, in words; empty where they agree.

        Args:
            other: the image or mask to compare with.
            tolerance: largest allowed difference, in mm for spacing and origin and without unit for direction.
                NIfTI stores spacing in single precision, so an exact comparison would refuse matching files.
        """
        if self.shape != other.shape:
            return f"size {_times(self.shape[::-1])} against {_times(other.shape[::-1])} voxels (x, y, z)"
        parts = []
        for name, unit, mine, theirs in (
            ("spacing", " mm", self.spacing_mm, other.spacing_mm),
            ("origin", " mm", self.origin_mm, other.origin_mm),
            ("direction", "", self.direction, other.direction),
        ):
            gap = float(np.max(np.abs(np.asarray(mine) - np.asarray(theirs))))
            if gap > tolerance:
                parts.append(f"{name} by {gap:.3g}{unit}")
        return ", ".join(parts)

    def to_sitk(self) -> Any:
        """The same image as a ``SimpleITK.Image``; boolean voxels become ``uint8``."""
        import SimpleITK as sitk

        voxels = self.voxels.view(np.uint8) if self.voxels.dtype == np.bool_ else self.voxels
        image = sitk.GetImageFromArray(np.ascontiguousarray(voxels))
        image.SetSpacing(self.spacing_mm[::-1])
        image.SetOrigin(self.origin_mm)
        image.SetDirection(self.direction)
        return image

    @classmethod
    def from_sitk(cls, image: Any) -> Self:
        """Take voxels and geometry from a three-dimensional scalar ``SimpleITK.Image``."""
        import SimpleITK as sitk

        return cls(
            voxels=sitk.GetArrayFromImage(image),
            spacing_mm=tuple(image.GetSpacing()[::-1]),
            origin_mm=tuple(image.GetOrigin()),
            direction=tuple(image.GetDirection()),
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class Mask(Volume):
    """The voxels that belong to a lesion; ``voxels`` is boolean."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.voxels.dtype != np.bool_:
            object.__setattr__(self, "voxels", self.voxels != 0)

    @property
    def n_voxels(self) -> int:
        """Number of voxels inside the mask."""
        return int(np.count_nonzero(self.voxels))

    def bounding_box(self, *, pad: int = 0) -> Box:
        """The smallest box around the mask, widened by ``pad`` voxels a side and clipped to the image.

        Raises:
            ImageError: the mask is empty.
        """
        z, y, x = (
            slice(max(first - pad, 0), min(last + 1 + pad, size))
            for (first, last), size in zip(self._extent, self.shape, strict=True)
        )
        return z, y, x

    @cached_property
    def _extent(self) -> tuple[tuple[int, int], ...]:
        """First and last index of the mask along z, y and x."""
        in_slice: NDArray[np.bool_] = np.asarray(self.voxels.any(axis=(1, 2)))
        if not in_slice.any():
            message = "The mask is empty: check its label and that image and mask show the same patient."
            raise ImageError(message)
        z = _first_and_last(in_slice)
        seen: NDArray[np.bool_] = np.asarray(self.voxels[z[0] : z[1] + 1].any(axis=0))
        return z, _first_and_last(np.asarray(seen.any(axis=1))), _first_and_last(np.asarray(seen.any(axis=0)))


def _first_and_last(inside: NDArray[np.bool_]) -> tuple[int, int]:
    (where,) = np.nonzero(inside)
    return int(where[0]), int(where[-1])


@dataclass(frozen=True, eq=False, kw_only=True)
class LabelMap(Volume):
    """What a mask file holds: a whole number a voxel, 0 outside; each label is a mask of its own.

    Numbers with a fraction lose it, as PyRadiomics' cast does it: a voxel of 0.6 lies outside.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        kind = self.voxels.dtype.kind
        if kind == "f":
            object.__setattr__(self, "voxels", self.voxels.astype(np.int64))
        elif kind == "b":
            object.__setattr__(self, "voxels", self.voxels.view(np.uint8))

    def labels(self) -> tuple[int, ...]:
        """The labels above 0, in rising order."""
        found = np.unique(self.voxels[self.voxels > 0])
        return tuple(int(label) for label in found)

    def mask(self, label: int) -> Mask:
        """The voxels of one label; empty where no voxel has it."""
        return Mask(
            voxels=self.voxels == label,
            spacing_mm=self.spacing_mm,
            origin_mm=self.origin_mm,
            direction=self.direction,
        )


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(str(size) for size in shape)
