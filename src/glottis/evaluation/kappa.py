"""Agreement of raters in categories, beyond chance: Cohen's kappa, weighted kappa, Fleiss' kappa."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from statsmodels.stats.inter_rater import cohens_kappa

from glottis._errors import StatisticsError
from glottis.evaluation.interval import Floats, Interval, check_level, check_same_patients, plain
from glottis.evaluation.limits import wald_limits

Weights = Literal["linear", "quadratic"]


@dataclass(frozen=True)
class Kappa:
    """Agreement beyond chance.

    Attributes:
        value: 1 is perfect, 0 is chance; None where chance agrees fully.
        interval: limits of Fleiss, Cohen and Everitt (two raters) or of the jackknife.
        kind: "Cohen", "Cohen, linear weights", "Cohen, quadratic weights" or "Fleiss".
        observed: (weighted) share of agreement seen.
        expected: the same by chance, from the raters' shares of each category.
        n: patients rated.
        n_raters: ratings a patient.
        categories: in the order that weights count.
    """

    value: float | None
    interval: Interval
    kind: str
    observed: float
    expected: float
    n: int
    n_raters: int
    categories: tuple[Any, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


def cohen_kappa(
    first: ArrayLike,
    second: ArrayLike,
    *,
    weights: Weights | None = None,
    categories: Sequence[Any] | None = None,
    level: float = 0.95,
) -> Kappa:
    """Cohen's kappa of two raters, plain or weighted, with the large-sample interval.

    Args:
        first: (n,) categories of the first rater.
        second: (n,) categories of the second rater, same patients, same order.
        weights: None counts exact agreement; "linear" and "quadratic" count near misses by their distance in the order
            of the categories.
        categories: all categories in order; weights of words need them. None: those that occur, sorted.
        level: confidence level.

    Returns:
        Kappa; its value is None where chance agrees fully (both raters use one and the same category).

    Raises:
        ValueError: a missing rating, different patients, an unknown category or weight.

    >>> cohen_kappa([1, 1, 0, 0], [1, 0, 0, 0]).value
    0.5
    """
    check_level(level)
    check_same_patients({"the first rater": first, "the second rater": second})
    names, (rows, columns) = _codes([np.asarray(first), np.asarray(second)], categories, ordered=weights is not None)
    if weights not in (None, "linear", "quadratic"):
        message = f"Unknown weights {weights!r}: use None, 'linear' or 'quadratic'."
        raise StatisticsError(message)
    size = len(names)
    table = np.bincount(rows * size + columns, minlength=size * size).reshape(size, size)
    credit = _credit(size, weights)
    n = int(table.sum())
    observed = float((credit * table).sum() / n)
    expected = float((credit * np.outer(table.sum(axis=1), table.sum(axis=0))).sum() / n**2)
    kind = "Cohen" if weights is None else f"Cohen, {weights} weights"
    method = "Fleiss, Cohen and Everitt 1969"
    if expected == 1:
        interval = Interval(None, None, None, method, level, "undefined (0/0): everybody is in one category")
    else:
        with np.errstate(invalid="ignore", divide="ignore"):  # its z and standard error, which are not used
            fit = cohens_kappa(table, wt=weights)
        interval = _interval((observed - expected) / (1 - expected), math.sqrt(max(fit.var_kappa, 0.0)), method, level)
    return Kappa(interval.value, interval, kind, observed, expected, n, 2, names)


def fleiss_kappa(ratings: ArrayLike, *, categories: Sequence[Any] | None = None, level: float = 0.95) -> Kappa:
    """Fleiss' kappa (1971) of two or more raters, who need not be the same ones for every patient.

    Args:
        ratings: (n_subjects, n_raters) categories.
        categories: all categories; None: those that occur.
        level: confidence level.

    Returns:
        Kappa with a jackknife interval over patients; its value is None where everybody is in one category.

    Raises:
        ValueError: not two axes, fewer than two raters, a missing rating.

    >>> round(fleiss_kappa([[1, 1, 1], [0, 0, 0], [1, 1, 0]]).value, 3)
    0.55
    """
    check_level(level)
    table = np.asarray(ratings)
    if table.ndim != 2 or table.shape[1] < 2 or table.shape[0] < 1:
        message = (
            f"Ratings need the shape (patients, raters) with at least 2 raters; got {table.shape}: one column a rater."
        )
        raise StatisticsError(message)
    names, codes = _codes(list(table.T), categories, ordered=False)
    n, raters = table.shape
    counts = np.array([np.bincount(row, minlength=len(names)) for row in np.array(codes).T], dtype=np.float64)
    agreement = ((counts**2).sum(axis=1) - raters) / (raters * (raters - 1))
    observed = float(agreement.mean())
    expected = float(((counts.sum(axis=0) / (n * raters)) ** 2).sum())
    method = "jackknife over patients"
    if math.isclose(expected, 1):
        interval = Interval(None, None, None, method, level, "undefined (0/0): everybody is in one category")
    else:
        interval = _interval((observed - expected) / (1 - expected), _jackknife(counts, agreement), method, level)
    return Kappa(interval.value, interval, "Fleiss", observed, expected, n, raters, names)


def _jackknife(counts: Floats, agreement: Floats) -> float:
    """Standard error from leaving out each patient in turn."""
    n = agreement.size
    if n < 2:
        return math.nan
    shares = (counts.sum(axis=0) - counts) / (counts[0].sum() * (n - 1))
    expected = (shares**2).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        left = ((agreement.sum() - agreement) / (n - 1) - expected) / (1 - expected)
    return float(np.sqrt((n - 1) / n * ((left - left.mean()) ** 2).sum()))


def _credit(size: int, weights: Weights | None) -> Floats:
    """(size, size) how much each pair of categories counts as agreement."""
    apart = np.abs(np.subtract.outer(np.arange(size), np.arange(size)))
    if weights is None:
        return np.asarray(apart == 0, dtype=np.float64)
    return np.asarray(1 - (apart / max(size - 1, 1)) ** (1 if weights == "linear" else 2))


def _interval(value: float, se: float, method: str, level: float) -> Interval:
    if not se > 1e-12 or not math.isfinite(se):
        return Interval(value, None, None, method, level, "no limits: the table has no spread")
    return wald_limits(value, se, level, method, within=(-1.0, 1.0))


def _codes(
    ratings: list[NDArray[Any]], categories: Sequence[Any] | None, *, ordered: bool
) -> tuple[tuple[Any, ...], list[NDArray[np.int64]]]:
    """Categories, and each rater's ratings as positions among them."""
    seen = {value for row in ratings for value in row.tolist()}
    missing = [value for value in seen if value is None or value != value]
    if missing or not seen:
        message = "A rating is missing (or there is none): leave out patients without both, and say how many."
        raise StatisticsError(message)
    if categories is None and ordered and any(isinstance(value, str) for value in seen):
        message = f"Weights need the order of the categories {sorted(seen)}: give categories=[lowest, ..., highest]."
        raise StatisticsError(message)
    names = tuple(sorted(seen)) if categories is None else tuple(categories)
    unknown = seen - set(names)
    if unknown:
        message = f"Rating {sorted(unknown)[0]!r} is not among the categories {list(names)}: add it or correct it."
        raise StatisticsError(message)
    position = {name: index for index, name in enumerate(names)}
    return names, [np.array([position[value] for value in row.tolist()], dtype=np.int64) for row in ratings]
