"""A backbone with a linear head: made from the same start each time, taken apart, hashed."""

from __future__ import annotations

import copy
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from glottis import _optional
from glottis._errors import SettingsError

if TYPE_CHECKING:
    from torch import nn

Floats = NDArray[np.floating[Any]]
N_CLASSES = 2


class Start(Protocol):
    """What training needs of a backbone.

    Attributes:
        module: (n, channels, height, width) to pooled features (n, width).
        stages: names of its blocks, input side first.
        last_conv: name of the layer that Grad-CAM looks at.
        spec: with ``width``, the number of features.
        origin: where the weights come from, in words.
    """

    module: Any
    stages: Sequence[str]
    last_conv: str
    spec: Any
    origin: str


Backbone = Start | Callable[[], Start]
"""A backbone, or a function that makes one; either is used as the same start for every fit."""


def start_of(backbone: Backbone) -> Start:
    """A backbone whose weights are its own: training them leaves the start as it was."""
    start: Any = backbone if hasattr(backbone, "module") else backbone()
    own: Start = copy.copy(start)
    object.__setattr__(own, "module", copy.deepcopy(own.module))  # it may be a frozen dataclass
    return own


def with_head(module: nn.Module, width: int) -> nn.Sequential:
    """The module with a linear head for two classes on top, weights drawn from torch's generator."""
    layers = _optional.require("torch.nn", extra="deep")
    network: nn.Sequential = layers.Sequential(OrderedDict(backbone=module, head=layers.Linear(width, N_CLASSES)))
    return network


def set_head(network: nn.Module, weights: Floats, intercept: float) -> None:
    """Make the head give 0 for the first class and a linear predictor for the second.

    Args:
        network: its head is written to.
        weights: (width,) of the linear predictor.
        intercept: of the linear predictor.
    """
    torch = _optional.require("torch", extra="deep")
    head: Any = network.head
    with torch.no_grad():
        head.weight.zero_()
        head.bias.zero_()
        head.weight[1] = torch.as_tensor(weights)
        head.bias[1] = intercept


def state_hash(module: nn.Module) -> str:
    """SHA-256 over names and values of all weights and buffers."""
    digest = hashlib.sha256()
    for name, value in module.state_dict().items():
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def chosen_device(name: str) -> str:
    """The device by name; ``"auto"`` is CUDA, Apple's MPS or the CPU, the first that is there.

    Raises:
        SettingsError: no such device here.
    """
    torch = _optional.require("torch", extra="deep")
    here = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return next(device for device, there in here.items() if there)
    if not here.get(name.partition(":")[0]):
        known = ", ".join(device for device, there in here.items() if there)
        message = f"The device '{name}' is not there: give 'auto', or one of this machine's ({known})."
        raise SettingsError(message)
    return name


@contextmanager
def repeatable(seed: int, threads: int, device: str) -> Iterator[None]:
    """Torch at this thread count, its generators seeded and afterwards as they were before."""
    torch = _optional.require("torch", extra="deep")
    before = torch.get_num_threads()
    kind = device.partition(":")[0]
    cards = list(range(torch.cuda.device_count())) if kind == "cuda" else []
    exact = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
    torch.set_num_threads(threads)
    try:
        with torch.random.fork_rng(devices=cards), exact:
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(before)
