"""Images per CPU second of a ResNet-18 at 224 px: training in three ways, and scoring with torch and ONNX Runtime.

python benchmarks/deep.py [--images N] [--epochs N] [--repeats N] [--out FILE]

Weights and images are random: the speed does not depend on them. One thread; CPU seconds, so that a busy machine
slows all alike.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from glottis.deep.export import OnnxNetwork, to_onnx
from glottis.deep.settings import TrainingSettings
from glottis.deep.training import NetworkClassifier

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks" / "deep.md"
SIDE = 224
UNTIL = "layer3"


@dataclass(frozen=True)
class Spec:
    """What a backbone says of itself."""

    width: int = 512


@dataclass(frozen=True, eq=False)
class Resnet18:
    """A ResNet-18 of torchvision's shape, as training takes it."""

    module: torch.nn.Module
    origin: str = "random weights"
    stages: tuple[str, ...] = ("layer1", "layer2", "layer3", "layer4")
    last_conv: str = "layer4"
    spec: Spec = Spec()


def resnet18() -> Resnet18:
    from monai.networks.nets import ResNet

    widths = [64, 128, 256, 512]
    shape: dict[str, Any] = {"n_input_channels": 3, "conv1_t_stride": 2, "bias_downsample": False}
    module = ResNet("basic", [2, 2, 2, 2], widths, spatial_dims=2, num_classes=2, **shape)
    module.fc = torch.nn.Identity()
    return Resnet18(module)


@dataclass(frozen=True)
class Speed:
    """One line of the table: images per CPU second, and CPU seconds an image before the first epoch."""

    what: str
    rate: float
    before: float | None = None


def training(what: str, X: np.ndarray, y: np.ndarray, epochs: int, **mode: Any) -> Speed:
    """The rate between the ends of the first and the last epoch; what the fit took before, an epoch aside."""
    settings = TrainingSettings(batch_size=16, epochs=epochs, patience=None)
    ends = [time.process_time()]

    def note(stage: str, done: int, total: int, text: str) -> None:
        if "loss" in text:
            ends.append(time.process_time())

    NetworkClassifier(resnet18, settings=settings, device="cpu", **mode).fit(X, y, progress=note)
    epoch = (ends[-1] - ends[1]) / (len(ends) - 2)
    return Speed(what, len(X) / epoch, max(0.0, ends[1] - ends[0] - epoch) / len(X))


def scoring(what: str, X: np.ndarray, score: Callable[[np.ndarray], object], repeats: int) -> Speed:
    """The median rate, image by image, as a study scores."""
    rates = []
    score(X[:1])
    for _ in range(repeats):
        begun = time.process_time()
        for image in X:
            score(image[None])
        rates.append(len(X) / (time.process_time() - begun))
    return Speed(what, statistics.median(rates))


def eager(network: torch.nn.Module) -> Callable[[np.ndarray], torch.Tensor]:
    def score(images: np.ndarray) -> torch.Tensor:
        with torch.inference_mode():
            return network(torch.from_numpy(images))

    return score


def measure(arguments: argparse.Namespace) -> tuple[list[Speed], float]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(arguments.images, 3, SIDE, SIDE)).astype(np.float32)
    y = np.arange(len(X)) % 2
    frozen = NetworkClassifier(resnet18, settings=TrainingSettings(batch_size=16), mode="frozen", device="cpu")
    begun = time.process_time()
    frozen.fit(X, y)
    speeds = [
        Speed("embedding once and fitting a linear head", len(X) / (time.process_time() - begun)),
        training("training all weights", X, y, arguments.epochs),
        training(f"training behind {UNTIL}, not cached", X, y, arguments.epochs, **partial(None)),
        training(f"training behind {UNTIL}, cached", X, y, 2 * arguments.epochs, **partial("memory")),
    ]
    network = frozen.network_.to(memory_format=torch.contiguous_format)
    exported = OnnxNetwork(to_onnx(network, X.shape[1:]))
    apart = float(np.abs(probability(exported(X)) - probability(eager(network)(X).numpy())).max())
    speeds.append(scoring("scoring with torch, one image at a time", X, eager(network), arguments.repeats))
    speeds.append(scoring("scoring with ONNX Runtime, one image at a time", X, exported, arguments.repeats))
    return speeds, apart


def probability(logits: np.ndarray) -> np.ndarray:
    """Probability of the second class."""
    return 1 / (1 + np.exp(logits[:, 0].astype(float) - logits[:, 1]))


def partial(cache: str | None) -> dict[str, Any]:
    return {"mode": "partial", "frozen_until": UNTIL, "cache": cache}


def page(speeds: list[Speed], apart: float, arguments: argparse.Namespace) -> str:
    full, cached, torch_one, onnx_one = (speeds[at].rate for at in (1, 3, 4, 5))
    lines = [
        f"| {speed.what} | {speed.rate:.1f} | {'-' if speed.before is None else f'{speed.before:.3f} s'} |"
        for speed in speeds
    ]
    names = ("torch", "monai", "onnxruntime", "numpy")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)
    return f"""# The deep arm on one core

Written by `benchmarks/deep.py`: a ResNet-18 at {SIDE} px with random weights, {arguments.images} images,
batches of 16, {arguments.epochs} epochs (cached: {2 * arguments.epochs}), one thread, CPU seconds.
{_processor()}, Python {platform.python_version()}, {versions}.

| task | images per CPU second | before the first epoch, an image |
|---|---|---|
{chr(10).join(lines)}

Cached training is {cached / full:.1f} times as fast as training all weights, once the cache is filled. ONNX Runtime
scores {onnx_one / torch_one:.1f} times as fast as torch, and its probabilities differ by {apart:.0e} at most.
"""


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return platform.machine()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path, default=PAGE)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    text = page(*measure(arguments), arguments)
    print(text)
    arguments.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
