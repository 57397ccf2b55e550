import itertools
import math

import numpy as np
import pytest

from glottis.data.volume import Mask
from glottis.features import shape
from glottis.features._mesh import area_and_volume, largest_distance, vertices


def random_mask(seed, size=(5, 6, 7)):
    return np.random.default_rng(seed).random(size) < 0.4


def all_vertices(inside):
    """Every midpoint between a voxel inside and a face neighbour outside, in half voxels."""
    padded = np.pad(inside, 1)
    found = []
    for place in np.argwhere(padded):
        for axis, sign in itertools.product(range(3), (-1, 1)):
            step = sign * (np.arange(3) == axis)
            if not padded[tuple(place + step)]:
                found.append(2 * place + step)
    return np.array(found)


@pytest.mark.parametrize("seed", range(3))
def test_diameters_agree_with_all_pairs_of_vertices(seed):
    inside = random_mask(seed)
    spacing = np.array([1.3, 0.7, 2.1])
    found = shape.features(Mask(voxels=inside, spacing_mm=tuple(spacing)))
    points = all_vertices(inside)
    apart = np.linalg.norm((points[:, None] - points) * spacing / 2, axis=2)
    for name, axis in (("Slice", 0), ("Column", 1), ("Row", 2)):
        in_plane = points[:, None, axis] == points[:, axis]
        assert found[f"Maximum2DDiameter{name}"] == pytest.approx(apart[in_plane].max(), rel=1e-12)
    assert found["Maximum3DDiameter"] == pytest.approx(apart.max(), rel=1e-12)


def test_outermost_vertices_are_vertices():
    inside = random_mask(5)
    every = {tuple(point) for point in all_vertices(inside)}
    assert {tuple(point) for point in vertices(inside, along=2) + 0} <= every


def test_distances_are_taken_within_groups_only():
    points = np.array([[0.0, 0, 0], [0, 0, 9], [0, 0, 1], [0, 0, 11]])
    assert largest_distance(points, np.array([0, 1, 0, 1])) == 2


def test_one_voxel_is_an_octahedron():
    area, volume = area_and_volume(np.ones((1, 1, 1), dtype=bool), (1.0, 1.0, 1.0))
    assert area == pytest.approx(math.sqrt(3))
    assert volume == pytest.approx(1 / 6)


def test_a_large_ball_is_nearly_round():
    z, y, x = np.ogrid[-20:21, -20:21, -20:21]
    found = shape.features(Mask(voxels=z**2 + y**2 + x**2 <= 18**2, spacing_mm=(1.0, 1.0, 1.0)))
    assert found["MeshVolume"] == pytest.approx(4 / 3 * math.pi * 18**3, rel=0.01)
    assert found["Elongation"] == pytest.approx(1, abs=1e-9)
    assert found["MajorAxisLength"] == pytest.approx(4 * 18 / math.sqrt(5), rel=0.01)
    assert found["Sphericity"] * found["SphericalDisproportion"] == pytest.approx(1)


def test_a_block_has_the_volume_of_its_voxels_less_its_bevelled_edges():
    area, volume = area_and_volume(np.ones((3, 4, 5), dtype=bool), (1.0, 1.0, 1.0))
    edges, corners = 4 * (2 + 3 + 4), 8
    # an edge loses a prism of 1/8 a voxel; a corner 5/48, as the octahedron of one voxel (1 - 8 * 5/48 = 1/6) shows
    assert volume == pytest.approx(60 - edges / 8 - corners * 5 / 48)
    assert area < 2 * (12 + 15 + 20)


@pytest.mark.parametrize("size", [(1, 4, 5), (1, 1, 6), (1, 1, 1)])
def test_thin_masks_have_thin_axes_of_length_zero(size):
    found = shape.features(Mask(voxels=np.ones(size), spacing_mm=(1.7, 0.3, 0.9)))
    assert found["LeastAxisLength"] == pytest.approx(0, abs=1e-7)
    assert math.isnan(found["Flatness"]) == (size == (1, 1, 1))
