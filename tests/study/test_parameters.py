"""Parameter files of PyRadiomics: what is read, what is refused, and the defaults of 3.0.1."""

from __future__ import annotations

import json

import pytest

from glottis._errors import SettingsError
from glottis.features.discretise import FixedBinCount, FixedBinWidth
from glottis.features.filters import LaplacianOfGaussian, Original, Wavelet
from glottis.preprocessing.normalise import ZScore
from glottis.preprocessing.resample import Resample
from glottis.preprocessing.window import Resegment
from glottis.study.parameters import parameters_from_dict, read_parameters

MR_FILE = """
# three sequences, 1 mm
imageType:
  Original: {}
  LoG: {sigma: [2.0, 3, 4.0]}
  Wavelet: {}
featureClass:
  shape:
  firstorder: []
  glcm: [Autocorrelation, Contrast]
setting:
  normalize: true
  normalizeScale: 100
  removeOutliers: 3
  interpolator: sitkLinear
  resampledPixelSpacing: [1, 1, 0]
  padDistance: 10
  binWidth: 5
  voxelArrayShift: 300
  label: 2
  minimumROISize: 50
  resegmentRange: [-3, 3]
  resegmentMode: sigma
"""


def test_no_file_means_the_defaults_of_pyradiomics():
    parameters = parameters_from_dict({})
    case = parameters.case
    assert parameters.label == 1
    assert case.features.filters == (Original(),)
    assert set(case.features.classes) == {"shape", "firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm"}
    assert case.features.bins == FixedBinWidth(25.0)
    assert case.whole_image == ()
    assert case.resample is None
    assert case.resegment is None
    assert (case.minimum_voxels, case.minimum_dimensions, case.correct_mask) == (1, 2, False)


def test_a_whole_file_is_read(tmp_path):
    path = tmp_path / "mr.yaml"
    path.write_text(MR_FILE)
    parameters = read_parameters(path)
    case = parameters.case
    assert parameters.label == 2
    assert case.whole_image == (ZScore(scale=100, remove_outliers=3),)
    assert case.resample == Resample(spacing_mm=(1, 1, 0), interpolator="linear", pad_voxels=10)
    assert case.resegment == Resegment(range=(-3, 3), mode="sigma")
    assert case.features.filters == (Original(), LaplacianOfGaussian((2, 3, 4)), Wavelet())
    assert dict(case.features.classes) == {"shape": None, "firstorder": None, "glcm": ("Autocorrelation", "Contrast")}
    assert case.features.bins == FixedBinWidth(5.0)
    assert case.features.voxel_array_shift == 300
    assert case.minimum_voxels == 51  # PyRadiomics refuses a mask of exactly minimumROISize


def test_json_and_yaml_say_the_same(tmp_path):
    content = {"setting": {"binCount": 32, "binWidth": 25}, "imageType": {"Wavelet": {"wavelet": "haar", "level": 2}}}
    as_json, as_yaml = tmp_path / "p.json", tmp_path / "p.yaml"
    as_json.write_text(json.dumps(content))
    as_yaml.write_text("setting: {binCount: 32, binWidth: 25}\nimageType:\n  Wavelet: {wavelet: haar, level: 2}\n")
    assert read_parameters(as_json) == read_parameters(as_yaml)
    assert read_parameters(as_json).case.features.bins == FixedBinCount(32)
    assert read_parameters(as_json).case.features.filters == (Wavelet("haar", level=2),)
    assert read_parameters(as_json).ignored == ("binWidth changes nothing: binCount is given.",)


def test_an_empty_file_gives_the_defaults(tmp_path):
    path = tmp_path / "empty.yaml"
    path.write_text("# nothing yet\n")
    assert read_parameters(path) == parameters_from_dict({})


def test_sigma_under_setting_serves_log():
    case = parameters_from_dict({"setting": {"sigma": [1]}, "imageType": {"LoG": {}}}).case
    assert case.features.filters == (LaplacianOfGaussian((1,)),)


def test_pre_crop_counts_only_where_nothing_is_resampled():
    cropped = parameters_from_dict({"setting": {"preCrop": True, "padDistance": 7}}).case
    resampled = parameters_from_dict({"setting": {"preCrop": True, "resampledPixelSpacing": [1, 1, 1]}}).case
    assert cropped.pre_crop_voxels == 7
    assert resampled.pre_crop_voxels is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"settings": {}}, "unknown section 'settings': did you mean 'setting'"),
        ({"setting": {"binWith": 5}}, "unknown key in setting 'binWith': did you mean 'binWidth'"),
        ({"imageType": {"wavelets": {}}}, "unknown image type 'wavelets': did you mean 'Wavelet'"),
        ({"featureClass": {"glzsm": []}}, "unknown feature class 'glzsm': did you mean 'glszm'"),
        ({"imageType": {"Wavelet": {"wavlet": "haar"}}}, "unknown key in imageType Wavelet 'wavlet'"),
        ({"imageType": {"Wavelet": {"wavelet": "harr"}}}, "Wavelet 'harr' is unknown: did you mean 'haar'"),
        ({"setting": {"interpolator": "sitkLinea"}}, "'sitkLinea' is not offered: did you mean 'sitkLinear'"),
    ],
)
def test_a_misspelt_name_gets_the_nearest_valid_one(content, said):
    if "interpolator" in content.get("setting", {}):
        content["setting"]["resampledPixelSpacing"] = [1, 1, 1]
    with pytest.raises(SettingsError) as caught:
        parameters_from_dict(content)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"force2D": True}, "'force2D: True' is a PyRadiomics setting that glottis does not offer yet"),
        ({"distances": [1, 2]}, "'distances"),
        ({"symmetricalGLCM": False}, "'symmetricalGLCM: False'"),
        ({"weightingNorm": "euclidean"}, "'weightingNorm: euclidean'"),
        ({"gldm_a": 1}, "'gldm_a: 1'"),
    ],
)
def test_a_setting_that_is_not_built_is_refused_by_name(setting, said):
    with pytest.raises(SettingsError) as caught:
        parameters_from_dict({"setting": setting})
    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["Square", "Gradient", "LBP3D"])
def test_an_image_type_that_is_not_built_is_refused_by_name(name):
    with pytest.raises(SettingsError, match=f"image type '{name}' is one of PyRadiomics'"):
        parameters_from_dict({"imageType": {name: {}}})


def test_settings_of_one_image_type_alone_are_refused_by_name():
    with pytest.raises(SettingsError, match="'binWidth' for image type Wavelet alone"):
        parameters_from_dict({"imageType": {"Wavelet": {"binWidth": 10}}})


def test_the_defaults_may_be_written_out():
    written = {"force2D": False, "distances": [1], "symmetricalGLCM": True, "weightingNorm": None, "gldm_a": 0}
    assert parameters_from_dict({"setting": written}).case == parameters_from_dict({}).case


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"binWidth": "5"}, "'binWidth' in setting must be a number, got '5'"),
        ({"binWidth": 0}, "bin width must be a positive number"),
        ({"normalize": 1}, "'normalize' in setting must be true or false"),
        ({"label": True}, "'label' in setting must be a whole number"),
        ({"resampledPixelSpacing": [1, 1]}, "'resampledPixelSpacing' must hold 3 numbers"),
        ({"resampledPixelSpacing": [1, 1, "1"]}, "'resampledPixelSpacing' must hold 3 numbers"),
        ({"resegmentRange": [1, 2, 3]}, "'resegmentRange' must hold 1 or 2 numbers"),
        ({"minimumROIDimensions": 4}, "'minimumROIDimensions' must lie between 1 and 3"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(setting, said):
    with pytest.raises(SettingsError) as caught:
        parameters_from_dict({"setting": setting})
    assert said in str(caught.value)


def test_log_without_widths_is_refused():
    with pytest.raises(SettingsError, match="'sigma' must hold at least one number"):
        parameters_from_dict({"imageType": {"LoG": {}}})


@pytest.mark.parametrize("content", [["setting"], "setting", 3])
def test_a_file_without_sections_is_refused(content):
    with pytest.raises(SettingsError, match="a parameter file holds the sections"):
        parameters_from_dict(content)


def test_messages_name_the_file(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text("setting: {binWith: 3}\n")
    with pytest.raises(SettingsError, match=r"Parameter file '.*p\.yaml': unknown key"):
        read_parameters(path)


def test_a_missing_or_broken_file_is_one_message(tmp_path):
    with pytest.raises(SettingsError, match="cannot be read"):
        read_parameters(tmp_path / "absent.yaml")
    broken = tmp_path / "broken.yaml"
    broken.write_text("setting: [unclosed\n")
    with pytest.raises(SettingsError, match="not valid YAML or JSON"):
        read_parameters(broken)
