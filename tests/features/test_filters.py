"""Filters against PyWavelets and SimpleITK, whose values PyRadiomics hands on."""

from __future__ import annotations

import numpy as np
import pytest
import pywt
import SimpleITK as sitk

from glottis._errors import SettingsError
from glottis.data.volume import Volume
from glottis.features.filters import Inside, LaplacianOfGaussian, Original, Wavelet

BANDS = ["LLH", "LHL", "LHH", "HLL", "HLH", "HHL", "HHH", "LLL"]


def _noise(shape=(10, 13, 16), dtype=np.float32, spacing_mm=(1.0, 1.0, 1.0), seed=1):
    voxels = np.random.default_rng(seed).normal(size=shape) * 300
    return Volume(voxels=voxels.astype(dtype), spacing_mm=spacing_mm)


def _itk_log(image, sigma):
    filtered = sitk.LaplacianRecursiveGaussian(image.to_sitk(), sigma, True)
    return sitk.GetArrayFromImage(filtered)


def test_original_hands_the_image_on():
    image = _noise()
    ((name, same),) = Original()(image)
    assert name == "original"
    assert same is image


@pytest.mark.parametrize("dtype", [np.int16, np.float32, np.float64, np.uint8, np.int32])
@pytest.mark.parametrize("spacing_mm", [(1.0, 1.0, 1.0), (2.5, 0.78, 0.9)])
def test_log_equals_itk_bit_for_bit(dtype, spacing_mm):
    image = _noise(dtype=dtype, spacing_mm=spacing_mm)
    for (_, filtered), sigma in zip(LaplacianOfGaussian((1, 2.5))(image), (1, 2.5), strict=True):
        assert filtered.voxels.dtype == np.float32
        np.testing.assert_array_equal(filtered.voxels, _itk_log(image, sigma))


def test_log_reads_frozen_voxels():
    image = _noise()
    image.voxels.setflags(write=False)
    assert [name for name, _ in LaplacianOfGaussian((1,))(image)] == ["log-sigma-1-0-mm-3D"]


def test_log_names_carry_the_width():
    assert [name for name, _ in LaplacianOfGaussian((1, 2.5))(_noise())] == [
        "log-sigma-1-0-mm-3D",
        "log-sigma-2-5-mm-3D",
    ]


def test_log_skips_a_width_that_the_image_is_too_small_for():
    image = _noise(shape=(5, 20, 20))
    step = LaplacianOfGaussian((4, 5))
    assert [name for name, _ in step(image)] == ["log-sigma-4-0-mm-3D"]
    assert len(step.skipped(image)) == 1
    assert "sigma 5 mm was skipped" in step.skipped(image)[0]


def test_log_needs_four_voxels_along_each_axis():
    assert list(LaplacianOfGaussian((1,))(_noise(shape=(3, 20, 20)))) == []


def test_log_with_its_reach_as_guard_equals_the_whole_image():
    image = _noise(shape=(60, 60, 60))
    step = LaplacianOfGaussian((1, 1.5))
    reach = step.reach_voxels(image.spacing_mm)
    box = (slice(20, 40),) * 3
    guard = (slice(20 - reach, 40 + reach),) * 3
    for (_, whole), (_, cropped) in zip(step(image), step(image.crop(guard)), strict=True):
        inner = (slice(reach, reach + 20),) * 3
        np.testing.assert_allclose(cropped.voxels[inner], whole.voxels[box], rtol=0, atol=1e-4)


@pytest.mark.parametrize("shape", [(10, 12, 16), (9, 12, 15), (3, 4, 50)])
@pytest.mark.parametrize("dtype", [np.int16, np.float32, np.float64])
@pytest.mark.parametrize("wavelet", ["coif1", "haar", "bior1.3", "db7"])
def test_wavelet_equals_pywavelets_on_wrapped_even_sizes(shape, dtype, wavelet):
    image = _noise(shape=shape, dtype=dtype)
    even = np.pad(image.voxels, [(0, n % 2) for n in shape], mode="wrap")
    (expected,) = pywt.swtn(even, wavelet, level=1, axes=(2, 1, 0))
    for name, band in Wavelet(wavelet)(image):
        key = name.removeprefix("wavelet-").replace("L", "a").replace("H", "d")
        assert band.voxels.dtype == expected[key].dtype
        np.testing.assert_array_equal(band.voxels, expected[key][: shape[0], : shape[1], : shape[2]])


def test_wavelet_reads_frozen_voxels():
    image = _noise(shape=(8, 8, 8))
    image.voxels.setflags(write=False)
    assert len(list(Wavelet()(image))) == 8


def test_wavelet_names_put_x_first_and_the_approximation_last():
    image = Volume(voxels=np.zeros((8, 8, 8)), spacing_mm=(1, 1, 1))
    image.voxels[:, :, ::2] = 1.0  # varies along x alone
    bands = dict(Wavelet()(image))
    assert list(bands) == [f"wavelet-{band}" for band in BANDS]
    busy = {name for name, band in bands.items() if np.ptp(band.voxels) > 1e-9}
    assert busy == {"wavelet-HLL"}


def test_second_wavelet_level_decomposes_the_first_approximation():
    image = _noise(shape=(8, 8, 8), dtype=np.float64)
    first = dict(Wavelet()(image))["wavelet-LLL"]
    both = dict(Wavelet(level=2)(image))
    later = dict(Wavelet(start_level=1)(image))
    again = dict(Wavelet()(first))
    assert list(both) == [f"wavelet-{b}" for b in BANDS[:-1]] + [f"wavelet2-{b}" for b in BANDS]
    for band in BANDS:
        np.testing.assert_array_equal(both[f"wavelet2-{band}"].voxels, again[f"wavelet-{band}"].voxels)
        np.testing.assert_array_equal(later[f"wavelet-{band}"].voxels, again[f"wavelet-{band}"].voxels)


@pytest.mark.parametrize("level", [1, 2])
def test_wavelet_with_its_reach_as_guard_equals_the_whole_image(level):
    image = _noise(shape=(51, 50, 53))
    step = Wavelet(level=level)
    reach = step.reach_voxels(image.spacing_mm)
    guard = (slice(22 - reach, 29 + reach),) * 3
    for (_, whole), (_, cropped) in zip(step(image), step(image.crop(guard)), strict=True):
        inner = (slice(reach, reach + 7),) * 3
        np.testing.assert_array_equal(cropped.voxels[inner], whole.voxels[(slice(22, 29),) * 3])


def test_unknown_wavelet_names_the_nearest():
    with pytest.raises(SettingsError, match="did you mean 'coif1'"):
        Wavelet("coif1x")


@pytest.mark.parametrize("sigma_mm", [(), (0,), (1, -2)])
def test_log_refuses_widths_that_are_not_positive(sigma_mm):
    with pytest.raises(SettingsError, match="positive widths"):
        LaplacianOfGaussian(sigma_mm)


@pytest.mark.parametrize("step", [Original(), Wavelet(), Wavelet("db7", level=2), LaplacianOfGaussian((1, 2.5))])
@pytest.mark.parametrize("box", [(slice(2, 6), slice(3, 13), slice(4, 10)), (slice(5, 11), slice(0, 4), slice(12, 17))])
def test_asking_for_a_box_changes_no_value_inside_it(step, box):
    image = _noise(shape=(11, 13, 17), spacing_mm=(2.0, 0.7, 1.0))
    for (name, whole), (boxed_name, boxed) in zip(step(image), Inside(step, box)(image), strict=True):
        assert name == boxed_name
        assert whole.shape == boxed.shape
        np.testing.assert_array_equal(whole.voxels[box], boxed.voxels[box])
