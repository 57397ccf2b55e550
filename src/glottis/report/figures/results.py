"""Results of `glottis.evaluation`, or their stored form, as the figures read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from glottis._errors import InputError
from glottis.evaluation.interval import Floats, plain

Stored = Mapping[str, Any]


def as_stored(results: Any, key: str, function: str) -> dict[str, Stored]:
    """Label to stored form, of one result (its label is empty) or of a mapping from labels to results.

    Args:
        results: a result, its ``to_dict()``, or a mapping from labels to either.
        key: a field that only this kind of result has.
        function: what makes such a result, for the error.

    Raises:
        InputError: no result, or one of another kind.
    """
    single = not isinstance(results, Mapping) or (key in results and not _is_result(results[key], key))
    given = {"": results} if single else results
    if not given:
        message = f"There is no result to draw: give one of glottis.evaluation.{function}, or a mapping from labels."
        raise InputError(message)
    stored = {}
    for label, result in given.items():
        if not _is_result(result, key):
            message = (
                f"{type(result).__name__} cannot be drawn here{f' (label {label!r})' if label else ''}: "
                f"give a result of glottis.evaluation's {function}, or its to_dict()."
            )
            raise InputError(message)
        stored[str(label)] = result if isinstance(result, Mapping) else plain(result.to_dict())
    return stored


def _is_result(item: Any, key: str) -> bool:
    return key in item if isinstance(item, Mapping) else hasattr(item, "to_dict") and hasattr(item, key)


def values(stored: Any) -> Floats:
    """A stored list, None as nan."""
    return np.asarray(stored, dtype=np.float64)
