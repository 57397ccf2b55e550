"""A network of three convolutions, and tasks that it learns or cannot learn in a second."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from glottis.deep.settings import TrainingSettings

STAGES = ("stem", "block1", "block2")
QUICK = TrainingSettings(learning_rate=1e-2, batch_size=16, epochs=6, weight_decay=0, patience=None)


@dataclass(frozen=True)
class TinySpec:
    width: int = 16


@dataclass(frozen=True)
class TinyBackbone:
    """What training asks of a backbone."""

    module: nn.Module
    stages: tuple[str, ...] = STAGES
    last_conv: str = "block2.0"
    spec: TinySpec = TinySpec()
    origin: str = "random weights of a test"


class Counted(nn.Module):
    """Convolution, batch norm, ReLU; says how many images it has seen."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, width, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not torch.compiler.is_exporting():  # there a count would fix the number of images
            SEEN[0] += len(x)
        return torch.relu(self.norm(self.conv(x)))


SEEN = [0]
"""Images that the first blocks of all tiny networks have seen."""


class TinyNetwork(nn.Module):
    """Three blocks with a pool between that is no stage, then the means of both halves of every channel."""

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.stem = Counted(1, width)
        self.pool = nn.MaxPool2d(3, stride=1, padding=1)
        self.block1 = nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU())
        self.block2 = nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU())
        self.drop = nn.Dropout(0.2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.block2(self.block1(self.pool(self.stem(x))))
        halves = torch.cat([x[..., : x.shape[-1] // 2].mean((2, 3)), x[..., x.shape[-1] // 2 :].mean((2, 3))], 1)
        return self.drop(halves)


class SkippingNetwork(TinyNetwork):
    """The same with a way round the first block, so that nothing can be cut behind the stem's pool."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        early = self.stem(x)
        x = self.block2(self.block1(self.pool(early))) + early
        return torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1)


def tiny() -> TinyBackbone:
    """A backbone drawn from torch's generator, as a maker without weights does."""
    return TinyBackbone(TinyNetwork())


def skipping() -> TinyBackbone:
    return TinyBackbone(SkippingNetwork())


def seeded(seed: int = 0) -> TinyBackbone:
    """The same weights each time."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return tiny()


def squares(n: int, seed: int = 0, side: int = 16) -> tuple[np.ndarray, np.ndarray]:
    """(n, 1, side, side) noise with a bright square on the left (0) or on the right (1)."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 1, side, side)).astype(np.float32)
    y = np.arange(n) % 2
    for image, label in zip(X, y, strict=True):
        top, left = rng.integers(side - 4), rng.integers(side // 2 - 4) + label * side // 2
        image[0, top : top + 4, left : left + 4] += 3
    return X, y


def noise(n: int, seed: int, side: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """(n, 1, side, side) noise with classes that have nothing to do with it."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 1, side, side)).astype(np.float32), rng.permutation(np.arange(n) % 2)


def auc(y: np.ndarray, score: np.ndarray) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(y, score))


def same_weights(first: nn.Module, second: nn.Module) -> bool:
    """Whether every weight and buffer has the same bits."""
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    return all(torch.equal(one, other) for one, other in pairs)
