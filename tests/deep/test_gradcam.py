from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace

import numpy as np
import pytest
import torch
from monai.visualize import GradCAM
from scipy.stats import spearmanr
from torch import nn

from glottis._errors import ImageError, SettingsError
from glottis.data.volume import Mask, Volume
from glottis.deep.backbones import BACKBONES, Backbone, load_backbone
from glottis.deep.crop_settings import CropSettings
from glottis.deep.crops import Crop
from glottis.deep.gradcam import grad_cam, on_image_grid
from glottis.io.images import read_volume, write_volume
from seeded_state import fixed_image


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def bright_or_dark(size=32, cells=8) -> Backbone:
    """Feature 0 is how much is brighter than 0, feature 1 how much is darker."""
    conv = nn.Conv2d(1, 2, size // cells, stride=size // cells, bias=False)
    conv.weight.data = (
        torch.stack([torch.ones_like(conv.weight[0]), -torch.ones_like(conv.weight[1])]) / conv.weight[0].numel()
    )
    parts = OrderedDict(
        look=nn.Sequential(conv, nn.ReLU(inplace=True)), pool=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten(1)
    )
    spec = replace(BACKBONES["resnet18"], name="bright or dark", channels=1, width=2)
    module = nn.Sequential(parts).requires_grad_(requires_grad=False)
    return Backbone(spec=spec, module=module, stages=("look",), last_conv="look", weights_sha256=None, origin="known")


def squares():
    """A bright square above left and a dark one below right."""
    image = np.zeros((1, 32, 32), dtype=np.float32)
    image[0, 4:12, 4:12] = 1
    image[0, 20:28, 20:28] = -2
    return image


HEAD = np.eye(2)


@pytest.mark.parametrize(("target", "start", "amount"), [(0, 1, 1), (1, 5, 2)])
def test_the_heat_sits_on_what_the_class_is_about(target, start, amount):
    found = grad_cam(bright_or_dark(), squares(), weights=HEAD, target=target)
    expected = np.zeros((8, 8))
    expected[start : start + 2, start : start + 2] = 1
    np.testing.assert_allclose(found.heat, expected)
    assert found.raw_maximum == pytest.approx(amount / 64)  # the pooling's gradient is 1 / 64
    assert found.logit == pytest.approx(4 * amount / 64)


def test_the_cells_add_up_to_the_logit_where_nothing_speaks_against():
    found = grad_cam(lite0(), flower(), weights=np.ones(1280), bias=3.0, target=1)
    assert found.heat.sum() * found.raw_maximum == pytest.approx(found.logit - 3, rel=1e-4)


def test_without_a_class_the_predicted_one_is_explained():
    assert grad_cam(bright_or_dark(), squares(), weights=HEAD).target == 1
    assert grad_cam(bright_or_dark(), squares(), weights=HEAD, bias=[9, 0]).target == 0


def test_a_binary_head_explains_both_classes():
    yes, no = (grad_cam(bright_or_dark(), squares(), weights=[1.0, -1.0], bias=0.5, target=k) for k in (1, 0))
    assert np.argwhere(yes.heat == 1).min() == 1
    assert np.argwhere(no.heat == 1).min() == 5
    assert yes.logit == pytest.approx(-no.logit)


def test_nothing_speaks_for_a_class_that_is_not_there():
    found = grad_cam(bright_or_dark(), -np.abs(squares()), weights=HEAD, target=0)
    assert (found.raw_maximum, found.heat.max()) == (0, 0)


def test_the_networks_mode_and_hooks_are_as_before():
    backbone = bright_or_dark()
    backbone.module.train()
    grad_cam(backbone, squares(), weights=HEAD)
    assert backbone.module.training
    assert not backbone.module.look._forward_hooks


def lite0():
    return load_backbone("efficientnet_lite0", weights="imagenet")


@pytest.mark.parametrize("name", ["efficientnet_lite0", "resnet18"])
def test_the_map_is_monais(name):
    backbone = load_backbone(name, weights="imagenet" if name == "efficientnet_lite0" else None)
    head = nn.Linear(backbone.spec.width, 3)
    drawn = np.random.default_rng(2).normal(0.02, 0.1, (3, backbone.spec.width))
    head.weight.data = torch.from_numpy(drawn.astype(np.float32))
    whole = nn.Sequential(OrderedDict(body=backbone.module, head=head))
    image = torch.from_numpy(fixed_image(1, 3, 96, 128))
    theirs = GradCAM(whole, f"body.{backbone.last_conv}", upsampler=lambda size: nn.Identity())
    found = grad_cam(backbone, image, weights=head.weight.detach(), bias=head.bias.detach(), target=2)
    raw = theirs.compute_map(image, class_idx=2).detach().numpy()[0, 0]
    assert raw.max() > raw.min()
    np.testing.assert_allclose(found.heat * found.raw_maximum, raw, atol=1e-6 * raw.max())
    inverted = 1 - theirs(image, class_idx=2)[0, 0].numpy()
    ours = (found.heat - found.heat.min()) / np.ptp(found.heat)
    np.testing.assert_allclose(ours, inverted, atol=1e-6)


def flower():
    from sklearn.datasets import load_sample_image

    return (load_sample_image("flower.jpg")[100:324, 200:424].transpose(2, 0, 1) - 127.0) / 128.0


def test_shuffled_weights_give_another_map():
    backbone, image = lite0(), flower()
    weights = backbone.head.weight.detach().numpy()
    trained = grad_cam(backbone, image, weights=weights, target=985).heat
    torch.manual_seed(0)
    for value in backbone.module.parameters():
        value.data = value.flatten()[torch.randperm(value.numel())].reshape(value.shape)
    shuffled = grad_cam(backbone, image, weights=weights, target=985)
    assert shuffled.raw_maximum > 0
    assert abs(spearmanr(trained, shuffled.heat, axis=None).statistic) < 0.3


def test_another_class_has_another_map():
    backbone, image = lite0(), flower()
    weights = backbone.head.weight.detach().numpy()
    daisy, palace = (grad_cam(backbone, image, weights=weights, target=k) for k in (985, 698))
    assert spearmanr(daisy.heat, palace.heat, axis=None).statistic < 0.6
    assert daisy.logit > palace.logit


def lesion(axis=0):
    """A bright lesion, its crop, and the spacing across ``axis`` the largest."""
    voxels = np.zeros((6, 40, 40), dtype=np.float32)
    voxels[2:4, 10:20, 15:25] = 1
    place = {"spacing_mm": tuple(np.roll((3.0, 0.5, 0.8), axis).tolist()), "origin_mm": (1.0, 2.0, 3.0)}
    image = Volume(voxels=np.moveaxis(voxels, 0, axis), **place)
    mask = Mask(voxels=image.voxels > 0, **place)
    return image, Crop(settings=CropSettings(margin_mm=4, resize=96, size=64, channels=1))(image, mask)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_heat_comes_back_on_the_lesion_in_its_one_slice(axis):
    image, crop = lesion(axis)
    found = grad_cam(bright_or_dark(64, 32), crop.pixels, weights=HEAD, target=0)
    heat = on_image_grid(found.heat, crop, image)
    assert heat.voxels.dtype == np.float32
    assert np.flatnonzero(heat.voxels.any(axis=tuple(k for k in range(3) if k != axis))).tolist() == [crop.slice_index]
    hot, drawn = (np.take(v, crop.slice_index, axis=axis) > 0.5 for v in (heat.voxels, image.voxels))
    shown = np.take(np.indices(image.shape)[0] * 0, crop.slice_index, axis=axis).astype(bool)
    box = tuple(crop.box[k] for k in crop.plane)
    shown[box] = True
    assert np.count_nonzero(hot ^ (drawn & shown)) <= 0.1 * np.count_nonzero(drawn & shown)


def test_a_constant_map_fills_the_crops_box_and_nothing_else():
    image, crop = lesion()
    heat = on_image_grid(np.ones((7, 7), dtype=np.float32), crop, image)
    expected = np.zeros(image.shape, dtype=np.float32)
    expected[crop.box] = 1
    np.testing.assert_allclose(heat.voxels, expected)


def test_a_heat_map_survives_its_nrrd_file(tmp_path):
    image, crop = lesion()
    heat = on_image_grid(np.eye(7, dtype=np.float32), crop, image)
    write_volume(heat, tmp_path / "heat.nrrd")
    again = read_volume(tmp_path / "heat.nrrd")
    np.testing.assert_array_equal(again.voxels, heat.voxels)
    assert again.grid_difference(image) == ""


def test_a_resized_map_keeps_its_middle():
    _, crop = lesion()
    found = grad_cam(bright_or_dark(64, 8), crop.pixels, weights=HEAD, target=0)
    assert found.resized(8) == pytest.approx(found.heat)
    assert found.resized(64).shape == (64, 64)


@pytest.mark.parametrize(("options", "words"), [
    ({"weights": np.eye(3)}, r"weights of shape \(3, 3\), bright or dark gives 2"),
    ({"weights": HEAD, "target": 2}, "cannot explain class 2 of a head with 2"),
])  # fmt: skip
def test_heads_that_do_not_fit_are_refused(options, words):
    with pytest.raises(SettingsError, match=words):
        grad_cam(bright_or_dark(), squares(), **options)


def test_pixels_of_another_shape_are_refused():
    with pytest.raises(ImageError, match="takes one crop of 1 channels"):
        grad_cam(bright_or_dark(), np.zeros((3, 32, 32)), weights=HEAD)


def test_a_network_without_maps_is_refused():
    with pytest.raises(SettingsError, match="no convolution"):
        grad_cam(replace(bright_or_dark(), last_conv=""), squares(), weights=HEAD)
    with pytest.raises(SettingsError, match="'flat' of bright or dark gives no 2D maps"):
        grad_cam(replace(bright_or_dark(), last_conv="flat"), squares(), weights=HEAD)


def test_heat_on_another_image_is_refused():
    image, crop = lesion()
    with pytest.raises(ImageError, match="cut from another grid"):
        on_image_grid(np.ones((7, 7)), crop, image.crop(np.s_[0:5, 0:40, 0:40]))
    with pytest.raises(ImageError, match="has rows and columns"):
        on_image_grid(np.ones(7), crop, image)
