"""Images as a network takes them: batches, random flips and crops, from the epoch's own seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glottis._errors import ImageError, SettingsError
from glottis.deep.settings import TrainingSettings

Images = NDArray[np.float32]
Rows = NDArray[np.intp]
AXES = {"horizontal": 2, "vertical": 1}


def as_images(X: ArrayLike, crop: int | None) -> Images:
    """The images as (n, channels, height, width) float32.

    Raises:
        ImageError: another number of axes, no image, or a value that is not finite.
        SettingsError: the crop is larger than the images.
    """
    images: Images = np.ascontiguousarray(X, dtype=np.float32)
    if images.ndim != 4 or not images.size:
        message = f"Images of shape {images.shape}: give (n, channels, height, width) with at least one image."
        raise ImageError(message)
    if not np.isfinite(images).all():
        first = int(np.flatnonzero(~np.isfinite(images).all(axis=(1, 2, 3)))[0])
        message = f"Image {first} has values that are not finite: look at its crop, and at its intensity scaling."
        raise ImageError(message)
    if crop is not None and crop > min(images.shape[2:]):
        message = f"crop={crop} is larger than the images ({images.shape[2]} x {images.shape[3]}): give a smaller one."
        raise SettingsError(message)
    return images


@dataclass(frozen=True)
class Augmentation:
    """What a network sees of an image: a random view of a training image, the central one of any other.

    Attributes:
        settings: flips and crop.
    """

    settings: TrainingSettings

    def central(self, images: Images) -> Images:
        """The central squares of (n, c, h, w) images."""
        side = self.settings.crop
        if side is None:
            return images
        top, left = ((size - side) // 2 for size in images.shape[2:])
        return images[:, :, top : top + side, left : left + side]

    def view(self, images: Images, rng: np.random.Generator) -> Images:
        """A random view of each of (n, c, h, w) images."""
        return np.stack([self._one(image, rng) for image in images])

    def _one(self, image: Images, rng: np.random.Generator) -> Images:
        side = self.settings.crop
        if side is not None:
            top, left = (int(rng.integers(size - side + 1)) for size in image.shape[1:])
            image = image[:, top : top + side, left : left + side]
        mirrored = tuple(AXES[flip] for flip in self.settings.flips if rng.random() < 0.5)
        return np.flip(image, mirrored)


def epoch_generator(seed: int, epoch: int) -> np.random.Generator:
    """The generator of one epoch: its order and its views do not depend on the epochs before."""
    return np.random.default_rng([seed, epoch])


def shuffled(rows: Rows, size: int, rng: np.random.Generator) -> list[Rows]:
    """The rows in random order, in batches of ``size``; a single last row joins the batch before."""
    batches = list(in_turn(rng.permutation(rows), size))
    if len(batches) > 1 and batches[-1].size == 1:
        batches[-2:] = [np.concatenate(batches[-2:])]
    return batches


def in_turn(rows: NDArray[Any], size: int) -> Iterator[NDArray[Any]]:
    """The rows as they come, in batches of ``size``.

    >>> [batch.tolist() for batch in in_turn(np.arange(5), 2)]
    [[0, 1], [2, 3], [4]]
    """
    for first in range(0, rows.size, size):
        yield rows[first : first + size]
