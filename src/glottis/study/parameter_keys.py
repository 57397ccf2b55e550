"""The settings of PyRadiomics 3.0.1: what each holds, its default, and which image types and steps read it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from glottis._errors import SettingsError, nearest

FLAG, NUMBER, WHOLE, WORD = "true or false", "a number", "a whole number", "a word"
_TYPES: dict[str, tuple[type, ...]] = {FLAG: (bool,), NUMBER: (int, float), WHOLE: (int,), WORD: (str,)}


@dataclass(frozen=True, kw_only=True)
class Key:
    """One setting.

    Attributes:
        kind: what it holds, or what each entry of its list holds.
        default: its value where the file says nothing.
        low: smallest value.
        above: it must be larger than this.
        high: largest value.
        words: the values of a word.
        listed: it holds a list.
        optional: it may be null. A flag always may: null is false, as in Python.
    """

    kind: str
    default: Any = None
    low: float = -math.inf
    above: float = -math.inf
    high: float = math.inf
    words: tuple[str, ...] = ()
    listed: bool = False
    optional: bool = False

    def problem(self, value: Any) -> str:
        """What the setting must be, in words; empty where ``value`` is that."""
        if value is None and (self.optional or self.kind == FLAG):
            return ""
        if self.listed:
            if not isinstance(value, list | tuple):
                return "a list"
            return next((f"a list of {self._wanted(each=True)}" for item in value if not self._fits(item)), "")
        return "" if self._fits(value) else self._wanted(each=False)

    def _fits(self, value: object) -> bool:
        if (isinstance(value, bool) and self.kind != FLAG) or not isinstance(value, _TYPES[self.kind]):
            return False
        if self.words:
            return value in self.words
        return not isinstance(value, int | float) or (self.low <= value <= self.high and value > self.above)

    def _wanted(self, *, each: bool) -> str:
        if self.words:
            return f"one of {', '.join(self.words)}"
        bounds = ((">=", self.low), (">", self.above), ("<=", self.high))
        limits = [f"{sign} {bound:g}" for sign, bound in bounds if math.isfinite(bound)]
        kind = f"{self.kind.removeprefix('a ')}s" if each else self.kind
        return f"{kind} {' and '.join(limits)}".strip()


SETTINGS: dict[str, Key] = {
    "additionalInfo": Key(kind=FLAG, default=True),
    "binCount": Key(kind=WHOLE, above=0, optional=True),
    "binWidth": Key(kind=NUMBER, default=25.0, above=0),
    "correctMask": Key(kind=FLAG, default=False),
    "distances": Key(kind=WHOLE, default=[1], above=0, listed=True),
    "force2D": Key(kind=FLAG, default=False),
    "force2Ddimension": Key(kind=WHOLE, default=0, low=0, high=2),
    "geometryTolerance": Key(kind=NUMBER, above=0, optional=True),
    "gldm_a": Key(kind=NUMBER, default=0, low=0),
    "gradientUseSpacing": Key(kind=FLAG, default=True),
    "interpolator": Key(kind=WORD, default="sitkBSpline", optional=True),
    "label": Key(kind=WHOLE, default=1, above=0),
    "label_channel": Key(kind=WHOLE, default=0, low=0),
    "lbp2DMethod": Key(kind=WORD, default="uniform", words=("default", "ror", "uniform", "var")),
    "lbp2DRadius": Key(kind=NUMBER, default=1, above=0),
    "lbp2DSamples": Key(kind=WHOLE, default=8, low=1),
    "lbp3DIcosphereRadius": Key(kind=NUMBER, default=1, above=0),
    "lbp3DIcosphereSubdivision": Key(kind=WHOLE, default=1, low=0),
    "lbp3DLevels": Key(kind=WHOLE, default=2, low=1),
    "level": Key(kind=WHOLE, default=1, above=0),
    "minimumROIDimensions": Key(kind=WHOLE, default=2, low=1, high=3),
    "minimumROISize": Key(kind=WHOLE, above=0, optional=True),
    "normalize": Key(kind=FLAG, default=False),
    "normalizeScale": Key(kind=NUMBER, default=1.0, above=0),
    "padDistance": Key(kind=WHOLE, default=5, low=0),
    "preCrop": Key(kind=FLAG, default=False),
    "removeOutliers": Key(kind=NUMBER, above=0, optional=True),
    "resampledPixelSpacing": Key(kind=NUMBER, low=0, listed=True, optional=True),
    "resegmentMode": Key(kind=WORD, default="absolute", words=("absolute", "relative", "sigma")),
    "resegmentRange": Key(kind=NUMBER, listed=True, optional=True),
    "resegmentShape": Key(kind=FLAG, default=False),
    "sigma": Key(kind=NUMBER, default=[], above=0, listed=True),
    "start_level": Key(kind=WHOLE, default=0, low=0),
    "symmetricalGLCM": Key(kind=FLAG, default=True),
    "voxelArrayShift": Key(kind=NUMBER, default=0),
    "wavelet": Key(kind=WORD, default="coif1"),
    "weightingNorm": Key(kind=WORD, words=("manhattan", "euclidean", "infinity", "no_weighting"), optional=True),
}
"""Every setting of a parameter file, with the defaults of PyRadiomics 3.0.1 and the limits of its schema."""

READ_BY_IMAGE_TYPE: dict[str, tuple[str, ...]] = {
    "Original": (),
    "Wavelet": ("wavelet", "level", "start_level", "force2D", "force2Ddimension"),
    "LoG": ("sigma",),
    "Square": (),
    "SquareRoot": (),
    "Logarithm": (),
    "Exponential": (),
    "Gradient": ("gradientUseSpacing",),
    "LBP2D": ("lbp2DRadius", "lbp2DSamples", "lbp2DMethod", "force2Ddimension"),
    "LBP3D": ("lbp3DLevels", "lbp3DIcosphereRadius", "lbp3DIcosphereSubdivision"),
}
"""Image types, with the settings that the filter of each reads."""
BINNING = ("binWidth", "binCount")
TEXTURE = ("distances", "force2D", "force2Ddimension", "weightingNorm", "symmetricalGLCM", "gldm_a")
MEASURING = (*BINNING, *TEXTURE, "voxelArrayShift")
"""Settings that the features of an image read, so that an image type may have its own."""
FILTERING = tuple(dict.fromkeys(name for names in READ_BY_IMAGE_TYPE.values() for name in names))

NEEDS: dict[str, tuple[str, ...]] = {
    "interpolator": ("resampledPixelSpacing",),
    "normalizeScale": ("normalize",),
    "padDistance": ("resampledPixelSpacing", "preCrop"),
    "removeOutliers": ("normalize",),
    "resegmentMode": ("resegmentRange",),
    "resegmentShape": ("resegmentRange",),
}
"""Settings that change nothing unless one of these others is set."""


def checked_settings(section: Mapping[str, Any], *, where: str) -> dict[str, Any]:
    """The settings of one section, each known, of its kind and within its limits.

    Raises:
        SettingsError: names the setting, what it must be and what it is.
    """
    checked: dict[str, Any] = {}
    for name, value in section.items():
        if name not in SETTINGS:
            message = f"unknown key in {where} '{name}': {nearest(str(name), SETTINGS)}"
            raise SettingsError(message)
        problem = "" if name == "interpolator" and _is_whole(value) else SETTINGS[name].problem(value)
        if problem:
            message = f"'{name}' in {where} must be {problem}, got {value!r}."
            raise SettingsError(message)
        checked[name] = False if value is None and SETTINGS[name].kind == FLAG else value
    return checked


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
