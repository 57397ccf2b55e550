"""From rows to logits: through the whole network, or through its rest on activations that were kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from glottis import _optional
from glottis.deep.cut import Cut
from glottis.deep.images import Augmentation, Images, Rows, in_turn

if TYPE_CHECKING:
    from torch import Tensor, nn


class Forward(Protocol):
    """Logits of rows: of a random view of each, or of the central one without a generator."""

    def __call__(self, rows: Rows, rng: np.random.Generator | None = None) -> Tensor:
        """(n, classes) logits."""


@dataclass(frozen=True, eq=False)
class Whole:
    """Every image through the whole network.

    Attributes:
        network: what is run.
        images: (n, c, h, w).
        augmentation: how an image is seen.
        device: where the network is.
    """

    network: nn.Module
    images: Images
    augmentation: Augmentation
    device: str

    def seen(self, rows: Rows, rng: np.random.Generator | None = None) -> Tensor:
        """The images of these rows on the device."""
        images = self.images[rows]
        view = self.augmentation.central(images) if rng is None else self.augmentation.view(images, rng)
        return tensor_of(view, self.device)

    def __call__(self, rows: Rows, rng: np.random.Generator | None = None) -> Tensor:
        """(n, classes) logits."""
        logits: Tensor = self.network(self.seen(rows, rng))
        return logits


@dataclass(frozen=True, eq=False)
class Cached:
    """What does not change is run once: the frozen part on images that are not augmented.

    Attributes:
        whole: for augmented images.
        cut: where the frozen part ends.
        activations: (n, ...) of the rows that were run; the others are never asked for.
    """

    whole: Whole
    cut: Cut
    activations: NDArray[np.float32]

    def __call__(self, rows: Rows, rng: np.random.Generator | None = None) -> Tensor:
        """(n, classes) logits."""
        if rng is not None and self.whole.augmentation.settings.random:
            return self.whole(rows, rng)
        network: Any = self.whole.network
        logits: Tensor = network.head(self.cut.tail(tensor_of(self.activations[rows], self.whole.device)))
        return logits


def activations(whole: Whole, cut: Cut, rows: Rows, batch_size: int, file: Path | None) -> NDArray[np.float32]:
    """What leaves the frozen part, for these rows.

    Args:
        whole: network and images.
        cut: where the frozen part ends.
        rows: which to run.
        batch_size: images a step.
        file: keep them here, mapped into memory; None keeps them in memory.

    Returns:
        (images, ...): zeros where a row was not run.
    """
    kept: NDArray[np.float32] | None = None
    whole.network.eval()
    for batch in in_turn(rows, batch_size):
        found = cut.head(whole.seen(batch)).cpu().numpy()
        if kept is None:
            kept = _room((len(whole.images), *found.shape[1:]), file)
        kept[batch] = found
    assert kept is not None  # there is at least one row
    return kept


def tensor_of(values: NDArray[np.float32], device: str) -> Tensor:
    """An array on a device, in the layout that is fastest on a CPU."""
    torch = _optional.require("torch", extra="deep")
    tensor: Tensor = torch.from_numpy(np.ascontiguousarray(values)).to(device)
    return tensor.contiguous(memory_format=torch.channels_last) if tensor.ndim == 4 else tensor


def _room(shape: tuple[int, ...], file: Path | None) -> NDArray[np.float32]:
    if file is None:
        return np.zeros(shape, dtype=np.float32)
    file.parent.mkdir(parents=True, exist_ok=True)
    room: NDArray[np.float32] = np.lib.format.open_memmap(file, mode="w+", dtype=np.float32, shape=shape)
    return room
