"""Every option of the texture matrices against a slow and obvious version."""

import itertools

import numpy as np
import pytest

import slow_textures
from glottis._errors import SettingsError
from glottis.data.volume import Mask, Volume
from glottis.features.discretise import FixedBinWidth
from glottis.features.extract import FeatureSettings, extract_features
from glottis.features.region import directions
from glottis.features.texture.settings import WEIGHTINGS, TextureSettings

CLASSES = ("glcm", "gldm", "glrlm", "glszm", "ngtdm")
SPACING = (1.1, 0.6, 0.35)
OPTIONS = {
    **{f"distances {d}": {"distances": d} for d in ((1,), (2,), (1, 2), (1, 3), (3,))},
    **{f"flat axis {axis}": {"flat_axis": axis} for axis in (0, 1, 2)},
    **{f"weighting {norm}": {"weighting": norm} for norm in WEIGHTINGS},
    **{f"alpha {alpha}": {"alpha": alpha} for alpha in (1, 2, 1.5)},
    "one way": {"symmetric": False},
}
MIXES = [
    {"distances": d, "flat_axis": axis, "weighting": norm, "symmetric": both, "alpha": alpha}
    for d, axis, norm, both, alpha in itertools.product(
        ((1,), (2,), (1, 2)), (None, 0, 1, 2), (None, *WEIGHTINGS), (True, False), (0, 1)
    )
]


def textured(seed, shape=(4, 5, 6), n_levels=5, share=0.75):
    """Grey levels inside a ragged mask, 0 outside; level 3 is often absent."""
    rng = np.random.default_rng(seed)
    grid = rng.integers(1, n_levels + 1, shape)
    grid[grid == 3] = 4 if seed % 2 else 3
    grid[rng.random(shape) > share] = 0
    grid.ravel()[rng.integers(grid.size)] = 1  # the lowest level, so that levels count from 1
    return grid


def both(grid, options):
    """Features of the engine and of the slow version, by full name."""
    texture = TextureSettings(**options)
    settings = FeatureSettings(classes=dict.fromkeys(CLASSES), bins=FixedBinWidth(1), texture=texture)
    image = Volume(voxels=grid.astype(np.float64) + 0.5, spacing_mm=SPACING)
    found = extract_features(image, Mask(voxels=grid > 0, spacing_mm=SPACING), settings)
    slow = slow_textures.features(grid, texture, SPACING)
    return found, {f"original_{name}_{key}": float(slow[name][key]) for name in slow for key in slow[name]}


def assert_equal(grid, options):
    found, expected = both(grid, options)
    assert sorted(found) == sorted(expected)
    for name, value in expected.items():
        # entropies of one level and correlations that vanish are rounding
        loose = 2e-7 if name.endswith(("Imc2", "MCC")) else 1e-10
        assert found[name] == pytest.approx(value, rel=1e-9, abs=loose, nan_ok=True), (name, options)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS.keys())
@pytest.mark.parametrize("seed", range(2))
def test_an_option_agrees_with_the_slow_version(seed, options):
    assert_equal(textured(seed), options)


@pytest.mark.parametrize("options", MIXES[::11])
def test_options_agree_with_the_slow_version_together(options):
    assert_equal(textured(3, shape=(3, 5, 4)), options)


@pytest.mark.slow
@pytest.mark.parametrize("options", MIXES)
@pytest.mark.parametrize("seed", range(4))
def test_all_options_agree_with_the_slow_version(seed, options):
    assert_equal(textured(seed, shape=(4, 6, 5), share=0.3 + 0.2 * seed), options)


@pytest.mark.parametrize("shape", [(1, 1, 7), (1, 6, 1), (5, 1, 1), (1, 4, 5), (4, 1, 5), (4, 5, 1), (2, 2, 2)])
@pytest.mark.parametrize("options", [{}, {"distances": (1, 3)}, {"flat_axis": 0}, {"weighting": "euclidean"}])
def test_thin_masks_agree_with_the_slow_version(shape, options):
    assert_equal(textured(4, shape=shape, n_levels=3, share=1), options)


@pytest.mark.parametrize("options", [{}, {"flat_axis": 1}, {"distances": (2,)}, {"symmetric": False}])
def test_scattered_voxels_agree_with_the_slow_version(options):
    assert_equal(textured(6, shape=(6, 6, 6), share=0.06), options)


@pytest.mark.parametrize("distances", [(1,), (2,), (1, 2), (1, 3)])
@pytest.mark.parametrize("flat_axis", [None, 0, 1, 2])
def test_directions_are_half_of_all_neighbours(distances, flat_axis):
    found = directions(distances, flat_axis)
    assert [tuple(step) for step in found.tolist()] == slow_textures.directions(distances, flat_axis)
    ring = sum((2 * d + 1) ** (2 if flat_axis is not None else 3) - (2 * d - 1) ** (2 if flat_axis is not None else 3)
               for d in distances)  # fmt: skip
    assert len(found) == ring // 2


def test_distances_are_sorted_and_given_once():
    assert TextureSettings(distances=(3, 1, 3)).distances == (1, 3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"distances": ()}, r"distances must be whole numbers from 1, got \(\): \(1,\) is usual"),
        ({"distances": (0, 1)}, r"distances must be whole numbers from 1, got \(0, 1\)"),
        ({"flat_axis": 3}, "flat_axis must be 0 .z., 1 .y., 2 .x. or None, got 3"),
        ({"weighting": "taxicab"}, "weighting 'taxicab' is unknown: use one of manhattan, euclidean"),
        ({"alpha": -1}, "alpha must be at least 0, got -1"),
    ],
)
def test_a_value_out_of_range_is_refused(options, message):
    with pytest.raises(SettingsError, match=message):
        TextureSettings(**options)
