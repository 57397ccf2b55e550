"""The grid, pixel types and values of resampling; SimpleITK on the whole image is the slow, obvious version."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from glottis._errors import ImageError, SettingsError
from glottis.data.volume import Mask, Volume
from glottis.preprocessing.resample import INTERPOLATORS, Resample

OBLIQUE = (0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, 1.0)


def _scan(dtype=np.int16, shape=(14, 60, 70), spacing_mm=(3.3, 0.7, 0.9), direction=(1, 0, 0, 0, 1, 0, 0, 0, 1)):
    rng = np.random.default_rng(3)
    voxels = rng.normal(size=shape)
    for axis in range(3):
        voxels = voxels + np.roll(voxels, 1, axis)
    place = {"spacing_mm": spacing_mm, "origin_mm": (-31.5, 12.25, 7.0), "direction": direction}
    image = Volume(voxels=(voxels * 100).astype(dtype), **place)
    inside = np.zeros(shape, dtype=bool)
    inside[4:9, 25:40, 30:48] = True
    inside[6, 20:26, 40:44] = True
    return image, Mask(voxels=inside, **place)


def _whole(image, grid, interpolator):
    resampler = sitk.ResampleImageFilter()
    resampler.SetReferenceImage(grid.to_sitk())
    resampler.SetInterpolator(interpolator)
    return sitk.GetArrayFromImage(resampler.Execute(image.to_sitk()))


@pytest.mark.parametrize("dtype", [np.int16, np.uint8, np.float32, np.float64])
@pytest.mark.parametrize("direction", [(1, 0, 0, 0, 1, 0, 0, 0, 1), (1, 0, 0, 0, -1, 0, 0, 0, 1), OBLIQUE])
def test_bspline_equals_itk_on_the_whole_image(dtype, direction):
    image, mask = _scan(dtype=dtype, direction=direction)
    resampled, new_mask = Resample(spacing_mm=(1, 1, 1))(image, mask)
    assert resampled.voxels.dtype == dtype
    tolerance = {"rtol": 1e-6, "atol": 1e-4} if np.issubdtype(dtype, np.floating) else {"rtol": 0, "atol": 0}
    np.testing.assert_allclose(resampled.voxels, _whole(image, resampled, sitk.sitkBSpline), **tolerance)
    np.testing.assert_array_equal(new_mask.voxels, _whole(mask, resampled, sitk.sitkNearestNeighbor) != 0)


@pytest.mark.parametrize("interpolator", sorted(INTERPOLATORS))
@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_every_interpolator_equals_itk_on_the_whole_image(interpolator, dtype):
    image, mask = _scan(dtype=dtype, direction=OBLIQUE)
    resampled, _ = Resample(spacing_mm=(3, 3, 3), interpolator=interpolator)(image, mask)
    expected = _whole(image, resampled, getattr(sitk, INTERPOLATORS[interpolator]))
    assert resampled.voxels.dtype == dtype
    np.testing.assert_allclose(resampled.voxels, expected, rtol=1e-6 if dtype == np.float32 else 0, atol=1e-4)


@pytest.mark.parametrize("shape", [(14, 60, 70), (14, 41, 49), (10, 41, 60)])
def test_bspline_at_the_edge_of_the_image_equals_itk(shape):
    image, mask = _scan(dtype=np.float64, shape=shape)
    mask.voxels[:, 25:, 40:] = True
    resampled, _ = Resample(spacing_mm=(1.1, 1.3, 0.7))(image, mask)
    expected = _whole(image, resampled, sitk.sitkBSpline)
    np.testing.assert_allclose(resampled.voxels, expected, rtol=1e-9, atol=1e-9)


def test_bspline_of_short_axes_equals_itk():
    image, mask = _scan(dtype=np.float64, shape=(10, 42, 50))
    box = (slice(3, 9), slice(24, 36), slice(30, 47))
    image, mask = image.crop(box), mask.crop(box)
    resampled, _ = Resample(spacing_mm=(1, 1, 1))(image, mask)
    expected = _whole(image, resampled, sitk.sitkBSpline)
    np.testing.assert_allclose(resampled.voxels, expected, rtol=1e-9, atol=1e-9)


def test_constant_areas_of_an_integer_image_are_cut_as_itk_cuts_them():
    image, mask = _scan()
    image.voxels[image.voxels < 40] = -1000
    resampled, _ = Resample(spacing_mm=(1, 1, 1))(image, mask)
    np.testing.assert_array_equal(resampled.voxels, _whole(image, resampled, sitk.sitkBSpline))


@pytest.mark.parametrize("spacing", [0.45, 1.8])
def test_mask_on_exact_ties_equals_itk(spacing):
    image, mask = _scan(spacing_mm=(0.9, 0.9, 0.9))
    _, new_mask = Resample(spacing_mm=(spacing,) * 3)(image, mask)
    np.testing.assert_array_equal(new_mask.voxels, _whole(mask, new_mask, sitk.sitkNearestNeighbor) != 0)


@pytest.mark.parametrize(("name", "kind"), [("linear", sitk.sitkLinear), ("nearest", sitk.sitkNearestNeighbor)])
def test_other_interpolators_equal_itk_on_the_whole_image(name, kind):
    image, mask = _scan()
    resampled, _ = Resample(spacing_mm=(1, 1, 2), interpolator=name)(image, mask)
    np.testing.assert_array_equal(resampled.voxels, _whole(image, resampled, kind))


def test_frozen_voxels_are_resampled():
    image, mask = _scan(dtype=np.float64)
    expected = Resample()(image, mask)[0].voxels
    image.voxels.setflags(write=False)
    mask.voxels.setflags(write=False)
    np.testing.assert_array_equal(Resample()(image, mask)[0].voxels, expected)


def test_grid_is_anchored_at_the_corner_of_the_mask_grid():
    image, mask = _scan()
    resampled, _ = Resample(spacing_mm=(1, 1, 1))(image, mask)
    corner = np.array(image.origin_mm) - 0.5 * np.array(image.spacing_mm[::-1])
    steps = np.array(resampled.origin_mm) - 0.5 - corner
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-9)


def test_crop_holds_the_mask_with_its_margin():
    image, mask = _scan()
    _, new_mask = Resample(spacing_mm=(1, 1, 1), pad_voxels=5)(image, mask)
    for part, size in zip(new_mask.bounding_box(), new_mask.shape, strict=True):
        assert 5 <= part.start <= 7
        assert 5 <= size - part.stop <= 7


def test_target_spacing_zero_keeps_that_axis():
    image, mask = _scan()
    resampled, _ = Resample(spacing_mm=(1, 1, 0))(image, mask)
    assert resampled.spacing_mm == (3.3, 1.0, 1.0)


def test_axis_of_a_single_slice_is_not_interpolated():
    image, mask = _scan()
    mask.voxels[:6] = False
    mask.voxels[7:] = False
    resampled, new_mask = Resample(spacing_mm=(1, 1, 1))(image, mask)
    assert resampled.spacing_mm == (3.3, 1.0, 1.0)
    assert np.count_nonzero(new_mask.voxels.any(axis=(1, 2))) == 1


def test_equal_spacing_crops_and_interpolates_nothing():
    image, mask = _scan(spacing_mm=(1.0, 1.0, 1.0))
    resampled, new_mask = Resample(spacing_mm=(1, 1, 1))(image, mask)
    np.testing.assert_array_equal(resampled.voxels, image.voxels[0:14, 15:45, 25:53])
    assert resampled.grid_difference(new_mask) == ""


def test_linear_mask_keeps_about_the_volume():
    image, mask = _scan()
    _, nearest = Resample(spacing_mm=(1, 1, 1))(image, mask)
    _, linear = Resample(spacing_mm=(1, 1, 1), mask_interpolator="linear")(image, mask)
    assert linear.n_voxels == pytest.approx(nearest.n_voxels, rel=0.15)
    assert (linear.voxels != nearest.voxels).any()


def test_mask_on_another_grid_defines_the_new_grid():
    image, mask = _scan()
    mask = mask.crop((slice(2, 12), slice(10, 50), slice(20, 60)))
    resampled, new_mask = Resample()(image, mask)
    steps = np.array(resampled.origin_mm) - 0.5 - (np.array(mask.origin_mm) - 0.5 * np.array(mask.spacing_mm[::-1]))
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-9)
    assert new_mask.grid_difference(resampled) == ""


def test_mask_outside_its_image_is_refused():
    image, mask = _scan()
    far = Mask(voxels=mask.voxels, spacing_mm=mask.spacing_mm, origin_mm=(500.0, 0.0, 0.0))
    with pytest.raises(ImageError, match="voxels outside its image"):
        Resample()(image, far)


@pytest.mark.parametrize(
    "wrong",
    [
        {"spacing_mm": (1, 1)},
        {"spacing_mm": (1, 1, -1)},
        {"interpolator": "cubic"},
        {"mask_interpolator": "bspline"},
        {"pad_voxels": -1},
        {"mask_threshold": 0.0},
    ],
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(SettingsError):
        Resample(**wrong)
