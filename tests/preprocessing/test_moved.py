"""A moved grid shows the image turned and shifted, interpolated once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from glottis._errors import SettingsError
from glottis.data.volume import Mask, Volume
from glottis.preprocessing.moved import MovedResample
from glottis.preprocessing.perturb import Rotate, Translate
from glottis.preprocessing.resample import Resample

SPACING = (2.0, 1.0, 0.8)
Z, Y, X = np.mgrid[:24, :56, :64]
PLACE: dict[str, Any] = {
    "spacing_mm": SPACING,
    "origin_mm": (5.0, -7.0, 30.0),
    "direction": (0.0, 1.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0, 1.0),
}
BLOBS = np.exp(-(((Z - 11) * 2 / 6) ** 2) - ((Y - 24) / 9) ** 2 - ((X - 36) * 0.8 / 5) ** 2)
IMAGE = Volume(voxels=100 * BLOBS + 2.0 * X + Y, **PLACE)
LESION = Mask(voxels=(((X - 32) * 0.8 / 16) ** 2 + ((Y - 28) / 7) ** 2 + ((Z - 11) / 5) ** 2) < 1, **PLACE)
KEPT: Any = (0, 0, 0)


def _round_the_mask(image: Volume, mask: Mask, reach: int) -> np.ndarray:
    z, y, x = (round(float(axis.mean())) for axis in np.nonzero(mask.voxels))
    return image.voxels[z - 2 : z + 3, y - reach : y + reach, x - reach : x + reach]


@pytest.mark.parametrize(
    ("moves", "step"),
    [
        ({"degrees": 20.0}, Rotate(degrees=20)),
        ({"degrees": -20.0}, Rotate(degrees=-20)),
        ({"fraction": (0.3, -0.4, 0.2)}, Translate(fraction=(0.3, -0.4, 0.2))),
    ],
    ids=str,
)
def test_a_smooth_image_moves_as_by_interpolating_it_on_its_own_grid(moves: Any, step: Any) -> None:
    image, mask = MovedResample(spacing_mm=KEPT, **moves)(IMAGE, LESION)
    moved, moved_mask = step(IMAGE, LESION)
    theirs, ours = _round_the_mask(moved, moved_mask, 8), _round_the_mask(image, mask, 8)
    np.testing.assert_allclose(ours, theirs, atol=0.05)
    assert mask.n_voxels == pytest.approx(LESION.n_voxels, rel=0.02)


def test_every_voxel_shows_the_place_in_the_patient_that_its_grid_names() -> None:
    ramp = IMAGE.with_voxels(2.0 * X - 3.0 * Y + 5.0 * Z)
    step = MovedResample(spacing_mm=(1, 1, 1), degrees=7, fraction=(0.1, 0.2, 0.3), interpolator="linear")
    image, mask = step(ramp, LESION)
    ones = np.argwhere(mask.voxels)
    where = ramp.to_sitk().TransformPhysicalPointToContinuousIndex(
        image.to_sitk().TransformIndexToPhysicalPoint(tuple(int(n) for n in ones[7][::-1]))
    )
    assert image.voxels[tuple(ones[7])] == pytest.approx(2 * where[0] - 3 * where[1] + 5 * where[2], abs=1e-6)


def test_without_a_move_nothing_differs_from_resampling() -> None:
    ours, theirs = MovedResample()(IMAGE, LESION), Resample()(IMAGE, LESION)
    for one, other in zip(ours, theirs, strict=True):
        assert not one.grid_difference(other, tolerance=0.0)
        assert one.voxels.tobytes() == other.voxels.tobytes()


def test_texture_keeps_its_strength_where_two_interpolations_blur_it() -> None:
    noise = IMAGE.with_voxels(np.random.default_rng(1).standard_normal(X.shape))
    image, mask = Resample(spacing_mm=(1, 1, 1))(noise, LESION)
    once, inside = MovedResample(spacing_mm=(1, 1, 1), degrees=9, fraction=(0.4, 0.4, 0.4))(noise, LESION)
    twice, behind = Rotate(degrees=9)(*Translate(fraction=0.4)(image, mask))
    before, single, double = (
        part.voxels[own.voxels].std() for part, own in ((image, mask), (once, inside), (twice, behind))
    )
    assert single > 0.9 * before
    assert double < 0.8 * before


def test_a_mask_that_fills_its_image_keeps_all_its_voxels_when_turned() -> None:
    whole = Mask(voxels=np.ones((4, 20, 20), dtype=bool), spacing_mm=(1, 1, 1))
    image = Volume(voxels=np.full((4, 20, 20), 7.0), spacing_mm=(1, 1, 1))
    turned, mask = MovedResample(degrees=45)(image, whole)
    assert mask.n_voxels == pytest.approx(whole.n_voxels, rel=0.05)
    np.testing.assert_allclose(turned.voxels, 7)
    assert turned.shape[0] == 4


def test_a_single_slice_is_not_shifted_out_of_itself() -> None:
    flat = (slice(11, 12), slice(None), slice(None))
    _, mask = MovedResample(spacing_mm=KEPT, fraction=(0.4, 0.4, 0.9))(IMAGE.crop(flat), LESION.crop(flat))
    assert mask.shape[0] == 1
    assert mask.n_voxels == pytest.approx(LESION.crop(flat).n_voxels, rel=0.03)


@pytest.mark.parametrize("wrong", [{"degrees": np.nan}, {"fraction": (1, 0, 0)}, {"fraction": (0.1, 0.1)}], ids=str)
def test_moves_that_are_none_are_refused(wrong: Any) -> None:
    with pytest.raises(SettingsError, match=r"three fractions of a voxel .* write for example degrees=5"):
        MovedResample(**wrong)
