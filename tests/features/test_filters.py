"""Filters against PyWavelets and SimpleITK, whose values PyRadiomics hands on."""

from __future__ import annotations

import numpy as np
import pytest
import pywt
import SimpleITK as sitk

from glottis._errors import SettingsError
from glottis.data.volume import Volume
from glottis.features.discretise import FixedBinWidth
from glottis.features.filters import Inside, LaplacianOfGaussian, Original, Wavelet, With, own_settings

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


@pytest.mark.parametrize("flat_axis", [0, 1, 2])
@pytest.mark.parametrize("shape", [(9, 12, 15), (6, 8, 10)])
@pytest.mark.parametrize("dtype", [np.int16, np.float32, np.float64])
@pytest.mark.parametrize("wavelet", ["coif1", "db10", "sym8", "bior6.8"])
def test_a_wavelet_of_slices_equals_pywavelets_on_two_axes(flat_axis, shape, dtype, wavelet):
    image = _noise(shape=shape, dtype=dtype)
    even = np.pad(image.voxels, [(0, n % 2) for n in shape], mode="wrap")
    axes = tuple(axis for axis in (2, 1, 0) if axis != flat_axis)
    (expected,) = pywt.swtn(even, wavelet, level=1, axes=axes)
    bands = dict(Wavelet(wavelet, flat_axis=flat_axis)(image))
    assert list(bands) == ["wavelet-LH", "wavelet-HL", "wavelet-HH", "wavelet-LL"]
    for name, band in bands.items():
        key = name.removeprefix("wavelet-").replace("L", "a").replace("H", "d")
        np.testing.assert_array_equal(band.voxels, expected[key][: shape[0], : shape[1], : shape[2]])


@pytest.mark.parametrize("wavelet", ["db10", "sym8", "bior3.5", "dmey"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_three_levels_of_a_long_wavelet_equal_pywavelets(wavelet, dtype):
    image = _noise(shape=(8, 10, 12), dtype=dtype)
    data, found = image.voxels, dict(Wavelet(wavelet, level=3)(image))
    for prefix in ("wavelet", "wavelet2", "wavelet3"):
        (expected,) = pywt.swtn(data, wavelet, level=1, axes=(2, 1, 0))
        data = expected["aaa"]
        np.testing.assert_array_equal(found[f"{prefix}-HLH"].voxels, expected["dad"])
    np.testing.assert_array_equal(found["wavelet3-LLL"].voxels, data)


@pytest.mark.parametrize("step", [Wavelet(flat_axis=0, level=2), Wavelet("db7", flat_axis=2, start_level=1)])
def test_asking_a_wavelet_of_slices_for_a_box_changes_no_value_inside_it(step):
    image, box = _noise(shape=(11, 13, 17)), (slice(2, 6), slice(3, 13), slice(4, 10))
    for (_, whole), (_, boxed) in zip(step(image), step(image, box=box), strict=True):
        np.testing.assert_array_equal(whole.voxels[box], boxed.voxels[box])


def test_a_wavelet_refuses_an_axis_that_there_is_not():
    with pytest.raises(SettingsError, match=r"flat_axis of a wavelet must be 0 .* or None, got 3"):
        Wavelet(flat_axis=3)


def test_log_names_may_be_written_as_in_a_parameter_file():
    step = LaplacianOfGaussian((1, 2.5), ("1", "2.50"))
    assert [name for name, _ in step(_noise())] == ["log-sigma-1-mm-3D", "log-sigma-2-50-mm-3D"]
    with pytest.raises(SettingsError, match="LoG has 2 widths and 1 names for them"):
        LaplacianOfGaussian((1, 2), ("1",))


def test_a_filter_with_settings_of_its_own_behaves_as_the_filter():
    image, step = _noise(), Wavelet()
    own = With(step, bins=FixedBinWidth(2.0), voxel_array_shift=5.0)
    assert (own.wraps_round, own.reach_voxels((1, 1, 1)), own.skipped(image)) == (True, 6, ())
    for (name, plain), (same, wrapped) in zip(step(image), own(image), strict=True):
        assert name == same
        np.testing.assert_array_equal(plain.voxels, wrapped.voxels)


def test_settings_of_a_filter_are_found_behind_its_box():
    own, box = With(Original(), bins=FixedBinWidth(2.0)), (slice(0, 2),) * 3
    assert own_settings(Inside(own, box)) == own_settings(own) == own
    assert own_settings(Inside(Original(), box)) == With(Original())


def test_a_filter_that_sees_a_part_gives_the_values_of_that_part():
    image, box, seen = _noise(), (slice(4, 6), slice(5, 9), slice(4, 8)), (slice(1, 9), slice(2, 12), slice(1, 13))
    for (name, part), (same, placed) in zip(
        Wavelet()(image.crop(seen)), Inside(Wavelet(), box, seen)(image), strict=True
    ):
        assert (name, placed.shape) == (same, image.shape)
        np.testing.assert_array_equal(part.voxels[3:5, 3:7, 3:7], placed.voxels[box])
