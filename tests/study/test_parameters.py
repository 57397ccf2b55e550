"""Parameter files of PyRadiomics: what is read, what is refused, and the defaults of 3.0.1."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from glottis._errors import SettingsError
from glottis.features.discretise import FixedBinCount, FixedBinWidth
from glottis.features.filters import LaplacianOfGaussian, Original, Wavelet, With
from glottis.features.gradient import Gradient
from glottis.features.lbp2d import LBP2D
from glottis.features.lbp3d import LBP3D
from glottis.features.pointwise import Exponential, Logarithm, Square, SquareRoot
from glottis.features.texture.settings import TextureSettings
from glottis.preprocessing.normalise import ZScore
from glottis.preprocessing.resample import Resample
from glottis.preprocessing.window import Resegment
from glottis.study.parameter_keys import READ_BY_IMAGE_TYPE, SETTINGS
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
    assert case.features.filters == (Original(), LaplacianOfGaussian((2, 3, 4), ("2.0", "3", "4.0")), Wavelet())
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
    assert case.features.filters == (LaplacianOfGaussian((1.0,), ("1",)),)


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


SCHEMA = json.loads((Path(__file__).parents[1] / "reference" / "pyradiomics_schema.json").read_text())


def taken(content):
    try:
        parameters_from_dict(content)
    except SettingsError:
        return False
    return True


@pytest.mark.parametrize(("name", "value", "verdict"), SCHEMA)
def test_a_value_is_taken_where_pyradiomics_takes_it(name, value, verdict):
    # an interpolator and a LoG width are looked at where something reads them
    needed = {"resampledPixelSpacing": [1, 1, 1]} if name == "interpolator" else {}
    content = {"setting": needed | {name: value}, "imageType": {"Wavelet": {}}, "featureClass": {"glcm": []}}
    assert taken(content) == verdict


def test_the_table_of_verdicts_holds_every_setting():
    assert {name for name, _, _ in SCHEMA} == {*SETTINGS, "unheardOf"}


def test_texture_settings_are_read():
    setting = {"force2D": True, "force2Ddimension": 1, "distances": [2, 1], "weightingNorm": "infinity"}
    texture = parameters_from_dict(
        {"setting": setting | {"symmetricalGLCM": False, "gldm_a": 2}, "featureClass": {"glcm": None}}
    ).case.features.texture
    assert texture == TextureSettings(distances=(1, 2), flat_axis=1, weighting="infinity", symmetric=False, alpha=2)


def test_every_image_type_becomes_its_filter():
    content = {"imageType": dict.fromkeys(READ_BY_IMAGE_TYPE, None) | {"LoG": {"sigma": [1.0]}}}
    assert parameters_from_dict(content).case.features.filters == (
        Original(), Wavelet(), LaplacianOfGaussian((1.0,)), Square(), SquareRoot(), Logarithm(), Exponential(),
        Gradient(), LBP2D(), LBP3D(),
    )  # fmt: skip


def test_filters_read_their_settings():
    setting = {"force2D": True, "force2Ddimension": 2, "gradientUseSpacing": False, "lbp2DSamples": 9}
    types = {"Wavelet": {}, "Gradient": None, "LBP2D": {"lbp2DMethod": "ror"}, "LBP3D": {"lbp3DLevels": 3}}
    content = {"setting": setting, "imageType": types, "featureClass": {"glcm": None}}
    assert parameters_from_dict(content).case.features.filters == (
        Wavelet(flat_axis=2), Gradient(use_spacing=False), LBP2D(samples=9, method="ror", flat_axis=2), LBP3D(levels=3)
    )  # fmt: skip


def test_an_image_type_may_have_settings_of_its_own():
    setting = {"binCount": 16, "distances": [2]}
    types = {"Original": {}, "LoG": {"sigma": [1.0], "binCount": None, "binWidth": 5}, "Square": {"gldm_a": 1}}
    original, log, square = parameters_from_dict({"setting": setting, "imageType": types}).case.features.filters
    assert original == Original()
    assert log == With(LaplacianOfGaussian((1.0,)), bins=FixedBinWidth(5.0))
    assert square == With(Square(), texture=TextureSettings(distances=(2,), alpha=1))


@pytest.mark.parametrize("name", ["resampledPixelSpacing", "normalize", "label", "resegmentRange", "preCrop"])
def test_a_setting_that_acts_before_filtering_is_refused_for_one_image_type(name):
    value = {"resampledPixelSpacing": [1, 1, 1], "label": 2, "resegmentRange": [1]}.get(name, True)
    with pytest.raises(SettingsError, match=f"'{name}' for image type Wavelet alone comes too late"):
        parameters_from_dict({"imageType": {"Wavelet": {name: value}}})


def test_the_voxel_based_mode_is_refused_by_name():
    with pytest.raises(SettingsError, match="'voxelSetting' belongs to PyRadiomics' voxel-based mode"):
        parameters_from_dict({"voxelSetting": {"kernelRadius": 2}})


def test_two_dimensional_shape_needs_force_2d():
    parameters = parameters_from_dict({"featureClass": {"shape2D": None, "glcm": []}})
    assert dict(parameters.case.features.classes) == {"glcm": None}
    assert parameters.ignored == ("feature class shape2D changes nothing: force2D is not true.",)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"setting": {"normalizeScale": 100}}, "normalizeScale changes nothing: normalize is not set."),
        (
            {"setting": {"padDistance": 3}},
            "padDistance changes nothing: resampledPixelSpacing and preCrop are not set.",
        ),
        ({"setting": {"lbp3DLevels": 3}}, "lbp3DLevels changes nothing: no image type reads it."),
        ({"setting": {"force2Ddimension": 1}}, "force2Ddimension changes nothing: force2D is not true."),
        ({"imageType": {"Square": {"sigma": [1]}}}, "sigma changes nothing for image type Square."),
        ({"imageType": {"Square": {}, "LoG": {}}}, "image type LoG gives no image: sigma is not set."),
    ],
)
def test_a_setting_that_changes_nothing_is_named(content, said):
    assert parameters_from_dict(content).ignored == (said,)


def test_settings_that_are_read_are_not_called_idle():
    setting = {"force2Ddimension": 1, "padDistance": 3, "preCrop": True, "lbp2DRadius": 2, "binWidth": 5}
    assert parameters_from_dict({"setting": setting, "imageType": {"LBP2D": {}}}).ignored == ()


def test_a_mask_on_another_grid_is_taken_where_it_is_resampled():
    assert parameters_from_dict({"setting": {"resampledPixelSpacing": [1, 1, 1]}}).case.correct_mask
    assert not parameters_from_dict({}).case.correct_mask


@pytest.mark.parametrize(("number", "name"), [(1, "nearest"), (3, "bspline"), (9, "lanczos_sinc")])
def test_interpolators_may_be_given_by_number(number, name):
    setting = {"interpolator": number, "resampledPixelSpacing": [1, 1, 1]}
    assert parameters_from_dict({"setting": setting}).case.resample == Resample(interpolator=name)


def test_a_tolerance_of_pyradiomics_counts_in_voxels():
    given, default = parameters_from_dict({"setting": {"geometryTolerance": 0.01}}).case, parameters_from_dict({}).case
    assert (given.geometry_tolerance, given.tolerance_in_voxels) == (0.01, True)
    assert not default.tolerance_in_voxels


def test_numbers_with_an_exponent_are_numbers(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text("setting: {geometryTolerance: 1e-4, binWidth: 2.5e1}\n")
    case = read_parameters(path).case
    assert (case.geometry_tolerance, case.features.bins) == (1e-4, FixedBinWidth(25.0))


def test_the_defaults_may_be_written_out():
    written = {"force2D": False, "distances": [1], "symmetricalGLCM": True, "weightingNorm": None, "gldm_a": 0}
    assert parameters_from_dict({"setting": written}).case == parameters_from_dict({}).case


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"binWidth": "5"}, "'binWidth' in setting must be a number > 0, got '5'"),
        ({"binWidth": 0}, "'binWidth' in setting must be a number > 0, got 0"),
        ({"weightingNorm": "l2"}, "must be one of manhattan, euclidean, infinity, no_weighting, got 'l2'"),
        ({"distances": [0]}, "'distances' in setting must be a list of whole numbers > 0, got [0]"),
        ({"normalize": 1}, "'normalize' in setting must be true or false"),
        ({"label": True}, "'label' in setting must be a whole number"),
        ({"resampledPixelSpacing": [1, 1]}, "'resampledPixelSpacing' must hold 3 numbers"),
        ({"resampledPixelSpacing": [1, 1, "1"]}, "must be a list of numbers >= 0, got [1, 1, '1']"),
        ({"resegmentRange": [1, 2, 3]}, "'resegmentRange' must hold 1 or 2 numbers"),
        ({"minimumROIDimensions": 4}, "'minimumROIDimensions' in setting must be a whole number >= 1 and <= 3"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(setting, said):
    with pytest.raises(SettingsError) as caught:
        parameters_from_dict({"setting": setting})
    assert said in str(caught.value)


def test_log_without_widths_is_refused():
    with pytest.raises(SettingsError, match="image type LoG has no sigma"):
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
