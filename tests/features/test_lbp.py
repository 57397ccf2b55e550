"""Local binary patterns: an obvious version, symmetries, and what is refused. Their values stand in tests/reference."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy.ndimage import map_coordinates
from scipy.special import sph_harm_y

from glottis._errors import SettingsError
from glottis.data.volume import Volume
from glottis.features.lbp2d import LBP2D
from glottis.features.lbp3d import LBP3D, icosphere

BOX = (slice(1, 4), slice(2, 7), slice(0, 5))


def image(shape=(5, 8, 9), dtype=np.float64):
    voxels = np.random.default_rng(8).normal(0, 100, shape)
    return Volume(voxels=voxels.astype(dtype), spacing_mm=(1.0, 1.0, 1.0))


def pattern(voxels, **settings):
    ((_, result),) = LBP2D(**settings)(Volume(voxels=voxels, spacing_mm=(1.0, 1.0, 1.0)))
    return result.voxels


def brighter(plane, row, column, radius, samples):
    """Which samples round one voxel are at least as bright, by bilinear interpolation in a plane with zeros around."""
    padded = np.pad(plane, 4)
    found = []
    for k in range(samples):
        y = row + 4 - round(radius * math.sin(2 * math.pi * k / samples), 5)
        x = column + 4 + round(radius * math.cos(2 * math.pi * k / samples), 5)
        found.append(map_coordinates(padded, [[y], [x]], order=1)[0] >= plane[row, column])
    return found


@pytest.mark.parametrize(("radius", "samples"), [(1, 8), (1.5, 12), (3, 5)])
def test_the_default_pattern_is_the_binary_number_of_the_brighter_samples(radius, samples):
    voxels = image().voxels
    codes = pattern(voxels, radius=radius, samples=samples, method="default")
    for place in [(0, 0, 0), (2, 3, 4), (4, 7, 8), (1, 7, 2)]:
        bits = brighter(voxels[place[0]], *place[1:], radius, samples)
        assert codes[place] == sum(2**k for k, bit in enumerate(bits) if bit)


def test_the_rotated_pattern_is_the_smallest_of_its_rotations():
    voxels = image().voxels
    plain, rotated = pattern(voxels, method="default"), pattern(voxels, method="ror")
    for number, smallest in zip(plain.ravel(), rotated.ravel(), strict=True):
        bits = f"{int(number):08b}"
        assert smallest == min(int(bits[k:] + bits[:k], 2) for k in range(8))


def test_the_uniform_pattern_counts_one_arc_of_brighter_samples():
    voxels = image().voxels
    for number, count in zip(pattern(voxels, method="default").ravel(), pattern(voxels).ravel(), strict=True):
        bits = [int(number) >> k & 1 for k in range(8)]
        changes = sum(a != b for a, b in pairwise(bits))
        assert count == (sum(bits) if changes <= 2 else 9)


def test_the_variance_does_not_change_with_an_offset_and_is_missing_in_flat_places():
    voxels = image().voxels
    inner = (slice(None), slice(2, -2), slice(2, -2))
    shifted = pattern(voxels + 50, method="var")
    np.testing.assert_allclose(shifted[inner], pattern(voxels, method="var")[inner], rtol=1e-9)
    assert np.isnan(pattern(np.full((1, 6, 6), 7.0), method="var")[0, 2, 2])


def test_patterns_do_not_change_under_a_growing_curve_of_positive_intensities_on_the_grid():
    voxels = np.abs(image().voxels)
    np.testing.assert_array_equal(pattern(voxels, samples=4), pattern(voxels**3, samples=4))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_slices_do_not_see_each_other(axis):
    voxels = image().voxels
    whole = pattern(voxels, flat_axis=axis, method="default")
    for k in range(voxels.shape[axis]):
        np.testing.assert_array_equal(
            pattern(voxels.take([k], axis), flat_axis=axis, method="default"), whole.take([k], axis)
        )


@pytest.mark.parametrize("step", [LBP2D(), LBP2D(flat_axis=2, radius=2.5), LBP2D(flat_axis=1), LBP3D()])
@pytest.mark.parametrize("dtype", [np.int16, np.float32, np.float64])
def test_asking_for_a_box_changes_no_value_inside_it(step, dtype):
    volume = image(dtype=dtype)
    for (name, whole), (boxed_name, boxed) in zip(step(volume), step(volume, box=BOX), strict=True):
        assert (name, boxed.shape) == (boxed_name, volume.shape)
        np.testing.assert_array_equal(whole.voxels[BOX], boxed.voxels[BOX])


def test_a_2d_pattern_keeps_the_pixel_type_and_3d_patterns_are_float64():
    assert pattern(image().voxels.astype(np.int16)).dtype == np.int16
    assert {str(result.voxels.dtype) for _, result in LBP3D()(image(dtype=np.int16))} == {"float64"}


def test_names_are_those_of_pyradiomics():
    assert [name for name, _ in LBP2D()(image())] == ["lbp-2D"]
    assert [name for name, _ in LBP3D(levels=3)(image())] == ["lbp-3D-m1", "lbp-3D-m2", "lbp-3D-m3", "lbp-3D-k"]


@pytest.mark.parametrize("subdivision", [0, 1, 2, 3])
def test_the_points_of_an_icosphere_lie_on_the_sphere_and_balance(subdivision):
    points = icosphere(subdivision, 2.5)
    assert len(points) == 10 * 4**subdivision + 2
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 2.5, rtol=1e-12)
    np.testing.assert_allclose(points.sum(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(points.T @ points, np.eye(3) * 2.5**2 * len(points) / 3, atol=1e-8)


def test_the_first_level_counts_the_brighter_points():
    volume = image(shape=(7, 7, 7))
    first = dict(LBP3D()(volume))["lbp-3D-m1"].voxels[3, 3, 3]
    where = np.array([3, 3, 3]) + icosphere(1, 1)
    brighter_points = np.count_nonzero(map_coordinates(volume.voxels, where.T, order=3) >= volume.voxels[3, 3, 3])
    assert first == pytest.approx(brighter_points * math.sqrt(42) / (4 * math.pi), rel=1e-12)


def test_the_second_level_is_the_norm_of_the_harmonics_of_degree_one():
    volume = image(shape=(7, 7, 7))
    points = icosphere(1, 1)
    # degree one is linear in the point's place, so that exchanging the angles can be written out
    azimuth, polar = np.arccos(points[:, 2]), np.arctan2(points[:, 1], points[:, 0])
    harmonics = np.stack([sph_harm_y(1, 0, np.abs(polar), azimuth), *(
        sign * math.sqrt(3 / (8 * math.pi)) * np.abs(np.sin(polar)) * np.exp(-1j * sign * azimuth) for sign in (1, -1)
    )], axis=1)  # fmt: skip
    bright = map_coordinates(volume.voxels, (3 + points).T, order=3) >= volume.voxels[3, 3, 3]
    values = harmonics @ (bright @ harmonics)
    expected = np.sqrt((values**2).sum()).real
    assert dict(LBP3D()(volume))["lbp-3D-m2"].voxels[3, 3, 3] == pytest.approx(expected, rel=1e-9)


def test_the_kurtosis_image_is_that_of_the_intensities_on_the_sphere():
    volume = image(shape=(7, 7, 7))
    samples = map_coordinates(volume.voxels, (3 + icosphere(1, 1)).T, order=3)
    centred = samples - samples.mean()
    expected = (centred**4).mean() / (centred**2).mean() ** 2 - 3
    assert dict(LBP3D()(volume))["lbp-3D-k"].voxels[3, 3, 3] == pytest.approx(expected, rel=1e-9)


def test_a_flat_place_has_no_kurtosis():
    flat = Volume(voxels=np.zeros((7, 7, 7), dtype=np.int16), spacing_mm=(1.0, 1.0, 1.0))
    assert np.isnan(dict(LBP3D()(flat))["lbp-3D-k"].voxels[3, 3, 3])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"method": "nri"}, "method 'nri' is unknown: use one of default, ror, uniform, var"),
        ({"radius": 0}, "needs a positive radius, 1 to 1000 samples"),
        ({"samples": 32, "method": "ror"}, "1 to 31 samples and flat_axis 0, 1 or 2, got 1, 32 and 0"),
        ({"flat_axis": 3}, "flat_axis 0, 1 or 2, got 1, 8 and 3"),
    ],
)
def test_settings_of_2d_patterns_out_of_range_are_refused(settings, said):
    with pytest.raises(SettingsError, match=said):
        LBP2D(**settings)


@pytest.mark.parametrize("settings", [{"levels": 0}, {"radius": -1}, {"subdivision": 7}])
def test_settings_of_3d_patterns_out_of_range_are_refused(settings):
    with pytest.raises(SettingsError, match="LBP3D needs levels >= 1, a positive radius and a subdivision from 0 to 6"):
        LBP3D(**settings)
