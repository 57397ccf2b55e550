"""How crops are cut and scaled: the settings, and the arithmetic on pixels that they stand for."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, TypeVar, get_args

import numpy as np
from numpy.typing import NDArray

from glottis._errors import ImageError, SettingsError, nearest

Keep = Literal["square", "box", "mask"]
Scaling = Literal["image", "crop", "window"]
Across = Literal["auto", "z", "y", "x"]
Floats = NDArray[np.float64]
Inside = NDArray[np.bool_]
Pixels = TypeVar("Pixels", bound=NDArray[Any])
# mean and standard deviation of ImageNet's colours, which every torchvision network was trained with
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_SD = (0.229, 0.224, 0.225)


@dataclass(frozen=True, kw_only=True)
class CropSettings:
    """What a crop shows, and in which numbers.

    Study A of the notes is the default; study B is ``scaling="window", window=(...), resize=256``.

    Attributes:
        across: the axis across the slices; ``"auto"`` takes the plane of acquisition from the voxel spacing.
        margin_mm: tissue shown on each side of the lesion's box.
        keep: ``"square"`` keeps all of the square, ``"box"`` only the lesion's box with its margin, ``"mask"`` only the
            lesion. The rest, and what lies beyond the image, is set to the lowest intensity that the square shows.
        scaling: ``"image"`` is the z-score of the whole image, ``"crop"`` that of the pixels kept; ``"window"`` maps
            the window to 0..1, then subtracts ``mean`` and divides by ``sd``.
        window: lower and upper intensity, in the unit of the image; needed by and only for ``"window"``.
        mean: of each channel, for ``"window"``; ImageNet's unless the backbone says otherwise.
        sd: likewise.
        channels: of the crop.
        neighbours: channels show neighbouring slices (2.5D; the outermost is repeated where the image ends) instead of
            the same slice.
        resize: pixels a side after resizing.
        size: pixels a side after cutting the centre out. Random crops belong to training: give it ``uncut()`` crops.

    Raises:
        SettingsError: an unknown word or a number out of range.
    """

    across: Across = "auto"
    margin_mm: float = 5.0
    keep: Keep = "square"
    scaling: Scaling = "image"
    window: tuple[float, float] | None = None
    mean: tuple[float, ...] = IMAGENET_MEAN
    sd: tuple[float, ...] = IMAGENET_SD
    channels: int = 3
    neighbours: bool = False
    resize: int = 224
    size: int = 224

    def __post_init__(self) -> None:
        for name in ("window", "mean", "sd"):
            value = getattr(self, name)
            object.__setattr__(self, name, None if value is None else tuple(float(number) for number in value))
        for name, known in (("across", Across), ("keep", Keep), ("scaling", Scaling)):
            given = getattr(self, name)
            if given not in get_args(known):
                message = f"Crop setting {name}='{given}' is unknown: {nearest(str(given), get_args(known))}."
                raise SettingsError(message)
        self._check_sizes()
        self._check_window()

    def _check_sizes(self) -> None:
        if not (np.isfinite(self.margin_mm) and self.margin_mm >= 0):
            message = f"Crop margin_mm is {self.margin_mm:g}: give 0 or a positive number of millimetres."
            raise SettingsError(message)
        if not 1 <= self.size <= self.resize:
            message = f"Crop size {self.size} must lie between 1 and resize {self.resize}: 224 and 256 are usual."
            raise SettingsError(message)
        if self.channels < 1 or (self.neighbours and self.channels % 2 == 0):
            message = (
                f"A crop cannot have {self.channels} channels: give 1 or more, and an odd number with neighbours=True."
            )
            raise SettingsError(message)

    def _check_window(self) -> None:
        if (self.window is not None) != (self.scaling == "window"):
            message = (
                f"Crop scaling='{self.scaling}' with window={self.window}: give window=(lower, upper) with "
                "scaling='window', and only there."
            )
            raise SettingsError(message)
        if self.window is None:
            return
        if len(self.window) != 2 or not self.window[0] < self.window[1]:
            message = f"Crop window {self.window} must be a lower and a higher intensity, for example (-160, 240)."
            raise SettingsError(message)
        if not len(self.mean) == len(self.sd) == self.channels or min(self.sd) <= 0:
            message = (
                f"Crop mean {self.mean} and sd {self.sd} must hold a number for each of {self.channels} channels, the "
                "sd above 0."
            )
            raise SettingsError(message)

    def uncut(self) -> CropSettings:
        """The same without the last cut, for a training that takes random crops of ``size`` itself."""
        return replace(self, size=self.resize)

    def to_dict(self) -> dict[str, Any]:
        """The settings as plain JSON values; ``CropSettings(**settings.to_dict())`` gives them back."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self), allow_nan=False))
        return plain

    def content_key(self) -> str:
        """SHA-256 of ``to_dict()``: the part of a cache key that says how a crop was made."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()

    def scaled(self, sampled: Floats, *, seen: Inside, kept: Inside, image: NDArray[Any]) -> Floats:
        """Fill what is not shown and scale.

        Args:
            sampled: (channels, rows, columns) intensities.
            seen: (rows, columns), inside the image.
            kept: (rows, columns), shown; part of ``seen``.
            image: the whole volume's voxels.

        Raises:
            ImageError: values that are not finite, or all the same.
        """
        _finite(sampled[:, seen])
        values = sampled if self.window is None else np.clip(sampled, *self.window)
        filled = np.where(kept, values, values[:, seen].min())
        if self.window is not None:
            lower, upper = self.window
            mean, sd = (np.reshape(numbers, (-1, 1, 1)) for numbers in (self.mean, self.sd))
            shown: Floats = ((filled - lower) / (upper - lower) - mean) / sd
            return shown
        sample = image.astype(np.float64) if self.scaling == "image" else values[:, kept]
        return _z_score(filled, sample, self.scaling)

    def central(self, pixels: Pixels) -> Pixels:
        """The middle ``size`` rows and columns of the last two axes."""
        start = (self.resize - self.size) // 2
        middle: Pixels = pixels[..., start : start + self.size, start : start + self.size]  # type: ignore[assignment]  # numpy types a slice as its base
        return middle


def _z_score(pixels: Floats, sample: Floats, where: str) -> Floats:
    _finite(sample)
    spread = float(sample.std(ddof=1)) if sample.size > 1 else 0.0
    if spread <= 1e-12 * max(1.0, float(np.abs(sample).max())):
        message = (
            f"The crop cannot be scaled by the z-score of the {where}: its {sample.size} values are all "
            f"{float(sample.mean()):g}; check that the file holds an image, or use another scaling."
        )
        raise ImageError(message)
    scored: Floats = (pixels - sample.mean()) / spread
    return scored


def _finite(values: Floats) -> None:
    if not np.isfinite(values).all():
        bad = int(np.count_nonzero(~np.isfinite(values)))
        message = f"The crop cannot be scaled: {bad} values are not finite; repair the image."
        raise ImageError(message)
