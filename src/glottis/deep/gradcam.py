"""Grad-CAM: which part of a crop speaks for a class, and where that is in the patient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import map_coordinates

from glottis._errors import ImageError, SettingsError
from glottis._optional import require
from glottis.data.volume import Volume
from glottis.deep.backbones import Backbone
from glottis.deep.crops import CropResult

if TYPE_CHECKING:
    from torch import Tensor, nn

Heat = NDArray[np.float32]


@dataclass(frozen=True, eq=False, kw_only=True)
class HeatMap:
    """What speaks for a class.

    Attributes:
        heat: (h, w) of the layer, 0 to 1: the map over its own maximum; all 0 where nothing speaks for the class.
        raw_maximum: of the map before. The cells' values, those below 0 included, add up to the logit without its
            bias, so maps of two images can be compared with it alone.
        target: the class.
        logit: of that class.
        layer: whose maps were weighted.
    """

    heat: Heat
    raw_maximum: float
    target: int
    logit: float
    layer: str

    def resized(self, size: int) -> Heat:
        """The map over a crop of so many pixels a side, linear between the cells' centres."""
        at = [(np.arange(size) + 0.5) * (cells / size) - 0.5 for cells in self.heat.shape]
        return _sampled(self.heat, *at)


def grad_cam(
    backbone: Backbone, pixels: ArrayLike, *, weights: ArrayLike, bias: ArrayLike = 0.0, target: int | None = None
) -> HeatMap:
    """Grad-CAM of one crop for one class of a linear head on the pooled features (Selvaraju et al. 2017, eq. 1 and 2).

    Args:
        backbone: the network; its parameters may be frozen, and its mode is kept.
        pixels: (channels, rows, columns), or (1, channels, rows, columns).
        weights: of the head, (classes, width); (width,) or (1, width) is a binary head, whose class 0 has the negative
            logit. Where features are standardised before the head, fold that into its weights.
        bias: of the head, (classes,) or a number; it moves the logit, never the map.
        target: the class; None is the predicted one.

    Raises:
        SettingsError: a head of another width, an unknown class, or a network without a convolution to look at.
        ImageError: pixels of another shape.
    """
    torch = require("torch", extra="deep")
    values = np.asarray(pixels, dtype=np.float32)
    image = values if values.ndim == 4 else values[None]
    if image.ndim != 4 or len(image) != 1 or image.shape[1] != backbone.spec.channels:
        message = (
            f"Grad-CAM takes one crop of {backbone.spec.channels} channels, got an array of shape {values.shape}: give "
            "one image at a time, channels first."
        )
        raise ImageError(message)
    head, offset = _linear(weights, bias, backbone)
    device = next(iter(backbone.module.parameters())).device
    maps, features = _run(backbone, torch.from_numpy(image).to(device))
    logits = features.detach().cpu().numpy()[0].astype(np.float64) @ head.T + offset
    chosen = int(np.argmax(logits)) if target is None else target
    if not 0 <= chosen < len(head):
        message = f"Grad-CAM cannot explain class {chosen} of a head with {len(head)}: give 0 to {len(head) - 1}."
        raise SettingsError(message)
    spoken = features @ torch.from_numpy(head[chosen].astype(np.float32)).to(device)
    (gradient,) = torch.autograd.grad(spoken.sum(), maps)
    raw = torch.relu((gradient.mean((2, 3), keepdim=True) * maps).sum(1)[0]).detach().cpu().numpy()
    largest = float(raw.max())
    return HeatMap(
        heat=(raw / largest if largest > 0 else raw).astype(np.float32),
        raw_maximum=largest,
        target=chosen,
        logit=float(logits[chosen]),
        layer=backbone.last_conv,
    )


def on_image_grid(heat: Heat, crop: CropResult, volume: Volume) -> Volume:
    """A heat map back in its one slice of the image, ``float32``, 0 elsewhere; `glottis.io` writes it as NRRD.

    Args:
        heat: (h, w) over the whole crop, of any resolution; linear between its cells' centres.
        crop: whose pixels were looked at.
        volume: the image that the crop was cut from.

    Raises:
        ImageError: the image has another grid than the crop's, or the heat map another shape than (h, w).
    """
    if crop.grid != (volume.shape, volume.spacing_mm):
        message = (
            f"The crop was cut from another grid {crop.grid} than {(volume.shape, volume.spacing_mm)}: give its image."
        )
        raise ImageError(message)
    if np.ndim(heat) != 2:
        message = f"A heat map has rows and columns, got shape {np.shape(heat)}: give the map of one crop."
        raise ImageError(message)
    size = crop.pixels.shape[-1]
    within, at = [], []
    for along, cells in enumerate(heat.shape):
        pixel = crop.pixel_coordinates(along)
        within.append((pixel >= -0.5) & (pixel <= size - 0.5))
        at.append((pixel + 0.5) * (cells / size) - 0.5)
    filled = np.zeros(volume.shape, dtype=np.float32)
    place: list[Any] = [slice(None)] * 3
    place[crop.axis] = crop.slice_index
    filled[tuple(place)] = np.where(np.outer(*within), _sampled(heat, *at), 0)
    return volume.with_voxels(filled)


def _sampled(heat: Heat, rows: NDArray[np.float64], columns: NDArray[np.float64]) -> Heat:
    grid = np.meshgrid(rows, columns, indexing="ij")
    values: Heat = map_coordinates(np.asarray(heat, dtype=np.float32), grid, order=1, mode="nearest")
    return values


def _linear(weights: ArrayLike, bias: ArrayLike, backbone: Backbone) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    head = np.atleast_2d(np.asarray(weights, dtype=np.float64))
    if head.ndim != 2 or head.shape[1] != backbone.spec.width:
        message = (
            f"The head has weights of shape {np.shape(weights)}, {backbone.spec.name} gives {backbone.spec.width} "
            "features: give (classes, width)."
        )
        raise SettingsError(message)
    offset = np.broadcast_to(np.asarray(bias, dtype=np.float64), len(head))
    if len(head) == 1:
        return np.concatenate([-head, head]), np.concatenate([-offset, offset])
    return head, offset


def _run(backbone: Backbone, image: Tensor) -> tuple[Tensor, Tensor]:
    """The layer's maps, which gradients reach, and the features made of them."""
    torch = require("torch", extra="deep")
    module = backbone.module
    if not backbone.last_conv:
        message = f"{backbone.spec.name} has no convolution, so Grad-CAM has no map: choose a convolutional backbone."
        raise SettingsError(message)
    seen: list[Tensor] = []

    def keep(layer: nn.Module, given: Any, output: Tensor) -> Tensor:
        seen.append(output.detach().requires_grad_())  # a leaf: nothing before it needs a gradient
        return seen[0].clone()  # what follows may work in place

    training = module.training
    handle = module.get_submodule(backbone.last_conv).register_forward_hook(keep)
    try:
        module.eval()
        with torch.enable_grad():
            features = module(image)
    finally:
        handle.remove()
        module.train(training)
    if not seen or seen[0].ndim != 4:
        message = f"'{backbone.last_conv}' of {backbone.spec.name} gives no 2D maps: Grad-CAM needs a 2D convolution."
        raise SettingsError(message)
    return seen[0], features
