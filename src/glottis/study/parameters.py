"""Read a PyRadiomics parameter file into the settings of a case."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from glottis._errors import SettingsError, nearest
from glottis.features.discretise import FixedBinCount, FixedBinWidth
from glottis.features.extract import FeatureSettings
from glottis.features.filters import Filter, LaplacianOfGaussian, Original, Wavelet
from glottis.preprocessing.normalise import ZScore
from glottis.preprocessing.resample import Interpolator, Resample
from glottis.preprocessing.window import Resegment
from glottis.study.case import GEOMETRY_TOLERANCE, CaseSettings

CLASSES = ("firstorder", "glcm", "gldm", "glrlm", "glszm", "ngtdm", "shape")
SECTIONS = ("setting", "imageType", "featureClass", "voxelSetting")
INTERPOLATORS: dict[str | int, Interpolator] = {
    "sitkBSpline": "bspline",
    "sitkLinear": "linear",
    "sitkNearestNeighbor": "nearest",
    # the numbers that SimpleITK gives these three
    3: "bspline",
    2: "linear",
    1: "nearest",
}
"""PyRadiomics' interpolators that are offered."""
_NUMBER, _WHOLE, _FLAG, _WORD, _LIST = "a number", "a whole number", "true or false", "a word", "a list"
_TYPES: dict[str, tuple[type, ...]] = {
    _NUMBER: (int, float),
    _WHOLE: (int,),
    _FLAG: (bool,),
    _WORD: (str,),
    _LIST: (list, tuple),
}


@dataclass(frozen=True)
class _Key:
    """One setting of PyRadiomics: what it holds and what it is when the file says nothing."""

    kind: str
    default: Any = None
    optional: bool = False


SETTINGS: dict[str, _Key] = {
    "additionalInfo": _Key(_FLAG, default=True),
    "binCount": _Key(_WHOLE, optional=True),
    "binWidth": _Key(_NUMBER, default=25.0),
    "correctMask": _Key(_FLAG, default=False),
    "distances": _Key(_LIST, default=[1]),
    "force2D": _Key(_FLAG, default=False),
    "force2Ddimension": _Key(_WHOLE, default=0),
    "geometryTolerance": _Key(_NUMBER, optional=True),
    "gldm_a": _Key(_NUMBER, default=0),
    "interpolator": _Key(_WORD, default="sitkBSpline", optional=True),
    "label": _Key(_WHOLE, default=1),
    "label_channel": _Key(_WHOLE, default=0),
    "level": _Key(_WHOLE, default=1),
    "minimumROIDimensions": _Key(_WHOLE, default=2),
    "minimumROISize": _Key(_WHOLE, optional=True),
    "normalize": _Key(_FLAG, default=False),
    "normalizeScale": _Key(_NUMBER, default=1.0),
    "padDistance": _Key(_WHOLE, default=5),
    "preCrop": _Key(_FLAG, default=False),
    "removeOutliers": _Key(_NUMBER, optional=True),
    "resampledPixelSpacing": _Key(_LIST, optional=True),
    "resegmentMode": _Key(_WORD, default="absolute"),
    "resegmentRange": _Key(_LIST, optional=True),
    "resegmentShape": _Key(_FLAG, default=False),
    "sigma": _Key(_LIST, default=[]),
    "start_level": _Key(_WHOLE, default=0),
    "symmetricalGLCM": _Key(_FLAG, default=True),
    "voxelArrayShift": _Key(_NUMBER, default=0),
    "wavelet": _Key(_WORD, default="coif1"),
    "weightingNorm": _Key(_WORD, optional=True),
}
"""Every setting that is known, with the defaults of PyRadiomics 3.0.1."""

NOT_OFFERED = {
    "force2D": (False, "features are measured in 3D"),
    "distances": ([1], "neighbours at distance 1 are used"),
    "symmetricalGLCM": (True, "the co-occurrence matrix is symmetric"),
    "weightingNorm": (None, "all angles weigh the same"),
    "gldm_a": (0, "dependence means equal grey levels"),
}
"""Settings of PyRadiomics whose other values are not built: the value that is, and what it means."""
UNUSED_FILTER_SETTINGS = (
    "gradientUseSpacing",
    "lbp2DMethod",
    "lbp2DRadius",
    "lbp2DSamples",
    "lbp3DIcosphereRadius",
    "lbp3DIcosphereSubdivision",
    "lbp3DLevels",
)
FILTER_SETTINGS = {"Original": (), "Wavelet": ("wavelet", "level", "start_level"), "LoG": ("sigma",)}
"""The image types that are offered, with the settings that each reads."""
OTHER_IMAGE_TYPES = ("Square", "SquareRoot", "Logarithm", "Exponential", "Gradient", "LBP2D", "LBP3D")


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """A parameter file, read.

    Attributes:
        case: the settings of extraction.
        label: value of the mask's voxels in the mask file.
        label_channel: component of a mask file with several.
        ignored: settings that were read and change nothing here, as sentences.
        content: the sections as they were given, for the diagnostics.
    """

    case: CaseSettings = field(default_factory=lambda: parameters_from_dict({}).case)
    label: int = 1
    label_channel: int = 0
    ignored: tuple[str, ...] = ()
    content: Mapping[str, Any] = field(default_factory=dict)


def read_parameters(path: Path, *, settings: Mapping[str, Any] | None = None) -> Parameters:
    """Read a parameter file, YAML or JSON.

    Args:
        path: the file.
        settings: what replaces single values of its section ``setting``.

    Raises:
        SettingsError: the file cannot be read, or holds an unknown key, a value of the wrong kind, or a setting that
            is not offered.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        message = f"Parameter file '{path}' cannot be read ({error.strerror or error}): check the path."
        raise SettingsError(message) from error
    except UnicodeDecodeError as error:
        message = f"Parameter file '{path}' is not UTF-8 text: save it as plain text."
        raise SettingsError(message) from error
    try:
        content = json.loads(text) if path.suffix.lower() == ".json" else yaml.safe_load(text)
    except (yaml.YAMLError, json.JSONDecodeError) as error:
        reason = " ".join(str(error).split())
        message = f"Parameter file '{path}' is not valid YAML or JSON: {reason}"
        raise SettingsError(message) from error
    try:
        return parameters_from_dict({} if content is None else content, settings=settings)
    except SettingsError as error:
        message = f"Parameter file '{path}': {error}"
        raise SettingsError(message) from error


def parameters_from_dict(content: Mapping[str, Any], *, settings: Mapping[str, Any] | None = None) -> Parameters:
    """Turn the content of a parameter file into settings; an empty one gives PyRadiomics' defaults.

    Args:
        content: the sections of the file.
        settings: what replaces single values of its section ``setting``.

    Raises:
        SettingsError: see ``read_parameters``.
    """
    if not isinstance(content, Mapping):
        message = f"a parameter file holds the sections {', '.join(SECTIONS)}, this one holds {_kind(content)}."
        raise SettingsError(message)
    if settings:
        content = {**content, "setting": {**_section(content, "setting"), **settings}}
    for section in content:
        _known("section", str(section), SECTIONS)
    if _section(content, "voxelSetting"):
        message = "'voxelSetting' is a PyRadiomics section that glottis does not offer yet: remove it."
        raise SettingsError(message)
    given = _checked_settings(_section(content, "setting"), where="setting")
    values = {name: key.default for name, key in SETTINGS.items()} | given
    return Parameters(
        case=_case_settings(values, content),
        label=values["label"],
        label_channel=values["label_channel"],
        ignored=_ignored(given),
        content=dict(content),
    )


def _section(content: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = content.get(name)
    if section is None:
        return {}
    if not isinstance(section, Mapping):
        message = f"section '{name}' must hold names and values, it holds {_kind(section)}."
        raise SettingsError(message)
    return section


def _checked_settings(section: Mapping[str, Any], *, where: str) -> dict[str, Any]:
    checked: dict[str, Any] = {}
    for name, value in section.items():
        if name in UNUSED_FILTER_SETTINGS:
            continue
        _known(f"key in {where}", str(name), SETTINGS)
        key = SETTINGS[name]
        if value is None and key.optional:
            checked[name] = None
            continue
        number_for_flag = isinstance(value, bool) and key.kind != _FLAG
        number_of_filter = name == "interpolator" and value in (1, 2, 3)
        if not number_of_filter and (number_for_flag or not isinstance(value, _TYPES[key.kind])):
            message = f"'{name}' in {where} must be {key.kind}, got {value!r}."
            raise SettingsError(message)
        checked[name] = value
        _refuse_what_is_not_built(name, value)
    return checked


def _refuse_what_is_not_built(name: str, value: Any) -> None:
    if name not in NOT_OFFERED:
        return
    built, meaning = NOT_OFFERED[name]
    if value != built:
        message = (
            f"'{name}: {value}' is a PyRadiomics setting that glottis does not offer yet: {meaning}; "
            f"remove it, or set it to {json.dumps(built)}."
        )
        raise SettingsError(message)


def _case_settings(values: Mapping[str, Any], content: Mapping[str, Any]) -> CaseSettings:
    normalise = ZScore(scale=values["normalizeScale"], remove_outliers=values["removeOutliers"])
    smallest, tolerance = values["minimumROISize"], values["geometryTolerance"]
    resample = _resample(values)
    return CaseSettings(
        whole_image=(normalise,) if values["normalize"] else (),
        resample=resample,
        resegment=_resegment(values),
        resegment_shape=values["resegmentShape"],
        features=FeatureSettings(
            filters=_filters(_section(content, "imageType"), values),
            classes=_classes(_section(content, "featureClass")),
            bins=_bins(values),
            voxel_array_shift=float(values["voxelArrayShift"]),
        ),
        # PyRadiomics refuses a mask of exactly minimumROISize voxels
        minimum_voxels=1 if smallest is None else smallest + 1,
        minimum_dimensions=_within("minimumROIDimensions", values["minimumROIDimensions"], 1, 3),
        geometry_tolerance=GEOMETRY_TOLERANCE if tolerance is None else float(tolerance),
        # PyRadiomics compares the grids of image and mask only where it does not resample both
        correct_mask=values["correctMask"] or resample is not None,
        pre_crop_voxels=values["padDistance"] if values["preCrop"] and resample is None else None,
        additional_info=values["additionalInfo"],
    )


def _resample(values: Mapping[str, Any]) -> Resample | None:
    spacing, interpolator = values["resampledPixelSpacing"], values["interpolator"]
    if spacing is None or interpolator is None:
        return None
    if interpolator not in INTERPOLATORS:
        known = [name for name in INTERPOLATORS if isinstance(name, str)]
        message = f"interpolator '{interpolator}' is not offered: {nearest(str(interpolator), known)}"
        raise SettingsError(message)
    x, y, z = _numbers("resampledPixelSpacing", spacing, allowed=(3,))
    return Resample(spacing_mm=(x, y, z), interpolator=INTERPOLATORS[interpolator], pad_voxels=values["padDistance"])


def _resegment(values: Mapping[str, Any]) -> Resegment | None:
    limits = values["resegmentRange"]
    if limits is None:
        return None
    return Resegment(range=_numbers("resegmentRange", limits, allowed=(1, 2)), mode=values["resegmentMode"])


def _bins(values: Mapping[str, Any]) -> FixedBinWidth | FixedBinCount:
    if values["binCount"] is not None:
        return FixedBinCount(values["binCount"])
    return FixedBinWidth(float(values["binWidth"]))


def _filters(section: Mapping[str, Any], values: Mapping[str, Any]) -> tuple[Filter, ...]:
    filters: list[Filter] = []
    for name, options in (section or {"Original": {}}).items():
        if name in OTHER_IMAGE_TYPES:
            message = (
                f"image type '{name}' is one of PyRadiomics' that glottis does not offer yet: "
                f"offered are {', '.join(FILTER_SETTINGS)}."
            )
            raise SettingsError(message)
        _known("image type", str(name), FILTER_SETTINGS)
        own = _filter_options(name, {} if options is None else options)
        filters.extend(_filter(name, dict(values) | own))
    return tuple(filters)


def _filter_options(name: str, options: Any) -> dict[str, Any]:
    if not isinstance(options, Mapping):
        message = f"image type '{name}' must hold its settings, it holds {_kind(options)}: write {{}} for none."
        raise SettingsError(message)
    checked = _checked_settings(options, where=f"imageType {name}")
    for key in checked:
        if key not in FILTER_SETTINGS[name]:
            message = (
                f"'{key}' for image type {name} alone is a PyRadiomics setting that glottis does not offer yet: "
                f"set it for all image types in 'setting'."
            )
            raise SettingsError(message)
    return checked


def _filter(name: str, values: Mapping[str, Any]) -> list[Filter]:
    if name == "Original":
        return [Original()]
    if name == "Wavelet":
        return [Wavelet(values["wavelet"], level=values["level"], start_level=values["start_level"])]
    sigma = _numbers("sigma", values["sigma"], allowed=range(1, 1000))
    return [LaplacianOfGaussian(sigma)]


def _classes(section: Mapping[str, Any]) -> dict[str, tuple[str, ...] | None]:
    if not section:
        return dict.fromkeys(CLASSES)
    classes: dict[str, tuple[str, ...] | None] = {}
    for name, features in section.items():
        if name == "shape2D":
            message = "feature class 'shape2D' is one of PyRadiomics' that glottis does not offer yet: use 'shape'."
            raise SettingsError(message)
        _known("feature class", str(name), CLASSES)
        if features is not None and not (isinstance(features, Sequence) and not isinstance(features, str)):
            message = f"feature class '{name}' must hold a list of features, or nothing for all, got {features!r}."
            raise SettingsError(message)
        classes[name] = tuple(str(feature) for feature in features) if features else None
    return classes


def _ignored(given: Mapping[str, Any]) -> tuple[str, ...]:
    ignored = []
    if given.get("force2Ddimension"):
        ignored.append("force2Ddimension changes nothing: features are measured in 3D.")
    if given.get("binCount") is not None and "binWidth" in given:
        ignored.append("binWidth changes nothing: binCount is given.")
    return tuple(ignored)


def _numbers(name: str, value: Any, *, allowed: Sequence[int]) -> tuple[float, ...]:
    numbers = [item for item in value if isinstance(item, int | float) and not isinstance(item, bool)]
    if len(numbers) != len(value) or len(numbers) not in allowed:
        counts = "at least one number" if len(allowed) > 2 else f"{' or '.join(str(n) for n in allowed)} numbers"
        message = f"'{name}' must hold {counts}, got {value!r}."
        raise SettingsError(message)
    return tuple(float(number) for number in numbers)


def _within(name: str, value: int, low: int, high: int) -> int:
    if not low <= value <= high:
        message = f"'{name}' must lie between {low} and {high}, got {value}."
        raise SettingsError(message)
    return value


def _known(what: str, name: str, names: Any) -> None:
    if name not in names:
        message = f"unknown {what} '{name}': {nearest(name, list(names))}"
        raise SettingsError(message)


def _kind(value: Any) -> str:
    return {list: "a list", str: "text", int: "a number", float: "a number"}.get(type(value), repr(value))
