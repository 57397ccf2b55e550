from __future__ import annotations

import numpy as np
import pytest

from glottis._errors import SettingsError
from glottis.data.volume import Mask, Volume
from glottis.preprocessing.bias import N4


def _shaded_ball():
    """A ball of one tissue on a dark ground under a drift of plus or minus 30 % along x."""
    z, y, x = np.mgrid[:12, :40, :40]
    ball = ((z - 5.5) * 2.5) ** 2 + (y - 19.5) ** 2 + (x - 19.5) ** 2 < 15**2
    noise = np.random.default_rng(2).normal(size=ball.shape)
    voxels = np.where(ball, 500 * (1 + 0.3 * (x - 19.5) / 20) + 5 * noise, 10 + noise)
    place = {"spacing_mm": (2.5, 1.0, 1.0)}
    return Volume(voxels=voxels.astype(np.float32), **place), Mask(voxels=ball, **place)


@pytest.mark.parametrize("region", ["otsu", "body"])
def test_n4_flattens_a_shaded_tissue(region):
    image, mask = _shaded_ball()
    corrected, same = N4(region=region, shrink_factor=2, iterations=(20, 20))(image, mask)
    before, after = (v[mask.voxels].std() / v[mask.voxels].mean() for v in (image.voxels, corrected.voxels))
    assert after < before / 2
    assert corrected.voxels.dtype == np.float32
    assert same is mask


def test_n4_gives_the_same_bytes_twice():
    image, mask = _shaded_ball()
    first, second = (N4(iterations=(5,))(image, mask)[0].voxels for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_n4_of_the_whole_image_keeps_its_size():
    image, mask = _shaded_ball()
    assert N4(region="whole", iterations=(2,))(image, mask)[0].shape == image.shape


@pytest.mark.parametrize("wrong", [{"shrink_factor": 0}, {"iterations": ()}, {"convergence": 0}, {"region": "head"}])
def test_n4_refuses_settings_out_of_range(wrong):
    with pytest.raises(SettingsError, match="N4"):
        N4(**wrong)
