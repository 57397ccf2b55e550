"""Compiled loops over spheres against SciPy's and numpy's slow and obvious ones."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from glottis.features._spheres import additions, measure, runs_of, tabulate
from glottis.features.lbp3d import icosphere

NEARLY_ON_VOXELS = np.array(
    [[1e-17, -1e-17, 1e-16], [-3e-16, 1, -1e-15], [0, 1e-16, -2], [2, -1e-17, -1.3], *-np.eye(3), [0.3, -0.6, 1e-15]]
)
"""Places that are rounded to a voxel at some indices and not at others."""


def voxels(dtype, shape=(6, 9, 11)):
    """Random intensities with flat areas, where patterns hang on rounding, and steps to both ends of uint8."""
    found = np.random.default_rng(3).normal(120, 60, shape).clip(0, 255)
    found[:3] = np.round(found[:3] / 255) * 255
    found[2:5, 2:7, 3:9] = 77
    return found.astype(dtype)


def whole(image):
    z, y, x = (slice(0, n) for n in image.shape)
    return z, y, x


def slow_samples(image, points):
    """Intensities ``(z, y, x, points)``."""
    places = np.indices(image.shape)[..., None] + points.T[:, None, None, None]
    return map_coordinates(image.astype(np.float64), places, output=image.dtype, order=3)


def slow_kurtosis(image, points):
    samples = slow_samples(image, points).reshape(-1, len(points))
    mean = samples.mean(axis=1)
    squares = (samples - mean[:, None]) ** 2
    second, fourth = squares.mean(axis=1), (squares**2).mean(axis=1)
    with np.errstate(all="ignore"):
        flat = second <= (np.finfo(second.dtype).resolution * mean) ** 2
        return (np.where(flat, np.nan, fourth / second**2) - 3).reshape(image.shape)


@pytest.mark.parametrize("dtype", [np.int16, np.uint8, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("points", [icosphere(1, 1), icosphere(0, 1.7), icosphere(2, 2.5), NEARLY_ON_VOXELS])
def test_the_kurtosis_is_that_of_scipys_intensities_bit_for_bit(points, dtype):
    image = voxels(dtype)
    _, kurtosis = measure(image, whole(image), points, np.ones((len(points), 1), dtype=complex))
    np.testing.assert_array_equal(kurtosis, slow_kurtosis(image, points))


@pytest.mark.parametrize("shape", [(1, 9, 11), (2, 3, 4), (5, 1, 1), (1, 1, 1)])
def test_thin_images_are_mirrored_as_scipy_does_it(shape):
    image, points = voxels(np.float64, shape), np.vstack([icosphere(1, 1.3), NEARLY_ON_VOXELS])
    _, kurtosis = measure(image, whole(image), points, np.ones((len(points), 1), dtype=complex))
    np.testing.assert_array_equal(kurtosis, slow_kurtosis(image, points))


@pytest.mark.parametrize("dtype", [np.int16, np.uint8, np.float32, np.float64])
def test_patterns_are_those_of_scipys_intensities(dtype):
    image, points = voxels(dtype), icosphere(1, 1)
    rng = np.random.default_rng(1)
    values = rng.normal(size=(42, 4)) + 1j * rng.normal(size=(42, 4))
    sums = (slow_samples(image, points) >= image[..., None]) @ values
    expected = [((sums[..., terms] @ values[:, terms].T) ** 2).sum(axis=-1) for terms in (slice(0, 1), slice(1, 4))]
    np.testing.assert_allclose(measure(image, whole(image), points, values)[0], expected, rtol=1e-11, atol=1e-9)


def test_spheres_that_lie_outside_the_image_are_dark():
    image = -voxels(np.float64)
    squares, kurtosis = measure(image, whole(image), 100 + icosphere(1, 1), np.ones((42, 1), dtype=complex))
    np.testing.assert_array_equal(squares, 42 * 42.0**2 * np.ones((1, *image.shape)))
    assert np.isnan(kurtosis).all()


@pytest.mark.parametrize("n", [12, 42, 128, 162, 642])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_are_added_in_the_order_of_numpy(n, dtype):
    values = np.random.default_rng(n).normal(size=(20, n)).astype(dtype)
    steps = additions(n)
    rows = np.vstack([values.T, np.full((steps.max() + 1 - n, 20), np.nan, dtype=dtype)])
    for target, a, b in steps:
        rows[target] = rows[a] + rows[b]
    np.testing.assert_array_equal(rows[steps[-1, 0]], values.sum(axis=1))


def test_an_offset_that_is_rounded_away_starts_a_new_run():
    table = tabulate(np.array([-1e-16, 0.5]), 8, slice(0, 8))
    assert runs_of(table.first).tolist() == [[[1, 2, 0], [2, 8, 2]], [[0, 7, 0], [0, 0, 0]]]
