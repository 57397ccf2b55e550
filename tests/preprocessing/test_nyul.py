from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from glottis._errors import ImageError, SettingsError
from glottis.data.volume import Mask, Volume
from glottis.preprocessing.nyul import NyulStandardiser, NyulTransform, percentile_row, region_intensities


def _scan(gain=1.0, offset=0.0, seed=0):
    voxels = np.random.default_rng(seed).gamma(3.0, 100.0, size=(8, 10, 12)) * gain + offset
    return (
        Volume(voxels=voxels, spacing_mm=(1, 1, 1)),
        Mask(voxels=np.ones(voxels.shape, dtype=bool), spacing_mm=(1, 1, 1)),
    )


def _fitted(region="image"):
    images = [_scan(gain, seed=seed) for seed, gain in enumerate((1.0, 1.5, 0.6))]
    return NyulStandardiser(region=region).fit([region_intensities(*pair, region) for pair in images])


@pytest.mark.parametrize("region", ["image", "foreground", "mask"])
def test_gain_and_offset_of_a_scanner_vanish(region):
    standardiser = _fitted(region)
    plain = standardiser.transform_volume(*_scan(seed=9)).voxels
    other = standardiser.transform_volume(*_scan(gain=2.2, offset=70, seed=9)).voxels
    np.testing.assert_allclose(other, plain, atol=1e-9)


def test_percentiles_land_on_the_landmarks():
    step = _fitted().to_step()
    image, mask = _scan(seed=4)
    standard = step(image, mask)[0].voxels
    inner = np.percentile(standard, step.percentiles)
    np.testing.assert_allclose(inner, step.landmarks, atol=0.2)


def test_mapping_keeps_the_order_of_intensities():
    image, mask = _scan(seed=4)
    standard = _fitted().to_step()(image, mask)[0].voxels
    order = np.argsort(image.voxels, axis=None)
    assert np.all(np.diff(standard.ravel()[order]) > 0)


def test_landmarks_from_percentile_rows_equal_those_from_intensities():
    intensities = [_scan(seed=seed)[0].voxels.ravel() for seed in range(3)]
    rows = [percentile_row(values) for values in intensities]
    np.testing.assert_array_equal(
        NyulStandardiser().fit(rows).landmarks_, NyulStandardiser().fit(intensities).landmarks_
    )


def test_transforming_an_image_learns_nothing():
    standardiser = _fitted()
    before = standardiser.landmarks_.copy()
    standardiser.transform_volume(*_scan(gain=50, seed=8))
    np.testing.assert_array_equal(standardiser.landmarks_, before)


def test_landmarks_survive_a_json_file():
    step = _fitted("mask").to_step()
    assert NyulTransform.from_dict(json.loads(json.dumps(step.to_dict()))) == step


def test_standardiser_is_cloned_unfitted():
    with pytest.raises(NotFittedError):
        clone(_fitted()).to_step()


def test_first_and_last_landmark_are_the_scale():
    landmarks = NyulStandardiser(scale=(5, 50)).fit([_scan()[0].voxels.ravel()]).landmarks_
    assert landmarks[[0, -1]].tolist() == [5, 50]


def test_constant_images_are_refused():
    with pytest.raises(ImageError, match="one intensity at all percentiles"):
        NyulStandardiser().fit([np.full(100, 3.0)])
    image, mask = _scan()
    with pytest.raises(ImageError, match="cannot be standardised"):
        _fitted().to_step()(image.with_voxels(np.full(image.shape, 3.0)), mask)


def test_missing_intensities_are_refused():
    with pytest.raises(ImageError, match="finite intensities"):
        percentile_row(np.array([1.0, np.nan]))


@pytest.mark.parametrize("percentiles", [(50,), (90, 10), (-1, 50), (1, 101)])
def test_percentiles_must_rise_within_range(percentiles):
    with pytest.raises(SettingsError, match="rising percentiles"):
        NyulStandardiser(percentiles=percentiles).fit([np.arange(10.0)])


def test_falling_landmarks_are_refused():
    with pytest.raises(SettingsError, match="must rise"):
        NyulTransform(landmarks=(3, 2), percentiles=(10, 90))


def test_unknown_keys_in_stored_landmarks_are_refused():
    with pytest.raises(SettingsError, match="need the keys"):
        NyulTransform.from_dict({"landmarks": [1, 2]})
