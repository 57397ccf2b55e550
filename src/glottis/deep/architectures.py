"""Networks by layout: how each is built, how a published file names its weights, where its features leave.

Every network becomes one ``torch.nn.Sequential`` of named stages that ends in global average pooling, so that it can be
cut behind any stage. Layers are MONAI's; weights are loaded before the pieces are put together.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from glottis._optional import require

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, eq=False, kw_only=True)
class Architecture:
    """A network that can be built.

    Attributes:
        build: makes the whole network, its weights random.
        assemble: turns it into stages that end in pooling.
        stages: names of the stages, from the image on.
        last_conv: the stage whose maps are pooled.
        head: name of the classifier in a published file, which the features do without.
        dropped: other parts of a published file that are not features.
        rename: a published file's name of a weight to the network's.
    """

    build: Callable[[], nn.Module]
    assemble: Callable[[nn.Module], nn.Module]
    stages: tuple[str, ...]
    last_conv: str
    head: str
    dropped: tuple[str, ...] = ()
    rename: Callable[[str], str] = str


LAYERS = ("layer1", "layer2", "layer3", "layer4")
# repeats, kernel, stride, widening, input, output of each stage: EfficientNet-B0 (Tan and Le 2019, table 1)
_LITE0 = (
    "r1_k3_s11_e1_i32_o16",
    "r2_k3_s22_e6_i16_o24",
    "r2_k5_s22_e6_i24_o40",
    "r3_k3_s22_e6_i40_o80",
    "r3_k5_s11_e6_i80_o112",
    "r4_k5_s22_e6_i112_o192",
    "r1_k3_s11_e6_i192_o320",
)
_LITE0_REPEATS = tuple(int(stage[1]) for stage in _LITE0)


def resnet(block: str, layers: tuple[int, int, int, int], *, spatial_dims: int = 2) -> Architecture:
    """A ResNet in torchvision's layout (2D), or in MedicalNet's (3D: one channel, dilated layers at the end).

    Args:
        block: ``"basic"`` or ``"bottleneck"``.
        layers: blocks of each stage.
        spatial_dims: 2 or 3.
    """

    def build() -> nn.Module:
        network: nn.Module = require("monai.networks.nets", extra="deep").ResNet(
            block=block,
            layers=list(layers),
            block_inplanes=[64, 128, 256, 512],
            spatial_dims=spatial_dims,
            n_input_channels=3 if spatial_dims == 2 else 1,
            conv1_t_stride=2,  # forgetting it loads as well, and gives other features
            feed_forward=False,
            bias_downsample=False,
        )
        if spatial_dims == 3:
            _dilate(network)
        return network

    return Architecture(
        build=build,
        assemble=_resnet_stages,
        stages=("stem", *LAYERS),
        last_conv="layer4",
        head="fc",
        dropped=("conv_seg.",),
    )


def _dilate(network: Any) -> None:
    """Layers 3 and 4 keep their resolution and look 2 and 4 voxels far, as in MedicalNet's resnet.py."""
    for layer, dilation in ((network.layer3, 2), (network.layer4, 4)):
        for name, part in layer.named_modules():
            if name.endswith(("conv1", "conv2")):
                part.stride, part.dilation, part.padding = (1,) * 3, (dilation,) * 3, (dilation,) * 3
            elif name.endswith("downsample.0"):
                part.stride = (1,) * 3


def _resnet_stages(network: Any) -> nn.Module:
    layers = require("torch.nn", extra="deep")
    stem = OrderedDict(conv1=network.conv1, bn1=network.bn1, act=network.act, maxpool=network.maxpool)
    parts = [("stem", layers.Sequential(stem)), *((name, getattr(network, name)) for name in LAYERS)]
    return _pooled(parts, network.avgpool)


def efficientnet_lite0() -> Architecture:
    """EfficientNet-Lite0: ReLU6, no squeeze-and-excitation; for images whose sides are multiples of 32."""

    def build() -> nn.Module:
        layers = require("torch.nn", extra="deep")
        network = require("monai.networks.nets", extra="deep").EfficientNet(list(_LITE0), image_size=224)
        for part in network.modules():
            if hasattr(part, "_swish"):
                part._swish = layers.ReLU6()
        network._fc = layers.Identity()
        built: nn.Module = network
        return built

    return Architecture(
        build=build,
        assemble=_lite0_stages,
        stages=("stem", *(f"stage{i}" for i in range(1, 8)), "top"),
        last_conv="top",
        head="_fc",
        rename=_lite0_name,
    )


def _lite0_name(name: str) -> str:
    """Published files number the blocks through; here they are numbered within stages, too.

    >>> _lite0_name("_blocks.3._bn0.weight"), _lite0_name("_bn0.bias")
    ('_blocks.2.3._bn0.weight', '_bn0.bias')
    """

    def place(found: re.Match[str]) -> str:
        block = int(found[1])
        stage = next(s for s in range(len(_LITE0_REPEATS)) if block < sum(_LITE0_REPEATS[: s + 1]))
        return f"_blocks.{stage}.{block}."

    return re.sub(r"^_blocks\.(\d+)\.", place, name)


def _lite0_stages(network: Any) -> nn.Module:
    layers = require("torch.nn", extra="deep")
    stem = OrderedDict(pad=network._conv_stem_padding, conv=network._conv_stem, bn=network._bn0, act=layers.ReLU6())
    top = OrderedDict(conv=network._conv_head, bn=network._bn1, act=layers.ReLU6())
    parts = [("stem", layers.Sequential(stem))]
    parts += [(f"stage{i}", stage) for i, stage in enumerate(network._blocks, start=1)]
    return _pooled([*parts, ("top", layers.Sequential(top))], network._avg_pooling)


def _pooled(parts: list[tuple[str, Any]], pooling: nn.Module) -> nn.Module:
    layers = require("torch.nn", extra="deep")
    stages: nn.Module = layers.Sequential(OrderedDict([*parts, ("pool", pooling), ("flatten", layers.Flatten(1))]))
    return stages
