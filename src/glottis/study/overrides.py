"""Single settings from the command line: ``--setting binWidth:10``, as PyRadiomics writes them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from glottis._errors import SettingsError, nearest
from glottis.study.parameter_keys import FLAG, NUMBER, SETTINGS, WHOLE, Key

YES, NO = ("1", "true"), ("0", "false")


def read_overrides(texts: Iterable[str]) -> dict[str, Any]:
    """Names and values of ``NAME:VALUE`` texts; a list is written with commas, nothing as ``null``.

    Raises:
        SettingsError: no colon, an unknown name, or a value that is not of the setting's kind.

    >>> read_overrides(["binWidth:10", "resampledPixelSpacing:1,1,0", "normalize:true", "interpolator:sitkLinear"])
    {'binWidth': 10, 'resampledPixelSpacing': [1, 1, 0], 'normalize': True, 'interpolator': 'sitkLinear'}
    """
    found: dict[str, Any] = {}
    for text in texts:
        name, colon, value = text.partition(":")
        name, value = name.strip(), value.strip()
        if not colon:
            message = f"--setting '{text}' has no colon: write it as NAME:VALUE, for example binWidth:10."
            raise SettingsError(message)
        if name not in SETTINGS:
            message = f"--setting '{name}' is no setting: {nearest(name, SETTINGS)}"
            raise SettingsError(message)
        try:
            found[name] = _value(value, SETTINGS[name])
        except ValueError as error:
            kind = f"a list of {SETTINGS[name].kind[2:]}s" if SETTINGS[name].listed else SETTINGS[name].kind
            message = f"--setting '{text}': {name} must be {kind}, got '{value}'."
            raise SettingsError(message) from error
    return found


def _value(text: str, key: Key) -> Any:
    if text.lower() in ("null", "none"):
        return None
    if key.listed:
        return [_number(part) for part in text.strip("[]").split(",")]
    if key.kind == FLAG:
        if text.lower() not in YES + NO:
            raise ValueError(text)
        return text.lower() in YES
    if key.kind in (WHOLE, NUMBER):
        return int(text) if key.kind == WHOLE else _number(text)
    return int(text) if text.isdigit() else text  # SimpleITK's interpolators have numbers too


def _number(text: str) -> float:
    """A number, whole where it is written so."""
    try:
        return int(text)
    except ValueError:
        return float(text)
