from __future__ import annotations

import numpy as np
import pytest

from glottis._errors import ImageError, SettingsError
from glottis.data.volume import Mask, Volume
from glottis.preprocessing.window import Resegment, Window


def _scan(values, dtype=np.int16):
    voxels = np.array(values, dtype=dtype).reshape(1, 1, -1)
    return (
        Volume(voxels=voxels, spacing_mm=(1, 1, 1)),
        Mask(voxels=np.ones(voxels.shape, dtype=bool), spacing_mm=(1, 1, 1)),
    )


def test_window_clips_and_keeps_integers():
    image, mask = Window(lower=-160, upper=240)(*_scan([-1000, 0, 240, 900]))
    assert image.voxels.dtype == np.int16
    assert image.voxels.ravel().tolist() == [-160, 0, 240, 240]
    assert mask.n_voxels == 4


def test_window_beyond_the_pixel_type_changes_nothing():
    image, _ = Window(lower=-1000, upper=400)(*_scan([0, 255], dtype=np.uint8))
    assert image.voxels.ravel().tolist() == [0, 255]


def test_fractional_window_is_exact_on_integers():
    image, _ = Window(lower=0.5)(*_scan([0, 3]))
    assert image.voxels.ravel().tolist() == [0.5, 3.0]


@pytest.mark.parametrize("wrong", [{}, {"lower": 1, "upper": 1}, {"lower": 2, "upper": 1}])
def test_window_refuses_limits_that_make_none(wrong):
    with pytest.raises(SettingsError, match="Window has"):
        Window(**wrong)


@pytest.mark.parametrize(
    ("step", "kept"),
    [
        (Resegment(range=(20,)), [20, 30, 100]),
        (Resegment(range=(30, 10)), [10, 20, 30]),
        (Resegment(range=(0.2, 0.5), mode="relative"), [20, 30]),
        (Resegment(range=(-1, 1), mode="sigma"), [10, 20, 30]),  # mean 40, sd 35.4
    ],
)
def test_resegment_keeps_the_closed_range(step, kept):
    image, mask = _scan([10, 20, 30, 100])
    same, narrowed = step(image, mask)
    assert same is image
    assert image.voxels[narrowed.voxels].tolist() == kept


def test_resegment_never_widens_the_mask():
    image, mask = _scan([10, 20, 30, 100])
    mask.voxels[0, 0, 0] = False
    assert not Resegment(range=(0, 25))(*_scan([10, 20, 21, 100]))[1].voxels[0, 0, 3]
    assert not Resegment(range=(0, 35))(image, mask)[1].voxels[0, 0, 0]


def test_resegment_that_leaves_one_voxel_is_refused():
    with pytest.raises(ImageError, match="leaves 1 of 4 mask voxels"):
        Resegment(range=(50, 200))(*_scan([10, 20, 30, 100]))


@pytest.mark.parametrize("wrong", [{"range": ()}, {"range": (1, 2, 3)}, {"range": (1,), "mode": "percent"}])
def test_resegment_refuses_unknown_ranges(wrong):
    with pytest.raises(SettingsError, match="Resegment"):
        Resegment(**wrong)
