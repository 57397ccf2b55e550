"""Image filters: one image in, named derived images out, with the values of PyRadiomics 3.0.1."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np
import pywt
from numpy.typing import NDArray

from glottis._errors import SettingsError, nearest
from glottis.data.volume import Box, Triple, Volume
from glottis.features._periodic import split
from glottis.features._recursive import SMALLEST_LINE, laplacian_of_gaussian
from glottis.features.discretise import Bins
from glottis.features.texture.settings import TextureSettings

WHOLE_IMAGE = 2**31
"""The reach of a filter that must see every voxel of the image."""
LOG_REACH_SIGMAS = 12.0
"""Beyond this many sigmas the recursive Gaussian no longer changes a float32 value (8 leaves 1e-6)."""


class Filter(Protocol):
    """A step that derives one or several images from one image."""

    @property
    def wraps_round(self) -> bool:
        """Whether voxels near one edge see those at the opposite edge, so that an edge needs the whole axis."""
        ...

    def reach_voxels(self, spacing_mm: Triple) -> int:
        """Voxels needed round the mask so that it sees what filtering the whole image gives, or ``WHOLE_IMAGE``."""
        ...

    def __call__(self, image: Volume, *, box: Box | None = None) -> Iterator[tuple[str, Volume]]:
        """Yield ``(name, image)``, the name as PyRadiomics writes it.

        Args:
            image: what to filter; all of it is looked at.
            box: the part whose values are wanted; outside it a derived image may be 0. None wants all.
        """
        ...

    def skipped(self, image: Volume) -> tuple[str, ...]:
        """Why an image that the settings ask for cannot be made of this one; empty when all can."""
        ...


@dataclass(frozen=True)
class Original:
    """The image as it is; named ``original``."""

    wraps_round: ClassVar[bool] = False

    def reach_voxels(self, spacing_mm: Triple) -> int:
        """No neighbour is looked at."""
        return 0

    def __call__(self, image: Volume, *, box: Box | None = None) -> Iterator[tuple[str, Volume]]:
        """Yield the image itself."""
        yield "original", image

    def skipped(self, image: Volume) -> tuple[str, ...]:
        """Nothing is ever left out."""
        return ()


@dataclass(frozen=True)
class Wavelet:
    """Undecimated separable wavelet transform; eight images a level, the first letter is x.

    Names are ``wavelet-LLH`` at the first level and ``wavelet2-LLH`` at the second; the approximation of the last
    level (``LLL``) comes last. Axes of odd size get one wrapped sample, then the signal is taken as periodic.
    ``float32`` images stay ``float32``; every other pixel type becomes ``float64``. The filter is never dilated: a
    level repeats the first one on its approximation, as PyRadiomics does.

    Attributes:
        wavelet: a discrete wavelet of PyWavelets, ``"coif1"`` as PyRadiomics has it.
        level: number of levels that yield images, at least 1.
        start_level: number of decompositions before the first yielded one.
        flat_axis: axis (0 z, 1 y, 2 x) that is not transformed, so that slices stay apart (PyRadiomics' ``force2D``);
            four images a level, their names without its letter. None transforms all three.

    Raises:
        SettingsError: the wavelet is unknown, or a level or the axis is out of range.
    """

    wraps_round: ClassVar[bool] = True
    wavelet: str = "coif1"
    level: int = 1
    start_level: int = 0
    flat_axis: int | None = None

    def __post_init__(self) -> None:
        known = pywt.wavelist(kind="discrete")
        if self.wavelet not in known:
            message = f"Wavelet '{self.wavelet}' is unknown: {nearest(self.wavelet, known)}"
            raise SettingsError(message)
        if self.level < 1 or self.start_level < 0:
            message = (
                f"Wavelet levels must be level >= 1 and start_level >= 0, got {self.level} and {self.start_level}: "
                f"write level=1, start_level=0 for the usual eight images."
            )
            raise SettingsError(message)
        if self.flat_axis not in (None, 0, 1, 2):
            message = f"flat_axis of a wavelet must be 0 (z), 1 (y), 2 (x) or None, got {self.flat_axis}."
            raise SettingsError(message)

    def reach_voxels(self, spacing_mm: Triple) -> int:
        """Length of the wavelet filter times the number of decompositions (PyRadiomics never dilates the filter)."""
        return int(pywt.Wavelet(self.wavelet).dec_len) * (self.start_level + self.level)

    def __call__(self, image: Volume, *, box: Box | None = None) -> Iterator[tuple[str, Volume]]:
        """Yield seven detail images a level and the last approximation; ``box`` speeds up the last level."""
        whole = tuple(slice(0, size) for size in image.shape)
        dtype = np.float32 if image.voxels.dtype == np.float32 else np.float64
        data = np.require(image.voxels, dtype=dtype, requirements=["C", "W"])
        if any(size % 2 for size in image.shape):
            data = np.pad(data, [(0, size % 2) for size in image.shape], mode="wrap")
        approximation = "LLL" if self.flat_axis is None else "LL"
        for _ in range(self.start_level):
            data = self._bands(data)[approximation]
        for number in range(1, self.level + 1):
            last = number == self.level
            wanted = (whole if box is None else box) if last else None
            bands = self._bands(data, wanted)
            data = bands.pop(approximation)
            prefix = "wavelet" if number == 1 else f"wavelet{number}"
            for name, band in bands.items():
                yield f"{prefix}-{name}", placed(image, band if last else band[whole], box if last else None)
        yield f"{prefix}-{approximation}", placed(image, data, box)

    def skipped(self, image: Volume) -> tuple[str, ...]:
        """Nothing is ever left out."""
        return ()

    def _bands(self, data: NDArray[Any], box: tuple[slice, ...] | None = None) -> dict[str, NDArray[Any]]:
        low, high = _taps(self.wavelet, data.dtype)
        parts = box or tuple(slice(0, size) for size in data.shape)
        bands = {"": data}
        if self.flat_axis is not None:
            kept = [slice(None)] * 3
            kept[self.flat_axis] = parts[self.flat_axis]
            bands = {"": np.ascontiguousarray(data[tuple(kept)])}
        for axis in (a for a in (2, 1, 0) if a != self.flat_axis):
            bands = {
                name + letter: part
                for name, band in bands.items()
                for letter, part in zip("LH", split(band, low, high, axis, parts[axis]), strict=True)
            }
        return bands


def placed(image: Volume, values: NDArray[Any], box: Box | None) -> Volume:
    """``values`` on the grid of ``image``: all of it, or those inside ``box`` with 0 around."""
    if box is None:
        return image.with_voxels(values)
    voxels = np.zeros(image.shape, dtype=values.dtype)
    voxels[box] = values
    return image.with_voxels(voxels)


def _taps(wavelet: str, dtype: np.dtype[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Both decomposition filters as PyWavelets uses them in this pixel type, read off an impulse.

    Its ``float32`` filters are not everywhere the rounded ``float64`` ones that ``dec_lo`` shows.
    """
    impulse = np.zeros(pywt.Wavelet(wavelet).dec_len, dtype=dtype)
    impulse[impulse.size // 2] = 1
    ((low, high),) = pywt.swt(impulse, wavelet, level=1)
    return np.ascontiguousarray(low), np.ascontiguousarray(high)


@dataclass(frozen=True)
class LaplacianOfGaussian:
    """Laplacian of a Gaussian, normalised across scale, as ITK's recursive filter computes it.

    Names are ``log-sigma-1-0-mm-3D``. A sigma is skipped where an axis has fewer than ``ceil(sigma / spacing) + 1``
    voxels, and all are where an axis has fewer than four.

    Attributes:
        sigma_mm: widths of the Gaussian in mm, each positive; small widths bring out fine texture.
        written: the widths as they stand in the names, one each; empty writes 1 as ``1.0``. PyRadiomics writes what
            stands in the parameter file.

    Raises:
        SettingsError: no width, or one that is not positive.
    """

    wraps_round: ClassVar[bool] = False
    sigma_mm: tuple[float, ...] = field(default=(1.0, 2.0, 3.0, 4.0, 5.0))
    written: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        widths = tuple(float(sigma) for sigma in self.sigma_mm)
        if not widths or min(widths) <= 0:
            message = f"LoG needs positive widths in mm, got {self.sigma_mm}: write sigma_mm=(1, 2, 3) for example."
            raise SettingsError(message)
        if len(self.written) not in (0, len(widths)):
            message = f"LoG has {len(widths)} widths and {len(self.written)} names for them: give one each, or none."
            raise SettingsError(message)
        object.__setattr__(self, "sigma_mm", widths)

    def reach_voxels(self, spacing_mm: Triple) -> int:
        """Twelve times the widest Gaussian, on the axis with the smallest voxels."""
        return math.ceil(LOG_REACH_SIGMAS * max(self.sigma_mm) / min(spacing_mm))

    def __call__(self, image: Volume, *, box: Box | None = None) -> Iterator[tuple[str, Volume]]:
        """Yield one image a sigma that the image is large enough for."""
        for sigma, text in zip(self.sigma_mm, self.written or map(str, self.sigma_mm), strict=True):
            if _large_enough(image, sigma):
                values = laplacian_of_gaussian(image.voxels, image.spacing_mm, sigma, box)
                yield f"log-sigma-{text}-mm-3D".replace(".", "-"), placed(image, values, box)

    def skipped(self, image: Volume) -> tuple[str, ...]:
        """One sentence for every sigma that the image is too small for."""
        size = " x ".join(str(n) for n in image.shape[::-1])
        return tuple(
            f"LoG with sigma {sigma:g} mm was skipped: the cropped image has {size} voxels (x, y, z), fewer than four "
            f"or than sigma / spacing + 1 along an axis; leave out this sigma or resample to smaller voxels."
            for sigma in self.sigma_mm
            if not _large_enough(image, sigma)
        )


@dataclass(frozen=True)
class _Around:
    """A filter round another one, which answers for it."""

    step: Filter

    @property
    def wraps_round(self) -> bool:
        """As the filter itself."""
        return self.step.wraps_round

    def reach_voxels(self, spacing_mm: Triple) -> int:
        """As the filter itself."""
        return self.step.reach_voxels(spacing_mm)

    def __call__(self, image: Volume, *, box: Box | None = None) -> Iterator[tuple[str, Volume]]:
        """Yield what the filter yields."""
        return self.step(image, box=box)

    def skipped(self, image: Volume) -> tuple[str, ...]:
        """As the filter itself."""
        return self.step.skipped(image)


@dataclass(frozen=True)
class With(_Around):
    """Another filter whose images are measured with settings of their own; None keeps those of all images.

    Attributes:
        step: the filter.
        bins: how the intensities of its images become grey levels.
        texture: neighbours and directions of its texture matrices.
        voxel_array_shift: added to the intensities of its images for first-order Energy and its kin.
    """

    bins: Bins | None = None
    texture: TextureSettings | None = None
    voxel_array_shift: float | None = None


@dataclass(frozen=True)
class Inside(_Around):
    """Another filter, asked only for the values inside one box: faster, and the same values there.

    Attributes:
        step: the filter.
        box: the part of the image that is wanted, slices along z, y, x.
        seen: the part that the filter must see for it; None shows it all.
    """

    box: Box
    seen: Box | None = None

    def __call__(self, image: Volume, *, box: Box | None = None) -> Iterator[tuple[str, Volume]]:
        """Yield what the filter yields, 0 outside the box."""
        wanted = self.box if box is None else box
        if self.seen is None:
            yield from self.step(image, box=wanted)
            return
        z, y, x = (slice(a.start - b.start, a.stop - b.start) for a, b in zip(wanted, self.seen, strict=True))
        for name, derived in self.step(image.crop(self.seen), box=(z, y, x)):
            yield name, placed(image, derived.voxels[z, y, x], wanted)


def own_settings(step: Filter) -> With:
    """The settings that a filter carries for its own images; none where it carries none."""
    inner = step.step if isinstance(step, Inside) else step
    return inner if isinstance(inner, With) else With(inner)


def _large_enough(image: Volume, sigma: float) -> bool:
    return min(image.shape) >= SMALLEST_LINE and all(
        size >= math.ceil(sigma / step) + 1 for size, step in zip(image.shape, image.spacing_mm, strict=True)
    )
