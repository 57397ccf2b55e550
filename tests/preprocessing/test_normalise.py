from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from glottis._errors import ImageError, SettingsError
from glottis.data.volume import Mask, Volume
from glottis.preprocessing.normalise import ReferenceRegion, WithinMaskZScore, ZScore


def _scan(dtype=np.int16):
    voxels = (np.random.default_rng(5).gamma(2.0, 200.0, size=(6, 9, 11))).astype(dtype)
    inside = np.zeros(voxels.shape, dtype=bool)
    inside[2:5, 3:7, 4:9] = True
    return Volume(voxels=voxels, spacing_mm=(1, 1, 1)), Mask(voxels=inside, spacing_mm=(1, 1, 1))


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_z_score_equals_itk_normalisation(dtype):
    image, mask = _scan(dtype)
    expected = sitk.GetArrayFromImage(sitk.Normalize(image.to_sitk()))
    scored, same = ZScore()(image, mask)
    np.testing.assert_allclose(scored.voxels, expected, rtol=1e-12, atol=1e-14)
    assert same is mask


def test_scale_and_shift_follow_outlier_removal():
    image, mask = _scan()
    plain = ZScore()(image, mask)[0].voxels
    scored = ZScore(scale=100, shift=300, remove_outliers=2)(image, mask)[0].voxels
    np.testing.assert_allclose(scored, np.clip(plain, -2, 2) * 100 + 300)
    assert scored.max() == 500


def test_z_score_does_not_depend_on_gain_or_offset():
    image, mask = _scan(np.float64)
    other = image.with_voxels(image.voxels * 3.5 + 40)
    np.testing.assert_allclose(ZScore()(other, mask)[0].voxels, ZScore()(image, mask)[0].voxels, atol=1e-12)


def test_within_mask_z_score_gives_the_mask_mean_zero_and_spread_one():
    image, mask = _scan()
    inside = WithinMaskZScore()(image, mask)[0].voxels[mask.voxels]
    assert inside.mean() == pytest.approx(0, abs=1e-12)
    assert inside.std(ddof=1) == pytest.approx(1)


def test_reference_mask_gets_the_target_as_its_mean():
    image, mask = _scan()
    scaled, _ = ReferenceRegion(reference=mask, target=100)(image, mask)
    assert scaled.voxels[mask.voxels].mean() == pytest.approx(100)


def test_percentile_reference_undoes_a_gain():
    image, mask = _scan(np.float64)
    brighter = image.with_voxels(image.voxels * 1.7)
    step = ReferenceRegion(percentiles=(50, 95))
    np.testing.assert_allclose(step(brighter, mask)[0].voxels, step(image, mask)[0].voxels)


def test_reference_on_another_grid_is_refused():
    image, mask = _scan()
    with pytest.raises(ImageError, match="another grid"):
        ReferenceRegion(reference=mask.crop((slice(0, 5),) * 3))(image, mask)


def test_reference_without_signal_is_refused():
    image, mask = _scan()
    with pytest.raises(ImageError, match="cannot scale"):
        ReferenceRegion()(image.with_voxels(np.zeros(image.shape)), mask)


def test_constant_image_is_refused():
    image, mask = _scan()
    with pytest.raises(ImageError, match="cannot be normalised"):
        ZScore()(image.with_voxels(np.full(image.shape, 7)), mask)


@pytest.mark.parametrize("wrong", [{"scale": 0}, {"remove_outliers": -1}])
def test_scale_and_limit_must_be_positive(wrong):
    with pytest.raises(SettingsError, match="must be positive"):
        ZScore(**wrong)


def test_reference_percentiles_must_rise():
    with pytest.raises(SettingsError, match="low < high"):
        ReferenceRegion(percentiles=(90, 10))
