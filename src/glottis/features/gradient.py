"""The gradient magnitude of an image, by ITK."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from glottis.data.volume import Box, Triple, Volume
from glottis.features.filters import placed


@dataclass(frozen=True, kw_only=True)
class Gradient:
    """Length of the gradient by central differences, the edge voxel repeated outside the image; named ``gradient``.

    ``float32`` whatever the pixel type of the image, as ITK's ``GradientMagnitudeImageFilter`` gives it.

    Attributes:
        use_spacing: intensity per mm; False gives intensity per voxel.
    """

    wraps_round: ClassVar[bool] = False
    use_spacing: bool = True

    def reach_voxels(self, spacing_mm: Triple) -> int:
        """One voxel a side."""
        return 1

    def __call__(self, image: Volume, *, box: Box | None = None) -> Iterator[tuple[str, Volume]]:
        """Yield the one derived image."""
        import SimpleITK as sitk

        seen, inner = _widened(box, image.shape)
        step = sitk.GradientMagnitudeImageFilter()
        step.SetUseImageSpacing(self.use_spacing)
        step.SetNumberOfWorkUnits(1)
        values = sitk.GetArrayFromImage(step.Execute(image.crop(seen).to_sitk()))
        yield "gradient", placed(image, values[inner], box)

    def skipped(self, image: Volume) -> tuple[str, ...]:
        """Nothing is ever left out."""
        return ()


def _widened(box: Box | None, shape: tuple[int, ...]) -> tuple[Box, Box]:
    """``box`` with one voxel more a side, clipped to the image, and where it lies in there."""
    wanted = box or tuple(slice(0, size) for size in shape)
    pairs = [(max(part.start - 1, 0), part, min(part.stop + 1, n)) for part, n in zip(wanted, shape, strict=True)]
    z, y, x = (slice(low, high) for low, _, high in pairs)
    a, b, c = (slice(part.start - low, part.stop - low) for low, part, _ in pairs)
    return (z, y, x), (a, b, c)
