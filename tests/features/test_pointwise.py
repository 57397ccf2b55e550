"""Point-wise and gradient filters: laws, and SimpleITK's gradient."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from glottis.data.volume import Volume
from glottis.features.filters import WHOLE_IMAGE
from glottis.features.gradient import Gradient
from glottis.features.pointwise import Exponential, Logarithm, Square, SquareRoot

CURVES = [Square(), SquareRoot(), Logarithm(), Exponential()]
BOX = (slice(1, 4), slice(0, 5), slice(3, 9))


def image(values=None, dtype=np.float64):
    voxels = np.random.default_rng(5).normal(20, 60, (6, 7, 9)) if values is None else np.asarray(values)
    return Volume(voxels=voxels.astype(dtype), spacing_mm=(2.0, 0.7, 1.1))


def filtered(step, volume, **options):
    ((_, result),) = step(volume, **options)
    return result.voxels


@pytest.mark.parametrize("step", CURVES)
def test_the_largest_intensity_stays_the_largest(step):
    volume = image(np.abs(image().voxels))
    assert filtered(step, volume).max() == pytest.approx(volume.voxels.max(), rel=1e-12)


@pytest.mark.parametrize("step", [SquareRoot(), Logarithm()])
def test_root_and_logarithm_are_odd(step):
    volume = image()
    np.testing.assert_array_equal(filtered(step, volume), -filtered(step, image(-volume.voxels)))


def test_the_square_forgets_the_sign():
    volume = image()
    np.testing.assert_array_equal(filtered(Square(), volume), filtered(Square(), image(-volume.voxels)))


@pytest.mark.parametrize("step", [Square(), SquareRoot()])
def test_square_and_root_scale_with_the_intensities(step):
    volume = image()
    np.testing.assert_allclose(filtered(step, image(volume.voxels * 8)), 8 * filtered(step, volume), rtol=1e-12)


def test_the_root_undoes_the_square_of_positive_intensities():
    positive = image(np.abs(image().voxels))
    squared = positive.with_voxels(filtered(Square(), positive))
    np.testing.assert_allclose(filtered(SquareRoot(), squared), positive.voxels, rtol=1e-12)


@pytest.mark.parametrize("step", CURVES)
@pytest.mark.parametrize("dtype", [np.int16, np.uint8, np.float32])
def test_every_pixel_type_becomes_float64(step, dtype):
    assert filtered(step, image(np.abs(image().voxels), dtype)).dtype == np.float64


@pytest.mark.parametrize("step", CURVES)
def test_a_dark_crop_is_scaled_by_the_bright_image(step):
    volume = image()
    volume.voxels[5, 6, 0] = 5000
    assert step.reach_voxels(volume.spacing_mm) == WHOLE_IMAGE
    np.testing.assert_array_equal(filtered(step, volume, box=BOX)[BOX], filtered(step, volume)[BOX])
    assert not np.allclose(filtered(step, volume.crop(BOX)), filtered(step, volume)[BOX])


@pytest.mark.parametrize("step", CURVES)
def test_an_image_of_zeros_gives_the_limit(step):
    expected = 1.0 if isinstance(step, Exponential) else 0.0
    np.testing.assert_array_equal(filtered(step, image(np.zeros((3, 3, 3)))), expected)


def test_the_smallest_number_of_an_integer_type_keeps_its_size():
    lowest = image(np.full((2, 2, 2), -32768), np.int16)
    np.testing.assert_allclose(filtered(Square(), lowest), 32768, rtol=1e-12)


@pytest.mark.parametrize("use_spacing", [True, False])
@pytest.mark.parametrize("dtype", [np.int16, np.float32, np.float64])
@pytest.mark.parametrize("box", [BOX, (slice(0, 6), slice(2, 3), slice(8, 9))])
def test_the_gradient_in_a_box_is_that_of_itk_on_the_whole(use_spacing, dtype, box):
    volume = image(dtype=dtype)
    expected = sitk.GetArrayFromImage(sitk.GradientMagnitude(volume.to_sitk(), use_spacing))
    np.testing.assert_array_equal(filtered(Gradient(use_spacing=use_spacing), volume, box=box)[box], expected[box])


def test_the_gradient_of_a_ramp_is_its_slope():
    ramp = image(np.broadcast_to(3.0 * np.arange(9), (6, 7, 9)))
    inner = (slice(1, -1),) * 3
    np.testing.assert_allclose(filtered(Gradient(), ramp)[inner], 3 / 1.1, rtol=1e-6)
    np.testing.assert_allclose(filtered(Gradient(use_spacing=False), ramp)[inner], 3, rtol=1e-6)


def test_names_are_those_of_pyradiomics():
    names = [name for step in [*CURVES, Gradient()] for name, _ in step(image())]
    assert names == ["square", "squareroot", "logarithm", "exponential", "gradient"]


@pytest.mark.parametrize("step", [*CURVES, Gradient()])
def test_nothing_is_left_out(step):
    assert step.skipped(image()) == ()
