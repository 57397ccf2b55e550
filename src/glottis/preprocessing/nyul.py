"""Nyul histogram standardisation: landmarks learnt on training images map every image to one intensity scale.

Nyul, Udupa and Zhang, "New variants of a method of MRI scale standardization", IEEE TMI 19 (2000): 143-150,
doi 10.1109/42.836373. Learning lies apart from applying, so that held-out images never move a landmark.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from glottis._errors import ImageError, SettingsError
from glottis.data.volume import Mask, Volume

PERCENTILES = (1.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 99.0)
"""Landmarks of the standard scale: the deciles between the 1st and the 99th percentile."""
Region = Literal["image", "foreground", "mask"]


@dataclass(frozen=True, kw_only=True)
class NyulTransform:
    """Map an image piecewise linearly from its own percentiles to standard landmarks; beyond them the end slopes go on.

    The result is ``float64``.

    Attributes:
        percentiles: rising percentiles in ``[0, 100]``.
        landmarks: intensities of the standard scale at these percentiles, rising.
        region: voxels whose percentiles count: the whole ``"image"``, its ``"foreground"`` (above the mean, as Nyul
            has it), or the ``"mask"``.

    Raises:
        SettingsError: percentiles and landmarks do not rise or differ in number.
        ImageError: on call, where the image has fewer than two distinct percentiles.
    """

    landmarks: tuple[float, ...]
    percentiles: tuple[float, ...] = PERCENTILES
    region: Region = "foreground"

    def __post_init__(self) -> None:
        _check_percentiles(self.percentiles, self.region)
        if len(self.landmarks) != len(self.percentiles) or np.any(np.diff(self.landmarks) < 0):
            message = (
                f"Nyul landmarks must rise and be as many as the percentiles ({len(self.percentiles)}), got "
                f"{self.landmarks}: learn them with NyulStandardiser."
            )
            raise SettingsError(message)

    def __call__(self, image: Volume, mask: Mask) -> tuple[Volume, Mask]:
        """Return the standardised image and the mask as it came."""
        own = percentile_row(region_intensities(image, mask, self.region), self.percentiles)
        return image.with_voxels(self._mapped(image.voxels.astype(np.float64), own)), mask

    def to_dict(self) -> dict[str, Any]:
        """Landmarks, percentiles and region as plain JSON values."""
        return {
            "landmarks": list(self.landmarks),
            "percentiles": list(self.percentiles),
            "region": self.region,
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """Read what ``to_dict`` wrote.

        Raises:
            SettingsError: a key is missing or unknown.
        """
        expected = {"landmarks", "percentiles", "region"}
        if set(content) != expected:
            message = f"Nyul landmarks need the keys {sorted(expected)}, got {sorted(content)}: store them anew."
            raise SettingsError(message)
        landmarks = tuple(float(value) for value in content["landmarks"])
        percentiles = tuple(float(value) for value in content["percentiles"])
        return cls(landmarks=landmarks, percentiles=percentiles, region=content["region"])

    def _mapped(self, voxels: NDArray[np.float64], own: NDArray[np.float64]) -> NDArray[np.float64]:
        keep = np.concatenate([[True], np.diff(own) > 0])
        source, target = own[keep], np.asarray(self.landmarks)[keep]
        if source.size < 2:
            message = f"The image cannot be standardised: all its percentiles are {source[0]:g}; check the file."
            raise ImageError(message)
        slopes = np.diff(target) / np.diff(source)
        segment = np.clip(np.searchsorted(source, voxels, side="right") - 1, 0, slopes.size - 1)
        mapped: NDArray[np.float64] = target[segment] + (voxels - source[segment]) * slopes[segment]
        return mapped


class NyulStandardiser(BaseEstimator):  # type: ignore[misc]
    """Learn Nyul landmarks from training images.

    Each training image is mapped so that its first and last percentile meet ``scale``; a landmark is the mean of
    what its percentile becomes.

    Args:
        percentiles: rising percentiles in ``[0, 100]``.
        scale: standard intensities of the first and last percentile.
        region: voxels whose percentiles count, see ``NyulTransform``.

    Attributes:
        landmarks_: array ``(n_percentiles,)``, intensities of the standard scale.
        n_images_: number of images learnt from.
    """

    def __init__(
        self,
        *,
        percentiles: tuple[float, ...] = PERCENTILES,
        scale: tuple[float, float] = (0.0, 100.0),
        region: Region = "foreground",
    ) -> None:
        self.percentiles = percentiles
        self.scale = scale
        self.region = region

    def fit(self, X: Sequence[NDArray[Any]], y: object = None) -> Self:
        """Learn the landmarks.

        Args:
            X: for every training image its intensities (any number, from ``region_intensities``), or its row of
                percentiles from ``percentile_row``, told by their number.
            y: ignored.

        Raises:
            SettingsError: the settings are out of range or there is no image.
            ImageError: an image has the same first and last percentile.
        """
        _check_percentiles(self.percentiles, self.region)
        low, high = self.scale
        if not low < high or len(X) == 0:
            message = f"Nyul needs a rising scale and training images, got scale {self.scale} and {len(X)} images."
            raise SettingsError(message)
        rows = np.stack([self._row(values) for values in X])
        first, last = rows[:, :1], rows[:, -1:]
        if np.any(last <= first):
            number = int(np.flatnonzero((last <= first)[:, 0])[0])
            message = f"Training image {number} has one intensity at all percentiles: check the file."
            raise ImageError(message)
        self.landmarks_ = (low + (rows - first) / (last - first) * (high - low)).mean(axis=0)
        self.n_images_ = len(rows)
        return self

    def to_step(self) -> NyulTransform:
        """The learnt landmarks as a step that applies them."""
        check_is_fitted(self, "landmarks_")
        return NyulTransform(
            landmarks=tuple(float(value) for value in self.landmarks_),
            percentiles=tuple(self.percentiles),
            region=self.region,
        )

    def transform_volume(self, image: Volume, mask: Mask) -> Volume:
        """The image on the standard scale; learns nothing."""
        return self.to_step()(image, mask)[0]

    def _row(self, values: NDArray[Any]) -> NDArray[np.float64]:
        values = np.asarray(values, dtype=np.float64)
        if values.shape == (len(self.percentiles),) and np.all(np.diff(values) >= 0):
            return values
        return percentile_row(values, self.percentiles)


def percentile_row(intensities: NDArray[Any], percentiles: Sequence[float] = PERCENTILES) -> NDArray[np.float64]:
    """Percentiles of one image's intensities, the few numbers that landmarks are learnt from.

    Raises:
        ImageError: there are no intensities or some are missing.
    """
    values = np.asarray(intensities, dtype=np.float64).ravel()
    if values.size == 0 or not np.all(np.isfinite(values)):
        message = f"Percentiles need finite intensities, got {values.size} values: check image and mask."
        raise ImageError(message)
    row: NDArray[np.float64] = np.percentile(values, list(percentiles))
    return row


def region_intensities(image: Volume, mask: Mask, region: Region = "foreground") -> NDArray[Any]:
    """The intensities of one image that its percentiles are taken from, as a flat array."""
    if region == "mask":
        inside: NDArray[Any] = image.voxels[mask.voxels]
    elif region == "foreground":
        inside = image.voxels[image.voxels > image.voxels.mean()]
    else:
        inside = image.voxels.ravel()
    return inside


def _check_percentiles(percentiles: Sequence[float], region: str) -> None:
    rising = len(percentiles) >= 2 and bool(np.all(np.diff(percentiles) > 0))
    if not rising or percentiles[0] < 0 or percentiles[-1] > 100 or region not in ("image", "foreground", "mask"):
        message = (
            f"Nyul needs at least two rising percentiles in [0, 100] and region image, foreground or mask, got "
            f"{tuple(percentiles)} and '{region}'."
        )
        raise SettingsError(message)
