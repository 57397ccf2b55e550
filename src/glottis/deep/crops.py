"""The picture of a lesion that a network sees: one slice, cut square, scaled, resized."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from glottis._errors import ImageError
from glottis.data.volume import Box, Mask, Triple, Volume
from glottis.deep.crop_settings import CropSettings

Span = tuple[float, float]
Floats = NDArray[np.float64]
_SAME_SPACING = 1e-3
"""Spacings that differ by less, relatively, are the same: NIfTI stores them in single precision, DICOM in decimals."""


@dataclass(frozen=True, eq=False, kw_only=True)
class CropResult:
    """A crop and where it was taken.

    Attributes:
        pixels: (channels, size, size), rows and columns along the two in-plane axes in the volume's order.
        mask: (size, size), the lesion in the middle channel.
        axis: the axis across the slices: 0, 1 or 2 for z, y or x.
        slices: index of the slice that each channel shows.
        slice_index: the slice of the largest cross-section.
        view_mm: edges (first, last) of the square along rows and columns, in mm from the centre of the slice's first
            voxel; parts may lie outside the image.
        grid: (shape, spacing_mm) of the volume.
    """

    pixels: NDArray[np.float32]
    mask: NDArray[np.bool_]
    axis: int
    slices: tuple[int, ...]
    slice_index: int
    view_mm: tuple[Span, Span]
    grid: tuple[tuple[int, int, int], Triple]

    @property
    def plane(self) -> tuple[int, int]:
        """The volume's axes along the crop's rows and columns."""
        return _plane(self.axis)

    @property
    def box(self) -> Box:
        """The voxels whose centres the crop shows, as slices along z, y and x."""
        shape, spacing = self.grid
        parts = [slice(self.slice_index, self.slice_index + 1)] * 3
        for along, (first, last) in zip(self.plane, self.view_mm, strict=True):
            start = int(np.ceil(first / spacing[along] - 1e-9))
            stop = int(np.floor(last / spacing[along] + 1e-9)) + 1
            parts[along] = slice(max(start, 0), min(stop, shape[along]))
        return parts[0], parts[1], parts[2]

    def pixel_coordinates(self, along: int) -> Floats:
        """Where each voxel centre of the slice lies in the crop, along rows (0) or columns (1), in pixels."""
        shape, spacing = self.grid
        axis, (first, last) = self.plane[along], self.view_mm[along]
        at = np.arange(shape[axis]) * spacing[axis]
        placed: Floats = (at - first) / (last - first) * self.pixels.shape[-1] - 0.5
        return placed

    def picture(self) -> NDArray[np.uint8]:
        """(2, size, size) for the eye: the middle channel from its darkest (0) to its brightest (255), and the mask."""
        middle = self.pixels[len(self.pixels) // 2]
        low, high = float(middle.min()), float(middle.max())
        grey = np.round((middle - low) * (255 / (high - low or 1.0)))
        return np.stack([grey, self.mask]).astype(np.uint8)

    def to_dict(self) -> dict[str, Any]:
        """Where the crop was taken, as plain JSON values; without its pixels."""
        return {
            "axis": "zyx"[self.axis],
            "slice_index": self.slice_index,
            "slices": list(self.slices),
            "box_voxels": [[part.start, part.stop] for part in self.box],
            "view_mm": [list(span) for span in self.view_mm],
        }


@dataclass(frozen=True, kw_only=True)
class Crop:
    """Cut the lesion out of the slice where the mask is largest.

    The slice lies in the acquisition plane (`acquisition_axis`, unless the settings say another). Among slices of the
    same area the one nearest the middle of the mask is taken, then the lower one. The crop is a square in mm, so that
    nothing is stretched, round the middle of the mask's box in that slice: as wide as the longer side of the box plus
    the margin on both sides. It is resized linearly, without smoothing.

    Attributes:
        settings: margin, scaling, channels and sizes.
    """

    settings: CropSettings = field(default_factory=CropSettings)

    def __call__(self, image: Volume, mask: Mask) -> CropResult:
        """The crop of one image.

        Raises:
            ImageError: another grid, an empty mask, values that are not finite, or no contrast to scale.
        """
        difference = image.grid_difference(mask, tolerance=1e-3)
        if difference:
            message = f"Image and mask lie on different grids ({difference}): resample the mask before the crop is cut."
            raise ImageError(message)
        across = self.settings.across
        axis = acquisition_axis(image.spacing_mm) if across == "auto" else "zyx".index(across)
        index = largest_slice(mask, axis)
        slices = self._slices(index, image.shape[axis])
        drawn: NDArray[np.bool_] = np.take(mask.voxels, index, axis=axis)
        frame = _Frame.of(drawn, tuple(image.spacing_mm[along] for along in _plane(axis)), self.settings)
        shown = {i: frame.sample(np.take(image.voxels, i, axis=axis)) for i in set(slices)}
        inside = frame.sample(drawn) >= 0.5
        seen = frame.within()
        kept = seen & {"square": seen, "box": frame.in_box(), "mask": inside}[self.settings.keep]
        pixels = self.settings.scaled(np.stack([shown[i] for i in slices]), seen=seen, kept=kept, image=image.voxels)
        return CropResult(
            pixels=np.ascontiguousarray(self.settings.central(pixels), dtype=np.float32),
            mask=np.ascontiguousarray(self.settings.central(inside)),
            axis=axis,
            slices=slices,
            slice_index=index,
            view_mm=frame.view(),
            grid=(image.shape, image.spacing_mm),
        )

    def _slices(self, index: int, count: int) -> tuple[int, ...]:
        half = self.settings.channels // 2 if self.settings.neighbours else 0
        steps = range(-half, half + 1) if half else [0] * self.settings.channels
        return tuple(min(max(index + step, 0), count - 1) for step in steps)


def acquisition_axis(spacing_mm: Triple) -> int:
    """The axis across the slices as they were scanned: 0, 1 or 2 for z, y or x.

    Pixels are square in nearly every scan, so it is the axis whose spacing differs from the two others: in MR the
    largest, in PET often the smallest. Where all differ it is the largest, where all agree z.

    >>> acquisition_axis((3.0, 0.5, 0.5)), acquisition_axis((0.9, 0.9, 4.0)), acquisition_axis((3.3, 4.7, 4.7))
    (0, 2, 0)
    >>> acquisition_axis((0.5, 4.0, 0.7)), acquisition_axis((1.0, 1.0, 1.0))
    (1, 0)
    """
    if _alike(*spacing_mm):
        return 0
    for axis in range(3):
        if _alike(*(spacing_mm[other] for other in _plane(axis))):
            return axis
    return int(np.argmax(spacing_mm))


def _alike(*spacings: float) -> bool:
    return max(spacings) <= min(spacings) * (1 + _SAME_SPACING)


def largest_slice(mask: Mask, axis: int) -> int:
    """Index of the slice with most mask voxels; of equal ones that nearest the mask's middle, then the lower.

    Raises:
        ImageError: the mask is empty.
    """
    extent = mask.bounding_box()[axis]
    middle = (extent.start + extent.stop - 1) / 2
    across = tuple(other for other in range(3) if other != axis)
    area = np.count_nonzero(mask.voxels, axis=across)
    ties = np.flatnonzero(area == area.max())
    return int(ties[np.argmin(np.abs(ties - middle))])


@dataclass(frozen=True, eq=False, kw_only=True)
class _Frame:
    """The square over one slice; mm are counted from the centre of the slice's first voxel."""

    shape: tuple[int, int]
    spacing_mm: Span
    box_mm: tuple[Span, Span]
    square_mm: tuple[Span, Span]
    settings: CropSettings

    @classmethod
    def of(cls, drawn: NDArray[np.bool_], spacing: tuple[float, ...], settings: CropSettings) -> _Frame:
        """The square round what is drawn on a slice."""
        box = []
        for along in (0, 1):
            where = np.flatnonzero(drawn.any(axis=1 - along))
            first, last = (int(where[0]) - 0.5) * spacing[along], (int(where[-1]) + 0.5) * spacing[along]
            box.append((first - settings.margin_mm, last + settings.margin_mm))
        half = max(last - first for first, last in box) / 2
        square = [((first + last) / 2 - half, (first + last) / 2 + half) for first, last in box]
        return cls(
            shape=(drawn.shape[0], drawn.shape[1]),
            spacing_mm=(spacing[0], spacing[1]),
            box_mm=(box[0], box[1]),
            square_mm=(square[0], square[1]),
            settings=settings,
        )

    def centres(self, along: int) -> Floats:
        """Pixel centres of the resized square along rows (0) or columns (1), in mm."""
        first, last = self.square_mm[along]
        n = self.settings.resize
        placed: Floats = first + np.arange(0.5, n) * ((last - first) / n)
        return placed

    def sample(self, plane: NDArray[Any]) -> Floats:
        """The slice at the pixel centres, linear between voxel centres; beyond the image its edge goes on."""
        at = [self.centres(along) / self.spacing_mm[along] for along in (0, 1)]
        grid = np.meshgrid(*at, indexing="ij")
        sampled: Floats = map_coordinates(plane.astype(np.float64), grid, order=1, mode="nearest")
        return sampled

    def within(self) -> NDArray[np.bool_]:
        """Pixels whose centre lies on a voxel of the image."""
        spacing, shape = self.spacing_mm, self.shape
        return self._between([(-0.5 * step, (n - 0.5) * step) for step, n in zip(spacing, shape, strict=True)])

    def in_box(self) -> NDArray[np.bool_]:
        """Pixels whose centre lies in the lesion's box with its margin."""
        return self._between(list(self.box_mm))

    def _between(self, spans: list[Span]) -> NDArray[np.bool_]:
        rows, columns = ((self.centres(i) >= spans[i][0]) & (self.centres(i) <= spans[i][1]) for i in (0, 1))
        return np.outer(rows, columns)

    def view(self) -> tuple[Span, Span]:
        """The square after its centre was cut out."""
        n, size = self.settings.resize, self.settings.size
        start = (n - size) // 2
        spans = [(a + start * (b - a) / n, a + (start + size) * (b - a) / n) for a, b in self.square_mm]
        return spans[0], spans[1]


def _plane(axis: int) -> tuple[int, int]:
    rows, columns = (other for other in range(3) if other != axis)
    return rows, columns
