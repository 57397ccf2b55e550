import math

import numpy as np
import pytest

from glottis._errors import ImageError, SettingsError
from glottis.data.volume import Mask, Volume
from glottis.features.catalogue import CATALOGUE, CLASSES, count_by_class, default_names, every_name
from glottis.features.discretise import FixedBinCount, FixedBinWidth
from glottis.features.extract import FeatureSettings, extract_features, extract_with_bins, feature_names
from glottis.features.filters import LaplacianOfGaussian, Original, Wavelet

SPACING = (1.0, 1.0, 1.0)
EVERY_NAME = {name: every_name(name) for name in CLASSES}


def lesion(shape=(8, 8, 8)):
    voxels = np.random.default_rng(1).normal(50, 40, shape)
    inside = np.zeros(shape, dtype=bool)
    inside[2:6, 2:6, 2:6] = True
    return Volume(voxels=voxels, spacing_mm=SPACING), Mask(voxels=inside, spacing_mm=SPACING)


def test_names_are_those_extracted_in_the_same_order():
    image, mask = lesion()
    settings = FeatureSettings(filters=(Original(), Wavelet(), LaplacianOfGaussian(sigma_mm=(1, 2))))
    assert list(extract_features(image, mask, settings)) == feature_names(settings)


def test_counts_are_those_of_pyradiomics():
    original_and_wavelet = (Original(), Wavelet())
    with_log = (*original_and_wavelet, LaplacianOfGaussian())
    assert len(feature_names(FeatureSettings())) == 107
    assert len(feature_names(FeatureSettings(filters=original_and_wavelet))) == 851
    assert len(feature_names(FeatureSettings(filters=with_log))) == 1316
    assert len(feature_names(FeatureSettings(filters=original_and_wavelet, classes=EVERY_NAME))) == 863


def test_counts_by_class_and_image():
    counts = count_by_class(feature_names(FeatureSettings(filters=(Original(), Wavelet()))))
    assert counts["shape", "original"] == 14
    assert counts["glcm", "wavelet-HHL"] == 24
    assert sum(counts.values()) == 851


def test_every_definition_is_filled_in_and_no_ibsi_code_is_used_twice():
    features = [feature for name in CLASSES for feature in CATALOGUE[name]]
    codes = [feature.ibsi for feature in features if feature.ibsi]
    assert all(feature.definition for feature in features)
    assert all(len(code) == 4 for code in codes)
    assert len(set(codes)) == len(codes)


def test_deprecated_features_come_only_when_named():
    image, mask = lesion()
    settings = FeatureSettings(classes={"firstorder": ("StandardDeviation", "Variance"), "shape": ("Compactness2",)})
    found = extract_features(image, mask, settings)
    assert list(found) == [
        "original_shape_Compactness2",
        "original_firstorder_StandardDeviation",
        "original_firstorder_Variance",
    ]
    assert found["original_firstorder_StandardDeviation"] ** 2 == pytest.approx(found["original_firstorder_Variance"])
    assert "StandardDeviation" not in default_names("firstorder")


def test_a_subset_has_the_values_of_the_whole():
    image, mask = lesion()
    whole = extract_features(image, mask, FeatureSettings())
    for name in CLASSES:
        part = extract_features(image, mask, FeatureSettings(classes={name: None}))
        assert part == {key: whole[key] for key in part}


def test_shape_comes_from_the_mask_and_the_rest_from_the_intensity_mask():
    image, mask = lesion()
    narrow = mask.with_voxels(mask.voxels & (image.voxels > 40))
    found = extract_features(image, mask, FeatureSettings(), intensity_mask=narrow)
    wide, inner = (extract_features(image, part, FeatureSettings()) for part in (mask, narrow))
    assert found == {name: (wide if "_shape_" in name else inner)[name] for name in wide}


def test_bins_are_counted_from_the_first_edge_to_the_maximum():
    image, mask = lesion()
    values = image.voxels[mask.voxels]
    by_width = extract_with_bins(image, mask, FeatureSettings(bins=FixedBinWidth(25)))
    by_count = extract_with_bins(image, mask, FeatureSettings(bins=FixedBinCount(12)))
    assert by_width.n_bins == {"original": math.floor(values.max() / 25) - math.floor(values.min() / 25) + 1}
    assert by_count.n_bins == {"original": 12}


def test_a_single_voxel_has_no_pairs_and_no_runs():
    image, mask = lesion()
    one = np.zeros(mask.shape, dtype=bool)
    one[3, 3, 3] = True
    found = extract_features(image, mask.with_voxels(one), FeatureSettings())
    assert math.isnan(found["original_glcm_Contrast"])
    assert math.isnan(found["original_glrlm_RunEntropy"])
    assert found["original_glszm_ZonePercentage"] == 1
    assert found["original_ngtdm_Coarseness"] == 1e6
    assert found["original_firstorder_Mean"] == image.voxels[3, 3, 3]


def test_the_shift_enters_energy_and_nothing_else():
    image, mask = lesion()
    plain, shifted = (extract_features(image, mask, FeatureSettings(voxel_array_shift=by)) for by in (0, 300))
    changed = {name.rpartition("_")[2] for name in plain if plain[name] != shifted[name]}
    assert changed == {"Energy", "TotalEnergy", "RootMeanSquared"}


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ({"glcmm": None}, "did you mean 'glcm'"),
        ({"glcm": ("Contrst",)}, "did you mean 'Contrast'"),
        ({"glcm": ("Homogeneity2",)}, "equals glcm Idm"),
        ({"gldm": ("DependencePercentage",)}, "is always 1"),
    ],
)
def test_a_wrong_name_is_refused(classes, message):
    with pytest.raises(SettingsError, match=message):
        FeatureSettings(classes=classes)


def test_settings_without_a_filter_are_refused():
    with pytest.raises(SettingsError, match="at least Original"):
        FeatureSettings(filters=())


@pytest.mark.parametrize("width", [0, -5, math.nan])
def test_a_bin_width_must_be_positive(width):
    with pytest.raises(SettingsError, match="must be a positive number"):
        FixedBinWidth(width)


def test_a_bin_count_must_be_positive():
    with pytest.raises(SettingsError, match="at least 1, got 0"):
        FixedBinCount(0)


def test_absurdly_narrow_bins_are_refused():
    image, mask = lesion()
    with pytest.raises(SettingsError, match="choose a larger width"):
        extract_features(image, mask, FeatureSettings(bins=FixedBinWidth(1e-6)))


def test_intensities_that_are_not_finite_are_refused():
    image, mask = lesion()
    voxels = image.voxels.copy()
    voxels[3, 3, 3] = np.nan
    with pytest.raises(ImageError, match="'original' has 1 intensities inside the mask that are not finite"):
        extract_features(image.with_voxels(voxels), mask, FeatureSettings())


def test_a_mask_of_another_size_is_refused():
    image, mask = lesion()
    with pytest.raises(ImageError, match="Image and mask differ: size"):
        extract_features(image, mask.crop((slice(0, 7), slice(0, 8), slice(0, 8))), FeatureSettings())


def test_an_empty_mask_is_refused():
    image, mask = lesion()
    with pytest.raises(ImageError, match="The mask is empty"):
        extract_features(image, mask.with_voxels(np.zeros(mask.shape, dtype=bool)), FeatureSettings())


def test_more_levels_than_memory_holds_are_refused():
    voxels = np.arange(17.0**3).reshape(17, 17, 17)
    image, mask = Volume(voxels=voxels, spacing_mm=SPACING), Mask(voxels=np.ones(voxels.shape), spacing_mm=SPACING)
    with pytest.raises(SettingsError, match="4913 grey levels, more than 4000"):
        extract_features(image, mask, FeatureSettings(bins=FixedBinWidth(1), classes={"glcm": None}))


@pytest.mark.parametrize("scale", [1e75, 1e200, 1e-75, 1e-200])
def test_intensities_whose_powers_cannot_be_held_are_refused(scale):
    image, mask = lesion()
    with pytest.raises(ImageError, match=r"too large or too close for their powers.*scale the image"):
        extract_features(image.with_voxels(image.voxels * scale), mask, FeatureSettings())


@pytest.mark.parametrize("size", [1e17, -1e20, 1e60])
def test_bins_lost_in_rounding_are_refused(size):
    image, mask = lesion()
    flat = image.with_voxels(np.full(image.shape, size))
    with pytest.raises(SettingsError, match="Bin width 25 is lost in rounding at intensities"):
        extract_features(flat, mask, FeatureSettings())


def test_more_bins_than_numbers_between_the_intensities_are_refused():
    image, mask = lesion()
    close = image.with_voxels(1e20 + image.voxels)
    with pytest.raises(SettingsError, match="lie too close for 32 bins: choose fewer bins"):
        extract_features(close, mask, FeatureSettings(bins=FixedBinCount(32)))


@pytest.mark.parametrize("scale", [1e-60, 1e-6, 1e6, 1e60])
def test_features_that_do_not_depend_on_scale_do_not(scale):
    image, mask = lesion()
    names = {"firstorder": ("Skewness", "Kurtosis", "Entropy", "Uniformity"), "glcm": None}
    rows = [
        extract_features(image.with_voxels(image.voxels * by), mask, FeatureSettings(classes=names, bins=bins))
        for by, bins in ((1.0, FixedBinWidth(16)), (scale, FixedBinWidth(16 * scale)))
    ]
    assert rows[1] == pytest.approx(rows[0], rel=1e-9)
