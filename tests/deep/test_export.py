"""ONNX: the same numbers as torch, and nothing read but its own bytes."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_networks import QUICK, seeded, squares
from torch import nn

from glottis._errors import BundleError, ImageError
from glottis.deep.export import OnnxNetwork, to_onnx
from glottis.deep.external import refuse_external_data
from glottis.deep.training import NetworkClassifier

onnx = pytest.importorskip("onnx", reason="the extra deep is not installed")
pytest.importorskip("onnxscript", reason="the extra deep is not installed")
pytest.importorskip("onnxruntime", reason="the extra deep is not installed")


@pytest.fixture(scope="module")
def fitted() -> NetworkClassifier:
    X, y = squares(40)
    return NetworkClassifier(seeded, settings=QUICK).fit(X, y)


@pytest.fixture(scope="module")
def exported(fitted: NetworkClassifier) -> bytes:
    return to_onnx(fitted.network_, (1, 16, 16))


def test_onnx_scores_as_torch_does(fitted, exported) -> None:
    X, _ = squares(30, seed=2)
    logits = OnnxNetwork(exported)(X).astype(float)
    assert 1 / (1 + np.exp(logits[:, 0] - logits[:, 1])) == pytest.approx(fitted.predict_proba(X)[:, 1], abs=1e-5)


def test_a_backbone_alone_gives_its_features(fitted) -> None:
    X, _ = squares(7, seed=2)
    network = OnnxNetwork(to_onnx(fitted.network_.backbone, (1, 16, 16)))
    assert network(X) == pytest.approx(fitted.embed(X), abs=1e-5)


def test_a_network_in_bytes_can_travel(exported) -> None:
    X, _ = squares(5, seed=2)
    network = OnnxNetwork(exported)
    assert np.array_equal(pickle.loads(pickle.dumps(network))(X), network(X))


def test_images_of_another_size_are_refused(exported) -> None:
    with pytest.raises(ImageError, match=r"\(2, 1, 8, 16\) for a network that takes \(n, 1, 16, 16\): crop them"):
        OnnxNetwork(exported)(np.zeros((2, 1, 8, 16)))


def outside(exported: bytes, where: str) -> bytes:
    """The model with one tensor in another file: a weight, or a constant of a node or of a function."""
    model = onnx.load_from_string(exported)
    tensor = onnx.numpy_helper.from_array(np.ones(3, np.float32), "planted")
    onnx.external_data_helper.set_external_data(tensor, "weights.bin")
    tensor.ClearField("raw_data")
    node = onnx.helper.make_node("Constant", [], ["planted"], value=tensor)
    if where == "weight":
        model.graph.initializer.append(tensor)
    elif where == "node":
        model.graph.node.append(node)
    else:
        model.functions.append(onnx.helper.make_function("own", "planted", [], ["planted"], [node], []))
    return bytes(model.SerializeToString())


@pytest.mark.parametrize("where", ["weight", "node", "function"])
def test_weights_in_another_file_are_refused(exported, where) -> None:
    refuse_external_data(exported)
    with pytest.raises(BundleError, match="keeps weights in another file: export it with external_data=False"):
        OnnxNetwork(outside(exported, where))


def test_only_a_location_is_enough_to_be_refused(exported) -> None:
    model = onnx.load_from_string(exported)
    model.graph.initializer[0].data_location = onnx.TensorProto.EXTERNAL
    with pytest.raises(BundleError, match="keeps weights in another file"):
        refuse_external_data(model.SerializeToString())


@pytest.mark.parametrize("content", [b"no model at all", b"\x80" * 30, b"\x3a\xff"])
def test_bytes_that_are_no_model_are_refused(content) -> None:
    with pytest.raises(BundleError, match="no ONNX model"):
        OnnxNetwork(content)


def test_a_model_that_lacks_its_graph_is_refused(exported) -> None:
    model = onnx.load_from_string(exported)
    model.ClearField("graph")
    with pytest.raises(BundleError, match="no network that ONNX Runtime can run"):
        OnnxNetwork(model.SerializeToString())


def test_a_model_with_two_outputs_is_refused() -> None:
    names = ("images", "first", "second")
    images, *outputs = (onnx.helper.make_tensor_value_info(name, 1, ["n", 1, 4, 4]) for name in names)
    nodes = [onnx.helper.make_node("Identity", ["images"], [name]) for name in names[1:]]
    graph = onnx.helper.make_graph(nodes, "two", [images], outputs)
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=10)
    with pytest.raises(BundleError, match="1 inputs and 2 outputs: export one from images"):
        OnnxNetwork(model.SerializeToString())


class Counting(nn.Module):
    """Depends on how many images there are."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean((2, 3)) + sum(1 for _ in range(len(x)))


def test_a_network_for_one_number_of_images_is_refused() -> None:
    with pytest.raises(BundleError, match="takes 2 images at a time and no other number: export it with an open"):
        to_onnx(Counting(), (1, 4, 4))


class OtherThere(nn.Module):
    """Another value while it is exported than when it is run."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean((2, 3)) + (1 if torch.compiler.is_exporting() else 0)


def test_an_export_that_gives_other_values_is_refused() -> None:
    with pytest.raises(BundleError, match="differs from torch by 1, more than 1e-05"):
        to_onnx(OtherThere(), (1, 4, 4))


def test_scoring_needs_neither_torch_nor_the_exporter(exported, tmp_path: Path) -> None:
    import subprocess
    import sys

    file = tmp_path / "network.onnx"
    file.write_bytes(exported)
    code = (
        "import sys, numpy as np, pathlib\n"
        "from glottis.deep.export import OnnxNetwork\n"
        f"OnnxNetwork(pathlib.Path({str(file)!r}).read_bytes())(np.zeros((1, 1, 16, 16)))\n"
        "print(sorted({'torch', 'onnx', 'onnxscript'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
