"""Train a ResNet-18 on real chest X-rays (pneumoniamnist, 28 px) and compare it with pixels.

python benchmarks/pneumonia.py DATA [--seeds 0 1 2] [--epochs N] [--weights FILE] [--checkpoints FOLDER]
    [--rows N] [--out FILE]

DATA is the .npz of the shared data. The published training and validation images are trained on together, since
early stopping takes its own split of them; the 624 test images are scored once a seed. ``--weights`` takes a state dict
in torchvision's layout; without it the weights are random.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from glottis.deep.settings import TrainingSettings
from glottis.deep.training import NetworkClassifier
from glottis.evaluation import DelongTest, delong_test, roc_auc

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks" / "pneumonia.md"
HEAD = (
    "seed", "AUC (standard error)", "above the pixels (95%, DeLong, paired)", "p", "epoch used", "training",
    "of it CPU", "images per CPU second",
)  # fmt: skip
MARGIN = 2
"""Pixels that images are padded by, so that a random crop moves them."""


@dataclass(frozen=True)
class Spec:
    """What a backbone says of itself."""

    width: int = 512


@dataclass(frozen=True, eq=False)
class Resnet18:
    """A ResNet-18 as training takes it."""

    module: torch.nn.Module
    origin: str
    stages: tuple[str, ...] = ("layer1", "layer2", "layer3", "layer4")
    last_conv: str = "layer4"
    spec: Spec = Spec()


def resnet18(weights: Path | None) -> Resnet18:
    """One channel and a stem of stride 1 for 28 px; with weights three channels and the stem that they belong to."""
    from monai.networks.nets import ResNet

    stem: dict[str, Any] = {"n_input_channels": 1, "conv1_t_size": 3, "conv1_t_stride": 1}
    if weights is not None:
        stem = {"n_input_channels": 3, "conv1_t_size": 7, "conv1_t_stride": 2}
    widths = [64, 128, 256, 512]
    module = ResNet("basic", [2, 2, 2, 2], widths, spatial_dims=2, num_classes=1000, bias_downsample=False, **stem)
    if weights is not None:
        module.load_state_dict(torch.load(weights, weights_only=True))
    module.fc = torch.nn.Identity()
    return Resnet18(module, "random weights" if weights is None else f"the weights of {weights.name}")


@dataclass(frozen=True, eq=False)
class Images:
    """Images for the network, pixels for the logistic regression."""

    pixels: np.ndarray
    network: np.ndarray
    y: np.ndarray


def images(data: Any, sets: list[str], rows: int | None, *, enlarged: bool) -> Images:
    pixels = np.concatenate([data[f"{name}_images"] for name in sets])[:rows].astype(np.float32) / 255
    y = np.concatenate([data[f"{name}_labels"] for name in sets])[:rows].ravel().astype(int)
    scaled = np.pad((pixels - 0.5) / 0.25, ((0, 0), (MARGIN, MARGIN), (MARGIN, MARGIN)), mode="edge")[:, None]
    if enlarged:  # twice the size, as three channels
        scaled = scaled.repeat(3, axis=1).repeat(2, axis=2).repeat(2, axis=3)
    return Images(pixels.reshape(len(pixels), -1), scaled, y)


@dataclass(frozen=True)
class Run:
    """One seed."""

    seed: int
    auc: float
    se: float
    against: DelongTest
    epochs: int
    best: int
    seconds: float
    cpu: float
    rate: float


def train(seed: int, train: Images, test: Images, pixels: np.ndarray, arguments: argparse.Namespace) -> Run:
    settings = TrainingSettings(
        learning_rate=1e-3, batch_size=64, epochs=arguments.epochs, flips=("horizontal",), patience=4,
        crop=56 if arguments.weights else 28, validation_fraction=0.1,
    )  # fmt: skip
    network = NetworkClassifier(
        partial(resnet18, arguments.weights), settings=settings, device="cpu", random_state=seed,
        checkpoints=arguments.checkpoints,
    )  # fmt: skip
    here: list[str] = []

    def say(stage: str, done: int, total: int, text: str) -> None:
        if "loss" in text:
            here.append(text)
            print(f"seed {seed}, {done} of {total}: {text}", flush=True)

    begun = time.process_time()
    network.fit(train.network, train.y, progress=say)
    cpu = time.process_time() - begun
    score = network.predict_proba(test.network)[:, 1]
    found = roc_auc(test.y, score)
    against = delong_test(test.y, score, pixels)
    done = len(network.history_)
    learnt = (train.y.size - network.validation_rows_.size) * len(here)  # a run that went on counts its own epochs
    return Run(
        seed, found.value, found.se or 0.0, against, done, network.best_epoch_, network.seconds_, cpu, learnt / cpu
    )


def page(runs: list[Run], pixels: float, arguments: argparse.Namespace, sizes: tuple[int, int]) -> str:
    lines = [
        f"| {run.seed} | {run.auc:.4f} ({run.se:.4f}) | {run.against.difference.value:+.4f} "
        f"({run.against.difference.low:+.4f} to {run.against.difference.high:+.4f}) | {run.against.p_value:.2g} "
        f"| {run.best} of {run.epochs} | {run.seconds:.0f} s | {run.cpu:.0f} s | {run.rate:.0f} |"
        for run in runs
    ]
    mean = np.mean([run.auc for run in runs])
    start = "random weights" if arguments.weights is None else f"the weights of {arguments.weights.name}"
    words = f"Mean AUC of {len(runs)} seeds {mean:.4f}" if len(runs) > 1 else f"AUC of one seed {mean:.4f}"
    return f"""# A network on real chest X-rays

Written by `benchmarks/pneumonia.py`. pneumoniamnist (MedMNIST v2): {sizes[0]} images to train on, {sizes[1]} to test
on, 28 px. ResNet-18 from {start}, Adam 1e-3, batches of 64, random horizontal flips and shifts of up to {MARGIN} px,
at most {arguments.epochs} epochs, early stopping on a tenth of the training images; one thread, torch
{torch.__version__}.
Logistic regression on the pixels: AUC {pixels:.4f}. {words}.

| {" | ".join(HEAD)} |
|---|---|---|---|---|---|---|---|
{chr(10).join(lines)}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--checkpoints", type=Path, help="a folder in which a stopped run goes on")
    parser.add_argument("--rows", type=int, help="train on the first rows alone, to try the script")
    parser.add_argument("--out", type=Path, default=PAGE)
    arguments = parser.parse_args()
    with np.load(arguments.data) as data:
        learn = images(data, ["train", "val"], arguments.rows, enlarged=bool(arguments.weights))
        test = images(data, ["test"], None, enlarged=bool(arguments.weights))
    with threadpool_limits(1):
        plain = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=3000)).fit(learn.pixels, learn.y)
        pixels = plain.predict_proba(test.pixels)[:, 1]
    runs = [train(seed, learn, test, pixels, arguments) for seed in arguments.seeds]
    text = page(runs, roc_auc(test.y, pixels).value, arguments, (learn.y.size, test.y.size))
    print(text)
    arguments.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
