"""What must not change a feature, and what must change it in a known way."""

import math

import numpy as np
import pytest

from glottis._errors import ImageError
from glottis.data.volume import Mask, Volume
from glottis.features.discretise import FixedBinWidth
from glottis.features.extract import FeatureSettings, extract_features

SPACING = (2.0, 1.0, 0.5)
SETTINGS = FeatureSettings(bins=FixedBinWidth(10))
TEXTURES = FeatureSettings(bins=FixedBinWidth(10), classes=dict.fromkeys(("glcm", "gldm", "glrlm", "glszm", "ngtdm")))


def lesion(shape=(9, 10, 11), dtype=np.float64):
    """An image with a ragged mask away from its edges."""
    rng = np.random.default_rng(3)
    voxels = rng.normal(100, 30, shape).astype(dtype)
    inside = np.zeros(shape, dtype=bool)
    inside[2:7, 2:7, 2:8] = rng.random((5, 5, 6)) < 0.8
    return Volume(voxels=voxels, spacing_mm=SPACING), Mask(voxels=inside, spacing_mm=SPACING)


def same(got, expected, *, tolerance=1e-12):
    return list(got) == list(expected) and all(
        math.isclose(got[name], expected[name], rel_tol=tolerance, abs_tol=1e-10) for name in expected
    )


def test_moving_a_lesion_inside_the_volume_changes_nothing():
    image, mask = lesion()
    moved = [part.with_voxels(np.roll(part.voxels, (2, 1, -2), axis=(0, 1, 2))) for part in (image, mask)]
    assert same(extract_features(*moved, SETTINGS), extract_features(image, mask, SETTINGS))


def test_cropping_to_the_mask_changes_nothing():
    image, mask = lesion()
    box = mask.bounding_box()
    assert same(extract_features(image.crop(box), mask.crop(box), SETTINGS), extract_features(image, mask, SETTINGS))


def test_intensities_outside_the_mask_change_nothing():
    image, mask = lesion()
    voxels = np.where(mask.voxels, image.voxels, np.nan)
    assert same(extract_features(image.with_voxels(voxels), mask, SETTINGS), extract_features(image, mask, SETTINGS))


@pytest.mark.parametrize("bins", [1, 7, -40])
def test_a_shift_by_whole_bins_changes_no_texture(bins):
    image, mask = lesion()
    image = image.with_voxels(np.round(image.voxels) + 0.5)
    shifted = image.with_voxels(image.voxels + 10 * bins)
    assert same(extract_features(shifted, mask, TEXTURES), extract_features(image, mask, TEXTURES))


def test_mirroring_an_axis_changes_nothing():
    image, mask = lesion()
    mirrored = [part.with_voxels(part.voxels[:, ::-1]) for part in (image, mask)]
    got, expected = extract_features(*mirrored, TEXTURES), extract_features(image, mask, TEXTURES)
    assert same(got, expected, tolerance=1e-9)


def test_scaling_the_grid_scales_lengths_areas_and_volumes():
    _, mask = lesion()
    settings = FeatureSettings(classes={"shape": None})
    wide = Mask(voxels=mask.voxels, spacing_mm=(6.0, 3.0, 1.5))
    image = Volume(voxels=mask.voxels.astype(float), spacing_mm=SPACING)
    small, large = extract_features(image, mask, settings), extract_features(image, wide, settings)
    for name, power in (("Maximum3DDiameter", 1), ("SurfaceArea", 2), ("MeshVolume", 3), ("Sphericity", 0)):
        assert large[f"original_shape_{name}"] == pytest.approx(3**power * small[f"original_shape_{name}"], rel=1e-12)


def test_read_only_voxels_are_accepted():
    image, mask = lesion()
    expected = extract_features(image, mask, SETTINGS)
    image.voxels.flags.writeable = mask.voxels.flags.writeable = False
    assert same(extract_features(image, mask, SETTINGS), expected)


@pytest.mark.parametrize("dtype", [np.int16, np.uint16, np.int32, np.float32, np.float64])
def test_the_pixel_type_does_not_matter_where_values_are_whole(dtype):
    image, mask = lesion()
    image = image.with_voxels(np.round(np.abs(image.voxels)))
    typed = image.with_voxels(np.asfortranarray(image.voxels.astype(dtype)))
    assert same(extract_features(typed, mask, SETTINGS), extract_features(image, mask, SETTINGS))


@pytest.mark.parametrize("dtype", [">i2", ">i4", ">f4", ">f8"])
def test_the_byte_order_does_not_matter(dtype):
    image, mask = lesion()
    image = image.with_voxels(np.round(image.voxels))
    assert same(
        extract_features(image.with_voxels(image.voxels.astype(dtype)), mask, SETTINGS),
        extract_features(image, mask, SETTINGS),
    )


@pytest.mark.parametrize("dtype", ["float16", "longdouble", "complex64", "object", "U8"])
def test_a_pixel_type_that_images_do_not_have_is_refused(dtype):
    with pytest.raises(ImageError, match=r"Pixel type .* is not one that images have: convert the voxels to int16"):
        Volume(voxels=np.ones((2, 2, 2), dtype=dtype), spacing_mm=SPACING)
