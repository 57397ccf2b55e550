"""What many tests at once do to p values: Holm's and Benjamini and Hochberg's adjustment."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glottis._errors import StatisticsError
from glottis.evaluation.interval import Floats


def holm(p_values: ArrayLike) -> Floats:
    """P values adjusted so that the chance of any false finding stays below the level (Holm 1979).

    Args:
        p_values: (n,) p values; nan stands for a test that was not done, stays nan and does not count.

    Returns:
        (n,) adjusted p values in the same order, as R's ``p.adjust(method = "holm")``.

    Raises:
        ValueError: not one axis, or a value outside 0 to 1.

    >>> holm([0.01, 0.04, 0.03]).round(4).tolist()
    [0.03, 0.06, 0.06]
    """
    values, order = _ordered(p_values)
    rising = np.maximum.accumulate(values[order] * np.arange(order.size, 0, -1))
    return _in_place(values, order, rising)


def benjamini_hochberg(p_values: ArrayLike) -> Floats:
    """P values adjusted so that the expected share of false findings stays below the level (1995).

    Args:
        p_values: (n,) p values; nan stands for a test that was not done, stays nan and does not count.

    Returns:
        (n,) adjusted p values in the same order, as R's ``p.adjust(method = "BH")``.

    Raises:
        ValueError: not one axis, or a value outside 0 to 1.

    >>> benjamini_hochberg([0.01, 0.04, 0.03]).round(4).tolist()
    [0.03, 0.04, 0.04]
    """
    values, order = _ordered(p_values)
    scaled = values[order] * order.size / np.arange(1, order.size + 1)
    falling = np.minimum.accumulate(scaled[::-1])[::-1]
    return _in_place(values, order, falling)


def _ordered(p_values: ArrayLike) -> tuple[Floats, NDArray[np.intp]]:
    """The values, and the positions of those that are known, smallest first."""
    values = np.asarray(p_values, dtype=np.float64)
    if values.ndim != 1:
        message = f"P values must be one list; got the shape {values.shape}: give those of one family of tests."
        raise StatisticsError(message)
    outside = np.flatnonzero((values < 0) | (values > 1))
    if outside.size:
        at = outside[0]
        message = f"P value {values[at]:g} at position {at} is outside 0 to 1: give unadjusted p values."
        raise StatisticsError(message)
    return values, np.argsort(values, kind="stable")[: int((~np.isnan(values)).sum())]  # nan sorts last


def _in_place(values: Floats, order: NDArray[np.intp], adjusted: Floats) -> Floats:
    result = np.full_like(values, np.nan)
    result[order] = np.minimum(adjusted, 1.0)
    return result
