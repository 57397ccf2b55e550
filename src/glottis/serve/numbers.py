"""Numbers of a bundle as arrays, each checked for kind, shape and range before anything is built from them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from glottis.evaluation.interval import Floats


def floats(content: Any, shape: tuple[int, ...], what: str) -> Floats:
    """Finite numbers of this shape.

    Raises:
        ValueError: other shape, or something that is no finite number.
    """
    array = _array(content, "iuf", what).astype(np.float64)
    if array.shape != shape or not np.isfinite(array).all():
        message = f"{what} should be {_shown(shape)} finite numbers, and is not"
        raise ValueError(message)
    return array


def integers(content: Any, size: int, low: int, high: int, what: str) -> NDArray[np.int64]:
    """(size,) whole numbers from ``low`` to ``high``, both among them.

    Raises:
        ValueError: other length, or something outside.
    """
    array = _array(content, "iu", what)
    if array.shape != (size,) or (size and not low <= array.min() <= array.max() <= high):
        message = f"{what} should be {size} whole numbers from {low} to {high}, and is not"
        raise ValueError(message)
    return array.astype(np.int64)


def number(content: Any, what: str, *, low: float = -np.inf, high: float = np.inf) -> float:
    """One finite number from ``low`` to ``high``.

    Raises:
        ValueError: it is none.
    """
    value = float(floats([content], (1,), what)[0])
    if not low <= value <= high:
        message = f"{what} lies outside {low} to {high}"
        raise ValueError(message)
    return value


def _array(content: Any, kinds: str, what: str) -> NDArray[Any]:
    try:
        array = np.asarray(content)
    except ValueError:  # rows of unequal length
        array = np.asarray(None)
    if not isinstance(content, list) or (array.size and array.dtype.kind not in kinds):
        message = f"{what} holds something else than numbers"
        raise ValueError(message)
    return array


def _shown(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
