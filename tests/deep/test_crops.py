from __future__ import annotations

import numpy as np
import pytest

from glottis._errors import ImageError, SettingsError
from glottis.data.volume import Mask, Volume
from glottis.deep.crop_settings import IMAGENET_MEAN, IMAGENET_SD, CropSettings
from glottis.deep.crops import Crop, acquisition_axis, largest_slice
from glottis.io.images import read_volume


def scan(shape=(5, 20, 24), spacing=(3.0, 1.0, 1.0), *, seed=1):
    voxels = np.random.default_rng(seed).normal(100, 20, shape)
    return Volume(voxels=voxels, spacing_mm=spacing)


def mask_of(image, *boxes):
    voxels = np.zeros(image.shape, dtype=bool)
    for box in boxes:
        voxels[box] = True
    return Mask(voxels=voxels, spacing_mm=image.spacing_mm)


SMALL = np.s_[2:3, 6:12, 8:14]


def cut(image=None, box=SMALL, **settings):
    image = scan() if image is None else image
    return Crop(settings=CropSettings(**settings))(image, mask_of(image, box))


def test_the_slice_with_the_largest_cross_section_is_taken():
    image = scan()
    mask = mask_of(image, np.s_[1:5, 5:9, 5:9], np.s_[3, 5:10, 5:10])
    assert Crop()(image, mask).slice_index == 3


@pytest.mark.parametrize(("boxes", "index"), [
    ([np.s_[0:5, 2:6, 2:6]], 2),  # all equal: the middle
    ([np.s_[0:4, 2:6, 2:6]], 1),  # two as near: the lower
    ([np.s_[0:1, 2:6, 2:6], np.s_[3:4, 2:6, 2:6], np.s_[4:5, 2:3, 2:3]], 3),  # the nearer of two
])  # fmt: skip
def test_equal_cross_sections_are_settled_by_the_masks_middle(boxes, index):
    assert largest_slice(mask_of(scan(), *boxes), 0) == index


def test_slices_run_across_the_axis_whose_spacing_is_not_the_pixels():
    image = scan((12, 14, 5), (1.0, 1.0, 4.0))
    crop = cut(image, np.s_[4:8, 5:9, 3:4], margin_mm=0, resize=4, size=4, scaling="crop", channels=1)
    assert (crop.axis, crop.slice_index, crop.plane) == (2, 3, (0, 1))
    part = image.voxels[4:8, 5:9, 3]
    np.testing.assert_allclose(crop.pixels[0], (part - part.mean()) / part.std(ddof=1), rtol=1e-5)


def test_spacings_equal_but_for_single_precision_are_one():
    assert acquisition_axis((1.0, 1.0000001, 1.0)) == 0
    assert acquisition_axis((1.0, 1.0000001, 4.0)) == 2


def test_a_pet_of_coarse_pixels_is_cut_in_its_axial_plane(shared_data):
    image = read_volume(shared_data / "sts" / "STS_001" / "PET_image.nii.gz")
    assert image.spacing_mm[0] < image.spacing_mm[1]
    assert acquisition_axis(image.spacing_mm) == 0


def test_the_plane_may_be_named():
    crop = cut(across="x")
    assert (crop.axis, crop.slices) == (2, (10, 10, 10))  # x from 8 to 13, all equal


def test_a_crop_at_the_voxel_grid_is_the_voxels_themselves():
    image = scan()
    crop = cut(image, margin_mm=2, resize=10, size=10, scaling="image")
    expected = (image.voxels[2, 4:14, 6:16] - image.voxels.mean()) / image.voxels.std(ddof=1)
    np.testing.assert_allclose(crop.pixels, np.stack([expected] * 3), rtol=1e-5)
    assert crop.box == np.s_[2:3, 4:14, 6:16]


def test_nothing_is_stretched_where_voxels_are_not_square():
    y, x = np.mgrid[:40, :20]
    disc = (((y - 19.5) * 0.5) ** 2 + (x - 9.5) ** 2 < 36)[None]
    image = Volume(voxels=disc.astype(float), spacing_mm=(4.0, 0.5, 1.0))
    drawn = Crop(settings=CropSettings(scaling="crop"))(image, Mask(voxels=disc, spacing_mm=image.spacing_mm)).mask
    height, width = np.count_nonzero(drawn.any(axis=1)), np.count_nonzero(drawn.any(axis=0))
    assert abs(height - width) <= 0.05 * height


def test_a_ramp_stays_a_ramp_when_resized():
    ramp = np.tile(np.arange(24.0), (3, 20, 1))
    crop = cut(Volume(voxels=ramp, spacing_mm=(3.0, 1.0, 1.0)), np.s_[1:2, 6:12, 8:14], margin_mm=1, resize=32, size=32)
    steps = np.diff(crop.pixels[0], axis=1) * ramp.std(ddof=1)
    np.testing.assert_allclose(steps, 8 / 32, rtol=1e-4)


def test_beyond_the_image_stands_its_lowest_intensity_and_nothing_is_squeezed():
    image = scan()
    crop = cut(image, np.s_[2:3, 0:4, 0:4], margin_mm=3, resize=10, size=10)
    low = (image.voxels[2, :7, :7].min() - image.voxels.mean()) / image.voxels.std(ddof=1)
    np.testing.assert_allclose(crop.pixels[:, :3], low, rtol=1e-5)
    first = crop.pixels[0, 3, 3] * image.voxels.std(ddof=1) + image.voxels.mean()
    assert first == pytest.approx(image.voxels[2, 0, 0], rel=1e-5)
    assert crop.box == np.s_[2:3, 0:7, 0:7]


def test_keep_box_pads_the_short_side():
    crop = cut(box=np.s_[2:3, 8:10, 4:14], margin_mm=1, resize=12, size=12, keep="box")
    rows = [len(np.unique(row)) > 1 for row in crop.pixels[0]]
    assert rows == [False] * 4 + [True] * 4 + [False] * 4


def test_keep_mask_shows_the_lesion_alone():
    crop = cut(margin_mm=2, resize=10, size=10, keep="mask", channels=1)
    outside = crop.pixels[0][~crop.mask]
    assert np.unique(outside).size == 1
    assert outside[0] <= crop.pixels[0][crop.mask].min()
    assert np.count_nonzero(crop.mask) == 36


def test_a_z_score_of_the_crop_has_mean_0_and_sd_1():
    pixels = cut(scaling="crop", channels=1, size=200, resize=200).pixels
    assert abs(pixels.mean()) < 1e-5
    assert pixels.std(ddof=1) == pytest.approx(1, rel=1e-5)


def test_a_window_ends_in_imagenets_units():
    image = Volume(
        voxels=np.where(np.arange(20) < 10, -1000.0, 40.0)[None, :, None].repeat(20, 2), spacing_mm=(3.0, 1, 1)
    )
    crop = cut(image, np.s_[0:1, 7:13, 7:13], margin_mm=0, resize=6, size=6, scaling="window", window=(-160, 240))
    for channel, mean, sd in zip(crop.pixels, IMAGENET_MEAN, IMAGENET_SD, strict=True):
        np.testing.assert_allclose(channel[:3], (0 - mean) / sd, rtol=1e-5)
        np.testing.assert_allclose(channel[3:], (0.5 - mean) / sd, rtol=1e-5)


def test_neighbouring_slices_are_channels_and_the_last_is_repeated():
    image = scan()
    crop = cut(image, np.s_[4:5, 6:12, 8:14], neighbours=True, margin_mm=0, resize=6, size=6)
    assert crop.slices == (3, 4, 4)
    back = crop.pixels * image.voxels.std(ddof=1) + image.voxels.mean()
    np.testing.assert_allclose(back, image.voxels[[3, 4, 4], 6:12, 8:14], rtol=1e-5)


def test_size_cuts_the_centre_out_of_the_resized_square():
    whole, centre = cut(resize=256, size=256), cut(resize=256, size=224)
    np.testing.assert_array_equal(centre.pixels, whole.pixels[:, 16:-16, 16:-16])
    np.testing.assert_array_equal(centre.mask, whole.mask[16:-16, 16:-16])
    assert CropSettings(resize=256, size=224).uncut() == CropSettings(resize=256, size=256)


def test_pixel_coordinates_find_the_voxels_again():
    crop = cut(margin_mm=2, resize=20, size=16)
    rows = crop.pixel_coordinates(0)
    np.testing.assert_allclose(np.diff(rows), 2)
    assert rows[6] == pytest.approx((6 - 3.5) * 2 - 0.5 - 2)  # the square begins at 3.5, two pixels are cut


def test_moving_lesion_and_image_together_changes_no_pixel():
    image = scan()
    moved = Volume(voxels=np.roll(image.voxels, (2, -3), (1, 2)), spacing_mm=image.spacing_mm)
    first, second = cut(image, margin_mm=1), cut(moved, np.s_[2:3, 8:14, 5:11], margin_mm=1)
    np.testing.assert_allclose(first.pixels, second.pixels, atol=1e-6)


def test_the_result_is_float32_and_says_where_it_was_taken():
    crop = cut(margin_mm=2)
    assert (crop.pixels.dtype, crop.pixels.shape) == (np.float32, (3, 224, 224))
    assert crop.to_dict() == {
        "axis": "z",
        "slice_index": 2,
        "slices": [2, 2, 2],
        "box_voxels": [[2, 3], [4, 14], [6, 16]],
        "view_mm": [[3.5, 13.5], [5.5, 15.5]],
    }


def test_settings_come_back_from_their_dictionary():
    settings = CropSettings(scaling="window", window=(-160, 240), resize=256)
    assert CropSettings(**settings.to_dict()) == settings
    assert settings.content_key() == CropSettings(**settings.to_dict()).content_key()
    assert len({settings.content_key(), CropSettings().content_key(), CropSettings(margin_mm=6).content_key()}) == 3


@pytest.mark.parametrize(("settings", "words"), [
    ({"across": "axial"}, "across='axial' is unknown: known: auto, x, y, z"),
    ({"keep": "boxes"}, "keep='boxes' is unknown: did you mean 'box'"),
    ({"scaling": "minmax"}, "scaling='minmax' is unknown"),
    ({"margin_mm": -1}, "margin_mm is -1: give 0 or"),
    ({"size": 225}, "size 225 must lie between 1 and resize 224"),
    ({"channels": 2, "neighbours": True}, "cannot have 2 channels"),
    ({"window": (0, 1)}, "scaling='image' with window"),
    ({"scaling": "window"}, "window=None: give window"),
    ({"scaling": "window", "window": (5, 5)}, "must be a lower and a higher"),
    ({"scaling": "window", "window": (0, 1), "channels": 1}, "for each of 1 channels"),
])  # fmt: skip
def test_settings_that_make_no_crop_are_refused(settings, words):
    with pytest.raises(SettingsError, match=words.replace("(", r"\(")):
        CropSettings(**settings)


def test_a_mask_on_another_grid_is_refused():
    with pytest.raises(ImageError, match=r"different grids .*: resample the mask"):
        Crop()(scan(), mask_of(scan((5, 20, 25))))


def test_an_empty_mask_is_refused():
    with pytest.raises(ImageError, match="mask is empty"):
        Crop()(scan(), mask_of(scan()))


@pytest.mark.parametrize("scaling", ["image", "crop"])
def test_an_image_without_contrast_is_refused(scaling):
    flat = Volume(voxels=np.full((5, 20, 24), 7.0), spacing_mm=(3.0, 1.0, 1.0))
    with pytest.raises(ImageError, match=f"z-score of the {scaling}: its .* values are all 7"):
        cut(flat, scaling=scaling)


@pytest.mark.parametrize(
    "settings", [{}, {"scaling": "crop", "keep": "mask"}, {"scaling": "window", "window": (0, 200)}]
)
def test_missing_values_are_refused(settings):
    image = scan()
    image.voxels[2, 5, 8] = np.nan  # shown, and outside the mask
    with pytest.raises(ImageError, match="values are not finite; repair"):
        cut(image, **settings)
