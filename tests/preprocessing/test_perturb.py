from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from glottis._errors import ImageError, SettingsError
from glottis.data.volume import Mask, Volume
from glottis.preprocessing.noise import noise_level
from glottis.preprocessing.perturb import AddNoise, ChangeVolume, RandomiseContour, Rotate, Translate

SPACING = (2.0, 1.0, 0.8)
Z, Y, X = np.mgrid[:24, :48, :56]
DISTANCE = np.sqrt(((Z - 11.3) * 2) ** 2 + (Y - 24.2) ** 2 + ((X - 26.7) * 0.8) ** 2)
LESION = Mask(voxels=DISTANCE < 12, spacing_mm=SPACING)
LONG = Mask(voxels=(((X - 27) * 0.8 / 16) ** 2 + ((Y - 24) / 7) ** 2 + ((Z - 11) / 5) ** 2) < 1, spacing_mm=SPACING)
SMOOTH = Volume(voxels=100 * np.exp(-((DISTANCE / 7) ** 2)), spacing_mm=SPACING)
RNG = np.random.default_rng(3)
SCAN = SMOOTH.with_voxels((SMOOTH.voxels + 6 * RNG.standard_normal(DISTANCE.shape)).astype(np.float32))
STEPS = [
    Rotate(degrees=9),
    Translate(fraction=(0.25, 0.5, 0.75)),
    ChangeVolume(fraction=0.2),
    AddNoise(),
    RandomiseContour(),
]


def _centroid(weights: np.ndarray) -> np.ndarray:
    return np.array([(weights * axis).sum() / weights.sum() for axis in (X, Y, Z)])


def _layer(mask: Mask) -> int:
    """Voxels of the mask with a neighbour outside."""
    from scipy import ndimage

    return mask.n_voxels - int(ndimage.binary_erosion(mask.voxels).sum())


def _dice(a: Mask, b: Mask) -> float:
    return 2 * float((a.voxels & b.voxels).sum()) / (a.n_voxels + b.n_voxels)


@pytest.mark.parametrize("step", STEPS, ids=repr)
def test_the_grid_stays_and_the_same_seed_gives_the_same_bytes(step: Any) -> None:
    first, second = step(SCAN, LESION), step(SCAN, LESION)
    for one, two, before in zip(first, second, (SCAN, LESION), strict=True):
        assert not one.grid_difference(before, tolerance=0.0)
        assert one.voxels.tobytes() == two.voxels.tobytes()
    assert first[0].voxels.dtype == np.float32


@pytest.mark.parametrize("kind", [AddNoise, RandomiseContour])
def test_another_seed_gives_another_result(kind: Any) -> None:
    first, second = (kind(random_state=seed)(SCAN, LESION) for seed in (0, 1))
    assert [a.voxels.tobytes() for a in first] != [b.voxels.tobytes() for b in second]


@pytest.mark.parametrize("degrees", [-13, 5, 13, 90])
def test_rotation_keeps_volume_and_centre(degrees: float) -> None:
    _, mask = Rotate(degrees=degrees)(SCAN, LONG)
    assert mask.n_voxels == LONG.n_voxels
    np.testing.assert_allclose(_centroid(mask.voxels), _centroid(LONG.voxels), atol=0.1)


def test_rotation_turns_from_x_to_y_in_mm() -> None:
    image = SMOOTH.with_voxels(LONG.voxels.astype(float))
    for turned in Rotate(degrees=30)(image, LONG):
        weights = turned.voxels.astype(float)
        x, y = (X - 27) * 0.8, Y - 24.0
        angle = np.arctan2(2 * (weights * x * y).sum(), (weights * (x**2 - y**2)).sum()) / 2
        assert np.rad2deg(angle) == pytest.approx(30, abs=1)


def test_rotation_there_and_back_is_no_rotation() -> None:
    image, mask = Rotate(degrees=-10)(*Rotate(degrees=10)(SMOOTH, LESION))
    np.testing.assert_allclose(image.voxels, SMOOTH.voxels, atol=0.1)
    assert _dice(mask, LESION) > 0.97


def test_rotation_by_a_right_angle_moves_every_voxel_of_a_square_grid() -> None:
    voxels = RNG.standard_normal((3, 9, 9))
    image = Volume(voxels=voxels, spacing_mm=(3, 1, 1))
    turned, _ = Rotate(degrees=90)(image, Mask(voxels=np.ones((3, 9, 9), dtype=bool), spacing_mm=(3, 1, 1)))
    np.testing.assert_allclose(turned.voxels, np.rot90(voxels, -1, axes=(1, 2)), atol=1e-10)


@pytest.mark.parametrize("step", STEPS, ids=repr)
def test_one_slice_is_changed_too(step: Any) -> None:
    flat = (slice(11, 12), slice(None), slice(None))
    image, mask = step(SCAN.crop(flat), LESION.crop(flat))
    assert image.shape == mask.shape == (1, 48, 56)
    assert mask.n_voxels == pytest.approx(LESION.crop(flat).n_voxels, rel=0.25)


@pytest.mark.parametrize("fraction", [0.25, 0.5, 0.75, -0.5])
def test_translation_moves_the_centroids_by_the_fraction(fraction: float) -> None:
    image, mask = Translate(fraction=(fraction, fraction / 2, 0))(SMOOTH, LESION)
    moved = [fraction, fraction / 2, 0]
    np.testing.assert_allclose(_centroid(image.voxels) - _centroid(SMOOTH.voxels), moved, atol=0.02)
    np.testing.assert_allclose(_centroid(mask.voxels) - _centroid(LESION.voxels), moved, atol=0.12)
    assert mask.n_voxels == LESION.n_voxels


@pytest.mark.parametrize("step", [Rotate(degrees=0), Translate(fraction=0)], ids=repr)
def test_no_movement_changes_no_voxel_of_a_ragged_mask(step: Any) -> None:
    ragged = LESION.with_voxels(LESION.voxels & (RNG.random(LESION.shape) < 0.8))
    image, mask = step(SCAN, ragged)
    assert mask.voxels.tolist() == ragged.voxels.tolist()
    np.testing.assert_allclose(image.voxels, SCAN.voxels, atol=1e-4)


def test_one_fraction_moves_along_all_axes() -> None:
    one, three = (Translate(fraction=part)(SCAN, LESION) for part in (0.25, (0.25, 0.25, 0.25)))
    assert [a.voxels.tobytes() for a in one] == [b.voxels.tobytes() for b in three]


@pytest.mark.parametrize("fraction", [-0.28, -0.1, 0.1, 0.28])
def test_volume_changes_by_the_fraction_about_the_same_centre(fraction: float) -> None:
    image, mask = ChangeVolume(fraction=fraction)(SCAN, LESION)
    assert image is SCAN
    assert mask.n_voxels == round(LESION.n_voxels * (1 + fraction))
    smaller, larger = sorted((mask, LESION), key=lambda one: one.n_voxels)
    assert not (smaller.voxels & ~larger.voxels).any()
    assert larger.n_voxels - smaller.n_voxels < 3 * _layer(larger)
    np.testing.assert_allclose(_centroid(mask.voxels), _centroid(LESION.voxels), atol=0.1)


def test_growth_is_alike_in_all_directions_in_mm() -> None:
    _, mask = ChangeVolume(fraction=0.5)(SCAN, LESION)
    assert DISTANCE[mask.voxels].max() - DISTANCE[~mask.voxels].min() < 2.5
    _, other = ChangeVolume(fraction=0.5, random_state=1)(SCAN, LESION)
    assert 0.98 < _dice(mask, other) < 1


def test_noise_of_a_known_level_is_found() -> None:
    assert noise_level(SCAN) == pytest.approx(6, rel=0.03)
    assert noise_level(SMOOTH) < 0.1


def test_noise_level_is_the_diagonal_band_of_the_stationary_wavelet() -> None:
    import pywt

    image = Volume(voxels=RNG.gamma(2, size=(4, 160, 160)), spacing_mm=SPACING)
    bands = [pywt.swt2(part.astype(float), "coif1", level=1)[0][1][2] for part in image.voxels]
    assert noise_level(image) == pytest.approx(np.median(np.abs(bands)) / 0.67449, rel=0.02)


def test_noise_doubles_in_variance() -> None:
    image, mask = AddNoise()(SCAN, LESION)
    assert mask is LESION
    assert (image.voxels - SCAN.voxels).std() == pytest.approx(noise_level(SCAN), rel=0.01)
    assert noise_level(image) == pytest.approx(2**0.5 * noise_level(SCAN), rel=0.02)


def test_integers_become_floating_under_noise() -> None:
    whole = SCAN.with_voxels(SCAN.voxels.astype(np.int16))
    noisy, _ = AddNoise(sd=3.0)(whole, LESION)
    assert noisy.voxels.dtype == np.float32
    assert (noisy.voxels - whole.voxels).std() == pytest.approx(3, rel=0.01)


def test_contours_follow_a_sharp_edge() -> None:
    sharp = SCAN.with_voxels(np.where(LESION.voxels, 200, 20) + SCAN.voxels / 20)
    _, mask = RandomiseContour()(sharp, LESION)
    assert _dice(mask, LESION) > 0.95


def test_contours_without_an_edge_scatter_about_the_drawn_one() -> None:
    masks = [RandomiseContour(random_state=seed, supervoxel_mm3=150)(SCAN, LESION)[1] for seed in range(8)]
    assert all(0.8 < _dice(mask, LESION) < 1 for mask in masks)
    assert np.mean([mask.n_voxels for mask in masks]) == pytest.approx(LESION.n_voxels, rel=0.1)
    assert len({mask.n_voxels for mask in masks}) > 4


def test_a_lesion_smaller_than_a_supervoxel_keeps_one() -> None:
    small = Mask(voxels=DISTANCE < 1.5, spacing_mm=SPACING)
    _, mask = RandomiseContour()(SCAN, small)
    assert mask.n_voxels > 0
    assert (mask.voxels & small.voxels).any()


@pytest.mark.parametrize(
    ("kind", "wrong", "match"),
    [
        (Rotate, {"degrees": np.nan}, "got nan"),
        (Translate, {"fraction": 1.0}, "below 1; got 1.0"),
        (Translate, {"fraction": (0.1, 0.2)}, r"got \(0.1, 0.2\)"),
        (ChangeVolume, {"fraction": -1.0}, "above -1, got -1.0"),
        (AddNoise, {"sd": 0.0}, "positive sd, got 0.0"),
        (RandomiseContour, {"supervoxel_mm3": 0}, "positive supervoxel_mm3, got 0"),
    ],
)
def test_settings_out_of_range_are_refused(kind: Any, wrong: dict[str, Any], match: str) -> None:
    with pytest.raises(SettingsError, match=match):
        kind(**wrong)


@pytest.mark.parametrize("step", [one for one in STEPS if not isinstance(one, AddNoise)], ids=repr)
def test_an_empty_mask_is_refused(step: Any) -> None:
    with pytest.raises(ImageError, match="mask is empty"):
        step(SCAN, LESION.with_voxels(np.zeros(LESION.shape, dtype=bool)))


def test_a_mask_of_one_voxel_moves_and_stays_one() -> None:
    voxels = np.zeros(LESION.shape, dtype=bool)
    voxels[11, 24, 26] = True
    _, mask = Translate(fraction=0.75)(SCAN, LESION.with_voxels(voxels))
    assert np.argwhere(mask.voxels).tolist() == [[12, 25, 27]]


def test_a_volume_that_the_image_does_not_hold_is_refused() -> None:
    box = LESION.bounding_box()
    with pytest.raises(ImageError, match=r"cannot change by 5 in an image of"):
        ChangeVolume(fraction=5)(SCAN.crop(box), LESION.crop(box))


def test_noise_of_a_constant_image_is_refused() -> None:
    with pytest.raises(ImageError, match=r"estimated as 0.*AddNoise\(sd="):
        AddNoise()(SCAN.with_voxels(np.zeros(SCAN.shape)), LESION)
