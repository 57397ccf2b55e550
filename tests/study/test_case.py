from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest

from glottis._errors import ImageError
from glottis.data.volume import Mask, Volume
from glottis.features.discretise import FixedBinWidth
from glottis.features.extract import FeatureSettings
from glottis.features.filters import LaplacianOfGaussian, Original, Wavelet
from glottis.features.gradient import Gradient
from glottis.features.lbp2d import LBP2D
from glottis.features.lbp3d import LBP3D
from glottis.features.pointwise import Exponential, Square
from glottis.preprocessing.normalise import ZScore
from glottis.preprocessing.resample import Resample
from glottis.preprocessing.window import Resegment, Window
from glottis.study.case import CaseSettings, extract_case

FIRST = FeatureSettings(filters=(Original(),), classes={"firstorder": None}, bins=FixedBinWidth(20))


def _scan(shape=(24, 40, 44), spacing_mm=(2.0, 1.0, 1.0), origin_mm=(5.0, -3.0, 9.0)):
    voxels = np.random.default_rng(11).normal(size=shape)
    for axis in range(3):
        voxels = voxels + np.roll(voxels, 1, axis) + np.roll(voxels, -1, axis)
    inside = np.zeros(shape, dtype=bool)
    inside[9:14, 15:25, 16:30] = True
    inside[11, 12:15, 18:22] = True
    place = {"spacing_mm": spacing_mm, "origin_mm": origin_mm}
    return Volume(voxels=(voxels * 50 + 300).astype(np.float32), **place), Mask(voxels=inside, **place)


def _features(filters, **others):
    return CaseSettings(
        features=FeatureSettings(filters=filters, classes={"firstorder": None}, bins=FixedBinWidth(20)), **others
    )


def test_whole_image_steps_see_the_whole_image():
    image, mask = _scan()
    row = extract_case(image, mask, CaseSettings(whole_image=(ZScore(scale=100),), features=FIRST)).features
    expected = ZScore(scale=100)(image, mask)[0].voxels[mask.voxels].mean()
    assert row["original_firstorder_Mean"] == pytest.approx(expected, rel=1e-12)


def test_steps_run_in_the_order_given():
    image, mask = _scan()
    window, score = Window(lower=200, upper=400), ZScore(scale=100)
    first, second = (
        extract_case(image, mask, CaseSettings(whole_image=steps, features=FIRST)).features
        for steps in ((window, score), (score, window))
    )
    assert first["original_firstorder_Mean"] != second["original_firstorder_Mean"]


@pytest.mark.parametrize(
    "step", [Wavelet(), LaplacianOfGaussian((1,)), Square(), Exponential(), Gradient(), LBP2D(), LBP3D()]
)
@pytest.mark.parametrize("place", [(9, 12, 16), (0, 0, 0), (17, 27, 29)])
def test_filters_without_resampling_act_as_on_the_whole_image(step, place):
    image, _ = _scan(spacing_mm=(1.0, 1.0, 1.0), shape=(24, 41, 44))
    inside = np.zeros(image.shape, dtype=bool)
    z, y, x = place
    inside[z : z + 6, y : y + 13, x : x + 14] = True
    mask = Mask(voxels=inside, spacing_mm=image.spacing_mm, origin_mm=image.origin_mm)
    row = extract_case(image, mask, _features((step,))).features
    for name, filtered in step(image):
        expected = filtered.voxels[inside]
        assert row[f"{name}_firstorder_Mean"] == pytest.approx(expected.mean(), rel=1e-5, abs=1e-4)
        assert row[f"{name}_firstorder_Maximum"] == pytest.approx(expected.max(), rel=1e-5)


def test_a_filter_of_the_whole_image_beside_others_changes_none_of_their_values():
    image, mask = _scan(spacing_mm=(1.0, 1.0, 1.0), shape=(24, 70, 75))
    steps = (Original(), Wavelet("haar"), LaplacianOfGaussian((1,)), Gradient(), Square(), LBP2D())
    together = extract_case(image, mask, _features(steps)).features
    alone = [extract_case(image, mask, _features((step,))).features for step in steps]
    assert together == {name: value for row in alone for name, value in row.items()}


@pytest.mark.parametrize("step", [Square(), Exponential(), LBP2D(), LBP3D()])
def test_a_pre_cropped_image_is_all_that_a_filter_sees(step):
    image, mask = _scan(spacing_mm=(1.0, 1.0, 1.0))
    image.voxels[0, 0, 0] = 1e5
    box = mask.bounding_box(pad=2)
    expected = extract_case(image.crop(box), mask.crop(box), _features((step,))).features
    assert extract_case(image, mask, _features((step,), pre_crop_voxels=2)).features == expected


# measured with PyRadiomics 3.0.1 and geometryTolerance 0.01
@pytest.mark.parametrize(("spacing_x", "shift_mm", "taken"), [(0.5, 0.009, False), (1, 0.009, True), (3, 0.02, True)])
def test_a_tolerance_in_voxels_grows_with_the_voxels_along_x(spacing_x, shift_mm, taken):
    image, mask = _scan(spacing_mm=(1.0, 1.0, spacing_x))
    moved = replace(mask, origin_mm=(mask.origin_mm[0] + shift_mm, *mask.origin_mm[1:]))
    settings = CaseSettings(features=FIRST, geometry_tolerance=0.01, tolerance_in_voxels=True)
    with nullcontext() if taken else pytest.raises(ImageError, match="different grids"):
        extract_case(image, moved, settings)


def test_moving_image_and_mask_in_space_changes_nothing():
    here = extract_case(*_scan(), CaseSettings(resample=Resample())).features
    there = extract_case(*_scan(origin_mm=(100.0, 20.0, -40.0)), CaseSettings(resample=Resample())).features
    assert here == pytest.approx(there, rel=1e-5, nan_ok=True)


def test_resegmentation_narrows_texture_and_leaves_shape():
    image, mask = _scan()
    plain = extract_case(image, mask, CaseSettings()).features
    narrow = extract_case(image, mask, CaseSettings(resegment=Resegment(range=(-2, 2), mode="sigma"))).features
    changed = {name for name in plain if plain[name] != narrow[name]}
    assert not any("_shape_" in name for name in changed)
    assert "original_firstorder_Maximum" in changed


def test_resegmentation_may_narrow_shape_too():
    image, mask = _scan()
    step = Resegment(range=(-1, 1), mode="sigma")
    as_drawn = extract_case(image, mask, CaseSettings(resegment=step)).features
    narrowed = extract_case(image, mask, CaseSettings(resegment=step, resegment_shape=True)).features
    assert narrowed["original_shape_VoxelVolume"] < as_drawn["original_shape_VoxelVolume"]


def test_shape_cut_by_resegmentation_is_said():
    image, mask = _scan()
    image.voxels[:, :, 24:] = 5000  # what lies there leaves the range, and with it the bounding box
    result = extract_case(image, mask, CaseSettings(resegment=Resegment(range=(0, 1000))))
    assert any(text.startswith("Shape leaves out") for text in result.warnings)


def test_a_mask_on_another_grid_is_refused_with_the_difference():
    image, mask = _scan()
    moved = Mask(voxels=mask.voxels, spacing_mm=mask.spacing_mm, origin_mm=(6.0, -3.0, 9.0))
    with pytest.raises(ImageError, match="origin by 1 mm"):
        extract_case(image, moved, CaseSettings())


@pytest.mark.parametrize("resample", [None, Resample()])
def test_a_cropped_mask_is_corrected_where_asked(resample):
    image, mask = _scan()
    cropped = mask.crop((slice(2, 22), slice(4, 38), slice(6, 40)))
    whole = extract_case(image, mask, CaseSettings(resample=resample)).features
    corrected = extract_case(image, cropped, CaseSettings(resample=resample, correct_mask=True)).features
    assert corrected == pytest.approx(whole, rel=1e-5, nan_ok=True)


def test_a_small_grid_difference_is_tolerated():
    image, mask = _scan()
    nudged = Mask(voxels=mask.voxels, spacing_mm=(2.0000001, 1.0, 1.0), origin_mm=mask.origin_mm)
    assert extract_case(image, nudged, CaseSettings()).features


@pytest.mark.parametrize(("field", "value"), [("minimum_voxels", 100_000), ("minimum_dimensions", 3)])
def test_limits_on_the_mask_hold(field, value):
    image, mask = _scan()
    if field == "minimum_dimensions":
        mask.voxels[:11] = False
        mask.voxels[12:] = False
    with pytest.raises(ImageError, match="The mask"):
        extract_case(image, mask, CaseSettings(**{field: value}))


def test_a_mask_lost_in_resampling_is_said():
    image, mask = _scan()
    mask.voxels[:] = False
    mask.voxels[10, 20, 20:22] = True
    mask.voxels[11, 21, 20:22] = True
    with pytest.raises(ImageError, match="empty after resampling to 30 x 30 x 30 mm"):
        extract_case(image, mask, CaseSettings(resample=Resample(spacing_mm=(30, 30, 30))))


def test_flat_textures_and_skipped_widths_are_warnings():
    image, mask = _scan()
    filters = (Original(), LaplacianOfGaussian((1, 30)))
    settings = CaseSettings(
        resample=Resample(),
        features=FeatureSettings(filters=filters, classes={"firstorder": None}, bins=FixedBinWidth(500)),
    )
    warnings = extract_case(image, mask, settings).warnings
    assert any("sigma 30 mm was skipped" in text for text in warnings)
    assert any("Flat textures: a bin width of 500" in text and "original " in text for text in warnings)


def test_diagnostics_are_plain_json_and_told_only_where_asked():
    image, mask = _scan()
    settings = CaseSettings(resample=Resample(), additional_info=True)
    diagnostics = extract_case(image, mask, settings).diagnostics
    assert json.loads(json.dumps(diagnostics)) == diagnostics
    assert diagnostics["diagnostics_Image-interpolated_Spacing"] == [1.0, 1.0, 1.0]
    assert extract_case(image, mask, CaseSettings(resample=Resample())).diagnostics == {}


def test_grey_levels_are_counted_for_every_image():
    image, mask = _scan()
    n_bins = extract_case(image, mask, _features((Original(), LaplacianOfGaussian((3,))))).n_bins
    assert list(n_bins) == ["original", "log-sigma-3-0-mm-3D"]
    assert n_bins["original"] > 8


def test_a_feature_without_a_value_is_named_with_its_reason():
    image, mask = _scan()
    mask.voxels[:] = False
    mask.voxels[9, 15, 16] = mask.voxels[13, 20, 20] = True
    warnings = extract_case(image, mask, CaseSettings(features=FeatureSettings(classes={"glcm": None}))).warnings
    assert any(
        text.startswith("No value for glcm Autocorrelation and 23 more of its class in original: no two voxels")
        for text in warnings
    )


def test_settings_have_one_key_whatever_the_way_they_were_written():
    first = CaseSettings(resample=Resample(spacing_mm=(1, 1, 1)), whole_image=(ZScore(scale=100),))
    second = CaseSettings(resample=Resample(spacing_mm=(1.0, 1.0, 1.0)), whole_image=(ZScore(scale=100.0),))
    other = CaseSettings(resample=Resample(spacing_mm=(1, 1, 2)), whole_image=(ZScore(scale=100),))
    assert json.loads(json.dumps(first.to_dict())) == first.to_dict()
    assert first.content_key() == second.content_key()
    assert first.content_key() != other.content_key()
    assert first.to_dict()["resample"]["step"] == "Resample"
