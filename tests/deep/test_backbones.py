from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch.nn import functional

from glottis._errors import SettingsError
from glottis.deep import backbones, weight_files
from glottis.deep.backbones import BACKBONES, load_backbone
from seeded_state import fixed_image, seeded_state
from stored import reference

STORED = reference("backbones")
PLAIN = "plugin_networks:Plain"


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def torchvision_state(name="resnet18"):
    return {key: torch.from_numpy(value) for key, value in seeded_state(STORED[name]["shapes"]).items()}


def saved(path: Path, state):
    (save_file if path.suffix == ".safetensors" else torch.save)(state, path)
    return path


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A ResNet-18 in torchvision's layout."""
    return saved(tmp_path_factory.mktemp("weights") / "mine.pth", torchvision_state())


def given(backbone, name):
    image = torch.from_numpy(fixed_image(2, 3, STORED[name]["size"], STORED[name]["size"]))
    with torch.no_grad():
        features = backbone.module(image)
        return features.numpy(), backbone.head(features).numpy()


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_a_state_dict_in_torchvisions_layout_gives_torchvisions_logits(name, tmp_path):
    backbone = load_backbone(name, weights=saved(tmp_path / "w.pth", torchvision_state(name)))
    features, logits = given(backbone, name)
    assert features.shape == (2, BACKBONES[name].width)
    np.testing.assert_allclose(features[:, :12], STORED[name]["features"], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(logits[:, :12], STORED[name]["logits"], rtol=1e-4, atol=1e-5)


def test_the_offline_backbone_gives_the_logits_of_its_publisher():
    backbone = load_backbone("efficientnet_lite0", weights="imagenet")
    features, logits = given(backbone, "efficientnet_lite0")
    np.testing.assert_allclose(features[:, :12], STORED["efficientnet_lite0"]["features"], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(logits[:, :12], STORED["efficientnet_lite0"]["logits"], rtol=1e-4, atol=1e-4)
    assert backbone.weights_sha256 == BACKBONES["efficientnet_lite0"].sha256
    assert backbone.origin == "ImageNet, sha256 579344248a93e230"


def test_the_offline_backbone_knows_a_daisy():
    from PIL import Image
    from sklearn.datasets import load_sample_image

    picture = Image.fromarray(load_sample_image("flower.jpg")).resize((384, 256)).crop((80, 16, 304, 240))
    backbone = load_backbone("efficientnet_lite0", weights="imagenet")
    mean, sd = (np.reshape(part, (3, 1, 1)) for part in (backbone.spec.mean, backbone.spec.sd))
    image = (np.asarray(picture).transpose(2, 0, 1) / 255 - mean) / sd
    with torch.no_grad():
        logits = backbone.head(backbone.module(torch.tensor(image[None], dtype=torch.float32)))
    assert int(logits.argmax()) == 985  # "daisy" of ImageNet's thousand


def plain_medicalnet(x, state):
    """MedicalNet's ResNet-10 as its resnet.py has it: strides 1, 2, 1, 1 and dilations 1, 1, 2, 4 (one block each)."""

    def norm(x, name):
        statistics = (state[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias"))
        return functional.batch_norm(x, *statistics)

    x = functional.conv3d(x, state["conv1.weight"], stride=2, padding=3)
    x = functional.max_pool3d(functional.relu(norm(x, "bn1")), 3, 2, 1)
    for layer, stride, look in (("layer1.0", 1, 1), ("layer2.0", 2, 1), ("layer3.0", 1, 2), ("layer4.0", 1, 4)):
        y = functional.conv3d(x, state[f"{layer}.conv1.weight"], stride=stride, padding=look, dilation=look)
        y = functional.conv3d(
            functional.relu(norm(y, f"{layer}.bn1")), state[f"{layer}.conv2.weight"], padding=look, dilation=look
        )
        if layer != "layer1.0":
            x = norm(
                functional.conv3d(x, state[f"{layer}.downsample.0.weight"], stride=stride), f"{layer}.downsample.1"
            )
        x = functional.relu(norm(y, f"{layer}.bn2") + x)
    return x.mean((2, 3, 4))


def test_a_3d_resnet_reads_medicalnets_files_and_gives_its_features(tmp_path):
    empty = backbones.ARCHITECTURES["resnet10_3d"].build().state_dict()
    state = seeded_state({name: value.shape for name, value in empty.items()})
    state = {name: torch.from_numpy(value) for name, value in state.items()}
    inside = {f"module.{name}": value for name, value in state.items()} | {"module.conv_seg.0.weight": torch.ones(2, 2)}
    backbone = load_backbone("resnet10_3d", weights=saved(tmp_path / "m.pth", {"state_dict": inside}))
    image = torch.from_numpy(fixed_image(1, 1, 16, 24, 32))
    with torch.no_grad():
        np.testing.assert_allclose(backbone.module(image), plain_medicalnet(image, state), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["efficientnet_lite0", "resnet18"])
def test_a_backbone_survives_pickling(name):
    backbone = load_backbone(name, weights=None)
    again = pickle.loads(pickle.dumps(backbone))
    assert again.spec == backbone.spec
    assert again.module.state_dict().keys() == backbone.module.state_dict().keys()


@pytest.mark.parametrize("name", ["resnet18", "efficientnet_lite0", "resnet10_3d"])
def test_stages_are_the_networks_parts_in_order(name):
    backbone = load_backbone(name, weights=None)
    parts = [part for part, _ in backbone.module.named_children()]
    assert parts == [*backbone.stages, "pool", "flatten"]
    assert backbone.last_conv == backbone.stages[-1]
    assert not backbone.module.training


def test_a_safetensors_file_gives_the_same_network(weights, tmp_path):
    other = load_backbone("resnet18", weights=saved(tmp_path / "w.safetensors", torchvision_state()))
    first = load_backbone("resnet18", weights=weights)
    for name, value in first.module.state_dict().items():
        assert torch.equal(value, other.module.state_dict()[name])


def test_a_file_says_its_hash_and_that_it_is_not_the_published_one(weights):
    backbone = load_backbone("resnet18", weights=weights)
    assert backbone.weights_sha256 == weight_files.sha256_of(weights)
    assert backbone.origin == f"file 'mine.pth', sha256 {backbone.weights_sha256[:16]}"
    assert backbone.to_dict()["width"] == 512


def test_a_file_without_a_classifier_loads(tmp_path):
    state = {name: value for name, value in torchvision_state().items() if not name.startswith("fc.")}
    assert load_backbone("resnet18", weights=saved(tmp_path / "w.pth", state)).head is None


def test_no_weights_are_random_on_purpose_and_say_so():
    state = torch.random.get_rng_state()
    first, same, other = (load_backbone("resnet18", weights=None, random_state=seed) for seed in (0, 0, 1))
    assert (first.origin, first.weights_sha256, first.head) == ("random on purpose (seed 0)", None, None)
    assert torch.equal(first.module.stem.conv1.weight, same.module.stem.conv1.weight)
    assert not torch.equal(first.module.stem.conv1.weight, other.module.stem.conv1.weight)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_published_weights_that_are_absent_are_an_error_with_the_way_out(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(SettingsError, match=r"not on this machine .*--weights FILE, or use efficientnet_lite0"):
        load_backbone("resnet18", weights="imagenet")


def published(monkeypatch, cache, file, sha256=None):
    """Let the registry's ResNet-18 be this file."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(cache))
    digest = weight_files.sha256_of(file) if sha256 is None else sha256
    spec = replace(BACKBONES["resnet18"], url=file.as_uri(), sha256=digest)
    monkeypatch.setitem(BACKBONES, "resnet18", spec)


def test_published_weights_are_fetched_once_into_torchs_cache(monkeypatch, tmp_path, weights):
    published(monkeypatch, tmp_path, weights)
    fetched = load_backbone("resnet18", weights="imagenet", allow_download=True)
    again = load_backbone("resnet18", weights="imagenet")
    assert (tmp_path / "checkpoints" / "mine.pth").is_file()
    assert fetched.origin == again.origin == f"ImageNet, sha256 {weight_files.sha256_of(weights)[:16]}"


def test_a_download_of_another_hash_is_refused_and_leaves_nothing(monkeypatch, tmp_path, weights):
    published(monkeypatch, tmp_path, weights, "0" * 64)
    with pytest.raises(SettingsError, match=r"cannot be fetched \(invalid hash"):
        load_backbone("resnet18", weights="imagenet", allow_download=True)
    assert not any((tmp_path / "checkpoints").iterdir())


def test_a_cached_file_of_another_hash_is_refused(monkeypatch, tmp_path, weights):
    published(monkeypatch, tmp_path, weights, "0" * 64)
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "mine.pth").write_bytes(weights.read_bytes())
    with pytest.raises(SettingsError, match=r"have SHA-256 .*, expected 0000"):
        load_backbone("resnet18", weights="imagenet")


def test_a_file_whose_name_states_another_hash_is_refused(weights, tmp_path):
    renamed = tmp_path / "resnet18-f37072fd.pth"
    renamed.write_bytes(weights.read_bytes())
    with pytest.raises(SettingsError, match=r"expected f37072fd\.\.\.: the file is damaged or another"):
        load_backbone("resnet18", weights=renamed)


def test_a_file_of_another_hash_than_stated_is_refused(weights):
    with pytest.raises(SettingsError, match="expected abcd"):
        load_backbone("resnet18", weights=weights, sha256="abcd" * 16)


def test_weights_that_were_never_trained_are_refused(tmp_path):
    untouched = torchvision_state()
    for name, value in untouched.items():
        if "running" in name:
            value.fill_(float(name.endswith("var")))
    with pytest.raises(SettingsError, match="never trained: all 20 batch norms"):
        load_backbone("resnet18", weights=saved(tmp_path / "w.pth", untouched))


def test_weights_of_another_network_are_refused(weights):
    with pytest.raises(SettingsError, match=r"do not fit resnet50 \(Missing key"):
        load_backbone("resnet50", weights=weights)


def test_a_3d_network_asks_for_its_file():
    with pytest.raises(SettingsError, match=r"no ImageNet weights: fetch https://.*resnet_10_23dataset"):
        load_backbone("resnet10_3d", weights="imagenet", allow_download=True)


@pytest.mark.parametrize(("name", "content", "words"), [
    ("w.h5", b"x", "have the ending '.h5'"),
    ("w.pth", b"no zip", "cannot be read as tensors alone"),
    ("w.safetensors", b"short", "cannot be read as safetensors"),
])  # fmt: skip
def test_files_that_are_no_weights_are_refused(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SettingsError, match=words):
        load_backbone("resnet18", weights=tmp_path / name)


def test_a_file_with_code_is_not_run(tmp_path):
    with pytest.raises(SettingsError, match="holds code; save"):
        load_backbone("resnet18", weights=saved(tmp_path / "w.pth", {"a": Path()}))


def test_a_file_without_tensors_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="hold no state dict"):
        load_backbone("resnet18", weights=saved(tmp_path / "w.pth", {"epoch": 3}))


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(SettingsError, match=r"absent\.pth' cannot be read \(No such file"):
        load_backbone("resnet18", weights=tmp_path / "absent.pth")


def test_unknown_names_and_words_are_refused():
    with pytest.raises(SettingsError, match="did you mean 'resnet18'"):
        load_backbone("resnet-18", weights=None)
    with pytest.raises(SettingsError, match="weights='image' is unknown"):
        load_backbone("resnet18", weights="image")


def test_code_from_outside_needs_leave():
    with pytest.raises(SettingsError, match="allow it"):
        load_backbone(PLAIN, weights=None)


def test_a_network_by_import_path_is_looked_at():
    found = load_backbone(PLAIN, weights=None, allow_code=True)
    assert (found.spec.width, found.stages, found.last_conv) == (6, ("first", "second"), "second")
    assert found.origin == "as plugin_networks:Plain makes it (seed 0)"
    named = load_backbone("plugin_networks:Named", weights=None, allow_code=True)
    assert (named.stages, named.last_conv) == (("first",), "first")


def test_a_network_by_import_path_takes_a_file(tmp_path):
    state = load_backbone(PLAIN, weights=None, allow_code=True, random_state=9).module.state_dict()
    found = load_backbone(PLAIN, weights=saved(tmp_path / "w.pth", state), allow_code=True)
    assert torch.equal(found.module.first.weight, state["first.weight"])


@pytest.mark.parametrize(("name", "words"), [
    ("no_such_module:Net", "cannot be made .ModuleNotFoundError"),
    ("plugin_networks:Absent", "cannot be made .AttributeError"),
    ("plugin_networks:number", "is a int, not a torch.nn.Module"),
    ("plugin_networks:Map", r"gives Tensor \(1, 4, 28, 28\) for one image"),
    ("plugin_networks:Grey", "fails on an image of 3 x 224 x 224"),
])  # fmt: skip
def test_code_that_is_no_backbone_is_refused(name, words):
    with pytest.raises(SettingsError, match=words):
        load_backbone(name, weights=None, allow_code=True)


def test_a_plugin_has_no_registered_weights():
    with pytest.raises(SettingsError, match="has no registered weights"):
        load_backbone(PLAIN, weights="imagenet", allow_code=True)


def test_importing_the_deep_arm_loads_no_torch():
    code = "import sys, glottis.deep.crops, glottis.deep.backbones; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
