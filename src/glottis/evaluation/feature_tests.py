"""One test between groups for many features at once: the numbers of `compare_values`, an entry a feature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from glottis.evaluation.group_tests import EXACT_RANKS_BELOW
from glottis.evaluation.interval import Floats

FeatureTest = Literal["t", "welch", "mann-whitney", "anova"]
FEATURE_TESTS: tuple[str, ...] = get_args(FeatureTest)


@dataclass(frozen=True)
class FeatureTests:
    """One test a feature.

    Attributes:
        statistic: (n_features,) t (first class less second), U of the first class, or F; nan for a constant feature.
        p_value: (n_features,) two-sided; 0 where the classes differ and neither varies.
    """

    statistic: Floats
    p_value: Floats


def compare_features(values: Floats, codes: NDArray[np.intp], test: FeatureTest) -> FeatureTests:
    """Whether each feature differs between classes, by the formulas and rules of `compare_values`.

    Args:
        values: (n, n_features) finite values.
        codes: (n,) class of each row, 0 to the number of classes less 1.
        test: Student's t, Welch's t or Mann-Whitney for two classes, one-way ANOVA for any number.

    Raises:
        ValueError: an unknown test, a class of fewer than two rows, or another number of classes than the test takes.
    """
    if test not in FEATURE_TESTS:
        message = f"Unknown test {test!r} of features: use one of {', '.join(FEATURE_TESTS)}."
        raise ValueError(message)
    sizes = np.bincount(codes)
    if sizes.size < 2 or sizes.min() < 2:
        message = f"A test needs two classes or more with two rows each; got classes of {sizes.tolist()} rows."
        raise ValueError(message)
    if test != "anova" and sizes.size != 2:
        message = f"Test {test!r} compares two classes; got {sizes.size}: use 'anova'."
        raise ValueError(message)
    groups = [values[codes == code] for code in range(sizes.size)]
    if test == "mann-whitney":
        statistic, p = _mann_whitney(groups[0], groups[1])
    else:
        means, squares = _moments(groups)
        with np.errstate(divide="ignore", invalid="ignore"):
            statistic, p = _anova(means, squares, sizes) if test == "anova" else _t(means, squares, sizes, test)
    constant = np.ptp(values, axis=0) == 0
    return FeatureTests(np.where(constant, np.nan, statistic), np.where(constant, np.nan, p))


def _moments(groups: list[Floats]) -> tuple[Floats, Floats]:
    """(classes, n_features) means, and sums of squares about them."""
    means = np.array([group.mean(axis=0) for group in groups])
    return means, np.array([((group - mean) ** 2).sum(axis=0) for group, mean in zip(groups, means, strict=True)])


def _t(means: Floats, squares: Floats, sizes: NDArray[np.intp], test: str) -> tuple[Floats, Floats]:
    n1, n2 = (int(size) for size in sizes)
    if test == "t":
        df = np.full(means.shape[1], n1 + n2 - 2.0)
        error = np.sqrt(squares.sum(axis=0) / df * (1 / n1 + 1 / n2))
    else:
        a, b = squares[0] / (n1 - 1) / n1, squares[1] / (n2 - 1) / n2
        df = (a + b) ** 2 / (a**2 / (n1 - 1) + b**2 / (n2 - 1))
        df = np.where(a + b > 0, df, 1.0)
        error = np.sqrt(a + b)
    statistic = (means[0] - means[1]) / error
    return statistic, 2 * stats.t.sf(np.abs(statistic), df)


def _anova(means: Floats, squares: Floats, sizes: NDArray[np.intp]) -> tuple[Floats, Floats]:
    n, k = int(sizes.sum()), sizes.size
    grand = sizes @ means / n
    between = sizes @ (means - grand) ** 2
    statistic = between / (k - 1) / (squares.sum(axis=0) / (n - k))
    return statistic, np.asarray(stats.f.sf(statistic, k - 1, n - k))


def _mann_whitney(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    ordered = np.sort(np.concatenate([x, y]), axis=0)
    tied = (np.diff(ordered, axis=0) == 0).any(axis=0)
    exact = ~tied if max(len(x), len(y)) < EXACT_RANKS_BELOW else np.zeros_like(tied)
    statistic, p = np.empty(x.shape[1]), np.empty(x.shape[1])
    with np.errstate(divide="ignore", invalid="ignore"):  # a constant feature has no ranks to compare
        for part, method in ((exact, "exact"), (~exact, "asymptotic")):
            if part.any():
                result = stats.mannwhitneyu(x[:, part], y[:, part], axis=0, method=method)
                statistic[part], p[part] = result.statistic, result.pvalue
    return statistic, p
