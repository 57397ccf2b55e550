"""Read a PyRadiomics parameter file into the settings of a case."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from glottis._errors import SettingsError, nearest
from glottis.features.discretise import FixedBinCount, FixedBinWidth
from glottis.features.extract import FeatureSettings
from glottis.features.filters import Filter, LaplacianOfGaussian, Original, Wavelet, With
from glottis.features.gradient import Gradient
from glottis.features.lbp2d import LBP2D
from glottis.features.lbp3d import LBP3D
from glottis.features.pointwise import Exponential, Logarithm, Square, SquareRoot
from glottis.features.texture.settings import TextureSettings
from glottis.preprocessing import resample as resampling
from glottis.preprocessing.normalise import ZScore
from glottis.preprocessing.resample import Resample
from glottis.preprocessing.window import Resegment
from glottis.study.case import GEOMETRY_TOLERANCE, CaseSettings
from glottis.study.parameter_keys import (
    BINNING,
    FILTERING,
    MEASURING,
    NEEDS,
    READ_BY_IMAGE_TYPE,
    SETTINGS,
    TEXTURE,
    checked_settings,
)

CLASSES = ("firstorder", "glcm", "gldm", "glrlm", "glszm", "ngtdm", "shape", "shape2D")
SECTIONS = ("setting", "imageType", "featureClass", "voxelSetting")
INTERPOLATORS: dict[str, str] = {theirs: ours for ours, theirs in resampling.INTERPOLATORS.items()} | {
    "sitkBSpline3": "bspline",
    "sitkBSplineResamplerOrder3": "bspline_resampler",
}
"""SimpleITK's names of the interpolators."""
_NUMBERED = (
    "sitkNearestNeighbor",
    "sitkLinear",
    "sitkBSpline",
    "sitkGaussian",
    "sitkLabelGaussian",
    "sitkHammingWindowedSinc",
    "sitkCosineWindowedSinc",
    "sitkWelchWindowedSinc",
    "sitkLanczosWindowedSinc",
    "sitkBlackmanWindowedSinc",
)
"""The interpolators that PyRadiomics takes by number, from 1; SimpleITK has since renumbered the B-spline."""


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
        SettingsError: the file cannot be read, or holds an unknown key, a value of the wrong kind or out of range, a
            setting that has no effect where it stands, or the section of the voxel-based mode.
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
        content = json.loads(text) if path.suffix.lower() == ".json" else yaml.load(text, Loader=_Yaml)
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
        message = (
            "'voxelSetting' belongs to PyRadiomics' voxel-based mode, which glottis does not offer: remove the section "
            "to measure the whole mask."
        )
        raise SettingsError(message)
    given = checked_settings(_section(content, "setting"), where="setting")
    own = _own_settings(_section(content, "imageType"))
    values = {name: key.default for name, key in SETTINGS.items()} | given
    classes, unused = _classes(_section(content, "featureClass"), force_2d=values["force2D"])
    filters = [step for name, options in own.items() for step in _measured(name, values, options)]
    if not filters:
        message = "image type LoG has no sigma, so that there is no image to measure: write LoG: {sigma: [1.0, 2.0]}."
        raise SettingsError(message)
    return Parameters(
        case=_case_settings(values, tuple(filters), classes),
        label=values["label"],
        label_channel=values["label_channel"],
        ignored=(*_ignored(values, given, own), *unused),
        content=dict(content),
    )


class _Yaml(yaml.SafeLoader):
    """YAML whose ``1e-5`` is a number, as in YAML 1.2 and for PyRadiomics; PyYAML takes it for text."""


_Yaml.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+$"), list("-+0123456789")
)


def _section(content: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = content.get(name)
    if section is None:
        return {}
    if not isinstance(section, Mapping):
        message = f"section '{name}' must hold names and values, it holds {_kind(section)}."
        raise SettingsError(message)
    return section


def _case_settings(
    values: Mapping[str, Any], filters: tuple[Filter, ...], classes: dict[str, tuple[str, ...] | None]
) -> CaseSettings:
    normalise = ZScore(scale=values["normalizeScale"], remove_outliers=values["removeOutliers"])
    smallest, tolerance = values["minimumROISize"], values["geometryTolerance"]
    resample = _resample(values)
    return CaseSettings(
        whole_image=(normalise,) if values["normalize"] else (),
        resample=resample,
        resegment=_resegment(values),
        resegment_shape=values["resegmentShape"],
        features=FeatureSettings(
            filters=filters,
            classes=classes,
            bins=_bins(values),
            voxel_array_shift=float(values["voxelArrayShift"]),
            texture=_texture(values),
        ),
        # PyRadiomics refuses a mask of exactly minimumROISize voxels
        minimum_voxels=1 if smallest is None else smallest + 1,
        minimum_dimensions=values["minimumROIDimensions"],
        geometry_tolerance=GEOMETRY_TOLERANCE if tolerance is None else float(tolerance),
        tolerance_in_voxels=tolerance is not None,
        # resampling takes a mask on any grid: PyRadiomics compares grids only where it does not resample both
        correct_mask=values["correctMask"] or resample is not None,
        pre_crop_voxels=values["padDistance"] if values["preCrop"] and resample is None else None,
        additional_info=values["additionalInfo"],
    )


def _resample(values: Mapping[str, Any]) -> Resample | None:
    spacing, interpolator = values["resampledPixelSpacing"], values["interpolator"]
    if spacing is None or interpolator is None:
        return None
    if isinstance(interpolator, int) and 1 <= interpolator <= len(_NUMBERED):
        interpolator = _NUMBERED[interpolator - 1]
    if interpolator not in INTERPOLATORS:
        message = f"interpolator '{interpolator}' is not offered: {nearest(str(interpolator), INTERPOLATORS)}"
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


def _texture(values: Mapping[str, Any]) -> TextureSettings:
    return TextureSettings(
        distances=tuple(values["distances"]),
        flat_axis=_flat_axis(values),
        weighting=values["weightingNorm"],
        symmetric=values["symmetricalGLCM"],
        alpha=values["gldm_a"],
    )


def _flat_axis(values: Mapping[str, Any]) -> int | None:
    return int(values["force2Ddimension"]) if values["force2D"] else None


def _own_settings(section: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Image types, each with the settings that it has for itself."""
    own: dict[str, dict[str, Any]] = {}
    for name, options in (section or {"Original": {}}).items():
        _known("image type", str(name), READ_BY_IMAGE_TYPE)
        if not (options is None or isinstance(options, Mapping)):
            message = f"image type '{name}' must hold its settings, it holds {_kind(options)}: write {{}} for none."
            raise SettingsError(message)
        own[name] = checked_settings(options or {}, where=f"imageType {name}")
        for key in own[name]:
            if key not in (*MEASURING, *FILTERING):
                message = (
                    f"'{key}' for image type {name} alone comes too late: it acts before images are filtered (in "
                    f"PyRadiomics it has no effect there); set it for all image types in 'setting'."
                )
                raise SettingsError(message)
    return own


def _measured(name: str, values: Mapping[str, Any], own: Mapping[str, Any]) -> list[Filter]:
    """The filter of an image type, with the settings of features that it has for itself."""
    merged = {**values, **own}
    step = _filter(name, merged)
    if step is None:
        return []
    bins = _bins(merged) if own.keys() & set(BINNING) else None
    texture = _texture(merged) if own.keys() & set(TEXTURE) else None
    shift = float(merged["voxelArrayShift"]) if "voxelArrayShift" in own else None
    if bins is None and texture is None and shift is None:
        return [step]
    return [With(step, bins=bins, texture=texture, voxel_array_shift=shift)]


def _filter(name: str, values: Mapping[str, Any]) -> Filter | None:
    makers: dict[str, Callable[[], Filter | None]] = {
        "Original": Original,
        "Wavelet": lambda: Wavelet(
            values["wavelet"], level=values["level"], start_level=values["start_level"], flat_axis=_flat_axis(values)
        ),
        "LoG": lambda: _log(values["sigma"]),
        "Square": Square,
        "SquareRoot": SquareRoot,
        "Logarithm": Logarithm,
        "Exponential": Exponential,
        "Gradient": lambda: Gradient(use_spacing=values["gradientUseSpacing"]),
        "LBP2D": lambda: LBP2D(
            radius=values["lbp2DRadius"],
            samples=values["lbp2DSamples"],
            method=values["lbp2DMethod"],
            flat_axis=values["force2Ddimension"],
        ),
        "LBP3D": lambda: LBP3D(
            levels=values["lbp3DLevels"],
            radius=values["lbp3DIcosphereRadius"],
            subdivision=values["lbp3DIcosphereSubdivision"],
        ),
    }
    return makers[name]()


def _log(widths: Sequence[float]) -> LaplacianOfGaussian | None:
    """LoG with the widths written in the names as in the file: ``1`` and ``1.0`` name two features."""
    if not widths:
        return None
    written = tuple(str(width) for width in widths)
    usual = written == tuple(str(float(width)) for width in widths)
    return LaplacianOfGaussian(tuple(widths), written=() if usual else written)


def _classes(
    section: Mapping[str, Any], *, force_2d: bool
) -> tuple[dict[str, tuple[str, ...] | None], tuple[str, ...]]:
    """Classes with their features, and what is said about those that give none."""
    chosen = section or {name: None for name in CLASSES if force_2d or name != "shape2D"}
    classes: dict[str, tuple[str, ...] | None] = {}
    for name, features in chosen.items():
        _known("feature class", str(name), CLASSES)
        if features is not None and not (isinstance(features, Sequence) and not isinstance(features, str)):
            message = f"feature class '{name}' must hold a list of features, or nothing for all, got {features!r}."
            raise SettingsError(message)
        classes[name] = tuple(str(feature) for feature in features) if features else None
    if "shape2D" in classes and not force_2d:
        del classes["shape2D"]
        return classes, ("feature class shape2D changes nothing: force2D is not true.",)
    return classes, ()


def _ignored(
    values: Mapping[str, Any], given: Mapping[str, Any], own: Mapping[str, Mapping[str, Any]]
) -> tuple[str, ...]:
    """What was read and changes nothing."""
    read = {key for name in own for key in READ_BY_IMAGE_TYPE[name]}
    notes = {
        name: f"{' and '.join(others)} {'is' if len(others) == 1 else 'are'} not set"
        for name, others in NEEDS.items()
        if not any(values[other] for other in others)
    }
    notes |= {name: "no image type reads it" for name in FILTERING if name not in (*read, *MEASURING)}
    if values["binCount"] is not None:
        notes["binWidth"] = "binCount is given"
    if not values["force2D"] and "LBP2D" not in own and not any(options.get("force2D") for options in own.values()):
        notes["force2Ddimension"] = "force2D is not true"
    ignored = [f"{name} changes nothing: {notes[name]}." for name in given if name in notes]
    if "LoG" in own and not (own["LoG"].get("sigma") or values["sigma"]):
        ignored.append("image type LoG gives no image: sigma is not set.")
    for image_type, options in own.items():
        unread = set(FILTERING) - {*MEASURING, *READ_BY_IMAGE_TYPE[image_type]}
        ignored += [f"{key} changes nothing for image type {image_type}." for key in options if key in unread]
    return tuple(ignored)


def _numbers(name: str, value: Any, *, allowed: Sequence[int]) -> tuple[float, ...]:
    numbers = [item for item in value if isinstance(item, int | float) and not isinstance(item, bool)]
    if len(numbers) != len(value) or len(numbers) not in allowed:
        counts = "at least one number" if len(allowed) > 2 else f"{' or '.join(str(n) for n in allowed)} numbers"
        message = f"'{name}' must hold {counts}, got {value!r}."
        raise SettingsError(message)
    return tuple(float(number) for number in numbers)


def _known(what: str, name: str, names: Any) -> None:
    if name not in names:
        message = f"unknown {what} '{name}': {nearest(name, list(names))}"
        raise SettingsError(message)


def _kind(value: Any) -> str:
    return {list: "a list", str: "text", int: "a number", float: "a number"}.get(type(value), repr(value))
