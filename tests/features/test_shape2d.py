"""Two-dimensional shape against PyRadiomics 3.0.1, and its laws."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from glottis._errors import ImageError, SettingsError
from glottis.data.volume import Mask, Volume
from glottis.features import shape2d
from glottis.features.catalogue import every_name
from glottis.features.extract import FeatureSettings, extract_features
from glottis.features.texture.settings import TextureSettings

REFERENCE = Path(__file__).parents[1] / "reference" / "pyradiomics_shape2d.json"
STORED = json.loads(REFERENCE.read_text())
POWERS = {
    "MajorAxisLength": 1, "MinorAxisLength": 1, "MaximumDiameter": 1, "Perimeter": 1, "MeshSurface": 2,
    "PixelSurface": 2, "PerimeterSurfaceRatio": -1, "Elongation": 0, "Sphericity": 0, "SphericalDisproportion": 0,
}  # fmt: skip


def slice_of(drawing, flat_axis=0, spacing=(1.0, 1.0), thickness=3.0):
    """A drawing as a mask one slice thick."""
    spacing_mm = tuple(np.insert(np.array(spacing), flat_axis, thickness).tolist())
    return Mask(voxels=np.expand_dims(np.asarray(drawing, dtype=bool), flat_axis), spacing_mm=spacing_mm)


def ragged(seed=0, size=(9, 12)):
    return np.random.default_rng(seed).random(size) < 0.6


def label(row):
    return f"{row['name']}, axis {row['flat_axis']}, {row['spacing_mm']}"


@pytest.mark.parametrize("row", STORED, ids=label)
def test_a_drawing_has_pyradiomics_values(row):
    drawing = [[pixel == "#" for pixel in line] for line in row["rows"]]
    found = shape2d.features(slice_of(drawing, row["flat_axis"], tuple(row["spacing_mm"])), row["flat_axis"])
    assert sorted(found) == sorted(row["features"]) == sorted(every_name("shape2D"))
    for name, value in row["features"].items():
        # PyRadiomics centres coordinates in mm: the thin axis of a line is the root of a rounding error of 1e-15
        assert found[name] == pytest.approx(value, rel=1e-6, abs=1e-6, nan_ok=True), name


def test_every_feature_scales_by_its_power_of_length():
    small = shape2d.features(slice_of(ragged(), spacing=(0.7, 1.3)), 0)
    large = shape2d.features(slice_of(ragged(), spacing=(7.0, 13.0)), 0)
    assert large == pytest.approx({name: small[name] * 10.0 ** POWERS[name] for name in small}, rel=1e-12)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_turning_by_right_angles_changes_nothing(turns):
    spacing = (0.7, 1.3)
    expected = shape2d.features(slice_of(ragged(1), spacing=spacing), 0)
    turned = slice_of(np.rot90(ragged(1), turns), spacing=spacing[::-1] if turns % 2 else spacing)
    assert shape2d.features(turned, 0) == pytest.approx(expected, rel=1e-12)


def test_moving_the_slice_changes_nothing():
    expected = shape2d.features(slice_of(ragged(2)), 0)
    voxels = np.zeros((5, 20, 30), dtype=bool)
    voxels[3, 7:16, 11:23] = ragged(2)
    assert shape2d.features(Mask(voxels=voxels, spacing_mm=(3.0, 1.0, 1.0)), 0) == expected


def test_the_thickness_of_the_slice_does_not_matter():
    thin, thick = (shape2d.features(slice_of(ragged(3), thickness=by), 0) for by in (0.1, 50.0))
    assert thin == thick


def test_a_large_disc_is_round():
    y, x = np.ogrid[-40:41, -40:41]
    found = shape2d.features(slice_of(y**2 + x**2 <= 38.5**2), 0)
    assert found["MeshSurface"] == pytest.approx(math.pi * 38.5**2, rel=0.01)
    assert found["MaximumDiameter"] == pytest.approx(77, rel=0.02)
    assert found["MajorAxisLength"] == pytest.approx(77, rel=0.01)
    assert found["Elongation"] == pytest.approx(1, abs=1e-9)


def test_a_pixel_is_a_diamond():
    found = shape2d.features(slice_of([[1]]), 0)
    assert (found["MeshSurface"], found["MaximumDiameter"], found["PixelSurface"]) == (0.5, 1, 1)
    assert found["Perimeter"] == pytest.approx(4 * math.sqrt(0.5))
    assert math.isnan(found["Elongation"])


@pytest.mark.parametrize("flat_axis", [0, 1, 2])
def test_a_mask_of_several_slices_is_refused_with_its_axis(flat_axis):
    mask = Mask(voxels=np.ones((2, 3, 4)), spacing_mm=(1.0, 1.0, 1.0))
    with pytest.raises(ImageError, match=rf"spans {flat_axis + 2} slices along {'zyx'[flat_axis]}.*force2Ddimension"):
        shape2d.features(mask, flat_axis)


def test_an_empty_mask_is_refused():
    with pytest.raises(ImageError, match="The mask is empty"):
        shape2d.features(slice_of(np.zeros((3, 3))), 0)


def test_two_dimensional_shape_asks_for_a_flat_axis():
    with pytest.raises(SettingsError, match=r"shape2D measures one slice: set force2D"):
        FeatureSettings(classes={"shape2D": None})


@pytest.mark.parametrize("flat_axis", [0, 1, 2])
def test_it_stands_beside_shape_and_before_intensities(flat_axis):
    classes = {"firstorder": ("Mean",), "shape2D": ("Perimeter", "SphericalDisproportion"), "shape": ("VoxelVolume",)}
    mask = slice_of(ragged(5), flat_axis)
    image = Volume(voxels=mask.voxels * 5.0, spacing_mm=mask.spacing_mm)
    settings = FeatureSettings(classes=classes, texture=TextureSettings(flat_axis=flat_axis))
    found = extract_features(image, mask, settings)
    expected = shape2d.features(mask, flat_axis)
    assert [name.split("_", 1)[1] for name in found] == [
        "shape_VoxelVolume", "shape2D_Perimeter", "shape2D_SphericalDisproportion", "firstorder_Mean",
    ]  # fmt: skip
    assert found["original_shape2D_Perimeter"] == expected["Perimeter"]
