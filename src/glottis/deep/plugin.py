"""Networks from outside: imported by path, and looked at with an empty image."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from glottis._errors import SettingsError
from glottis._optional import require

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class Inspected:
    """What a network shows when it runs.

    Attributes:
        width: number of its features.
        stages: its ``stages`` where it names them, else its direct parts that hold weights.
        last_conv: its ``last_conv`` where it names one, else its last convolution; empty without one.
    """

    width: int
    stages: tuple[str, ...]
    last_conv: str


def instance_of(path: str) -> nn.Module:
    """The network of an import path ``package.module:Class``, in evaluation mode; this runs code.

    Raises:
        SettingsError: it cannot be imported or made, or is no network.
    """
    where, _, name = path.partition(":")
    try:
        made = getattr(importlib.import_module(where), name)()
    except Exception as error:  # foreign code may raise anything
        message = f"Backbone '{path}' cannot be made ({type(error).__name__}: {error}): check the path and its module."
        raise SettingsError(message) from error
    if not isinstance(made, require("torch.nn", extra="deep").Module):
        message = f"Backbone '{path}' is a {type(made).__name__}, not a torch.nn.Module: give a class of networks."
        raise SettingsError(message)
    network: nn.Module = made.eval()
    return network


def inspected(module: nn.Module, name: str, shape: tuple[int, ...]) -> Inspected:
    """Run one empty image through a network.

    Args:
        module: the network.
        name: for messages.
        shape: of the image, channels first.

    Raises:
        SettingsError: it cannot take the image, or gives something else than (1, width).
    """
    torch = require("torch", extra="deep")
    size = " x ".join(map(str, shape))
    try:
        with torch.no_grad():
            output = module(torch.zeros(1, *shape))
    except Exception as error:  # foreign code may raise anything
        message = f"Backbone '{name}' fails on an image of {size} ({type(error).__name__}: {error}): state its spec."
        raise SettingsError(message) from error
    found = tuple(getattr(output, "shape", ()))
    if len(found) != 2 or found[0] != 1:
        message = f"Backbone '{name}' gives {type(output).__name__} {found} for one image: it must give (1, width)."
        raise SettingsError(message)
    convolutions = [part for part, layer in module.named_modules() if type(layer).__name__.startswith("Conv")]
    direct = [part for part, layer in module.named_children() if any(True for _ in layer.parameters())]
    stages = getattr(module, "stages", None)
    return Inspected(
        width=int(found[1]),
        stages=tuple(direct if stages is None else stages),
        last_conv=str(getattr(module, "last_conv", convolutions[-1] if convolutions else "")),
    )
