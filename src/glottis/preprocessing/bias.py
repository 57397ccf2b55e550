"""Bias-field correction of MR images."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from glottis._errors import ImageError, SettingsError
from glottis.data.volume import Mask, Volume

_SMALLEST_AXIS = 8
"""An axis is shrunk only as far as this many voxels are left."""


@dataclass(frozen=True, kw_only=True)
class N4:
    """Divide out the smooth intensity drift of an MR image (Tustison 2010, doi 10.1109/TMI.2010.2046908).

    The field is fitted on a shrunken image and applied at full size, in one thread: the same image gives the same
    bytes on any machine load. The result is ``float32``.

    Attributes:
        shrink_factor: every how many voxels the fit looks at; axes with few slices are shrunk less.
        iterations: largest number of iterations at each fitting level.
        convergence: change of the field below which a level stops.
        region: where the field is fitted: ``"otsu"`` foreground, its largest part with holes filled (``"body"``), or
            the ``"whole"`` image.

    Raises:
        SettingsError: a value is out of range.
        ImageError: on call, where the image has no foreground.
    """

    shrink_factor: int = 4
    iterations: tuple[int, ...] = (50, 50, 50, 50)
    convergence: float = 0.001
    region: Literal["otsu", "body", "whole"] = "otsu"

    def __post_init__(self) -> None:
        if self.shrink_factor < 1 or not self.iterations or min(self.iterations) < 1 or self.convergence <= 0:
            message = (
                f"N4 needs shrink_factor >= 1, iterations >= 1 and a positive convergence, got {self.shrink_factor}, "
                f"{self.iterations} and {self.convergence}."
            )
            raise SettingsError(message)
        if self.region not in ("otsu", "body", "whole"):
            message = f"N4 region '{self.region}' is unknown: use otsu, body or whole."
            raise SettingsError(message)

    def __call__(self, image: Volume, mask: Mask) -> tuple[Volume, Mask]:
        """Return the corrected image and the mask as it came."""
        with _one_thread():
            field = self._log_field(image)
        return image.with_voxels((image.voxels / np.exp(field)).astype(np.float32)), mask

    def _log_field(self, image: Volume) -> NDArray[np.float32]:
        import SimpleITK as sitk

        full = sitk.Cast(image.to_sitk(), sitk.sitkFloat32)
        region = self._region(full)
        if not sitk.GetArrayViewFromImage(region).any():
            message = "N4 finds no foreground in the image: check the file, or fit on region='whole'."
            raise ImageError(message)
        factors = [max(1, min(self.shrink_factor, size // _SMALLEST_AXIS)) for size in full.GetSize()]
        corrector = sitk.N4BiasFieldCorrectionImageFilter()
        corrector.SetMaximumNumberOfIterations(list(self.iterations))
        corrector.SetConvergenceThreshold(self.convergence)
        corrector.Execute(sitk.Shrink(full, factors), sitk.Shrink(region, factors))
        field: NDArray[np.float32] = sitk.GetArrayFromImage(corrector.GetLogBiasFieldAsImage(full))
        return field

    def _region(self, full: Any) -> Any:
        import SimpleITK as sitk

        if self.region == "whole":
            return sitk.Cast(full > float("-inf"), sitk.sitkUInt8)
        region = sitk.OtsuThreshold(full, 0, 1, 200)
        if self.region == "body":
            parts = sitk.RelabelComponent(sitk.ConnectedComponent(region))
            region = sitk.BinaryFillhole(sitk.Cast(parts == 1, sitk.sitkUInt8))
        return region


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let ITK use one thread: sums over several threads come out in another order, so in other bytes."""
    import SimpleITK as sitk

    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)
