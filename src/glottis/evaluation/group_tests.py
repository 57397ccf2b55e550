"""Tests between groups: counts, values, and means as a paper prints them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from glottis._errors import StatisticsError
from glottis.evaluation.fisher import RANDOM_TABLES, fisher_p
from glottis.evaluation.interval import Floats, plain

CountTest = Literal["chi-square", "fisher"]
ValueTest = Literal["t", "welch", "mann-whitney", "anova", "welch-anova", "kruskal"]
SMALLEST_EXPECTED = 5
SHAPIRO_LEVEL = 0.05
LEVENE_LEVEL = 0.05
SHAPIRO_LIMIT = 5000
EXACT_RANKS_BELOW = 50


@dataclass(frozen=True)
class GroupTest:
    """A test between groups.

    Attributes:
        name: the test, in words for a table.
        statistic: t, F, U, H or chi-square; None for Fisher's test, or where there is nothing to test.
        df: degrees of freedom, two for F; empty where the test has none.
        p_value: two-sided; None where there is nothing to test.
        note: why this test, or why none.
    """

    name: str
    statistic: float | None
    df: tuple[float, ...]
    p_value: float | None
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


def compare_counts(table: ArrayLike, *, test: CountTest | None = None, random_state: int = 0) -> GroupTest:
    """Whether the levels of a characteristic are spread alike over groups.

    Chi-square without continuity correction; Fisher's exact test where a cell expects fewer than 5. Rows and columns
    without any patient are left out.

    Args:
        table: (levels, groups) counts.
        test: "chi-square" or "fisher"; chosen by the expected counts where not given.
        random_state: seed, used only where there are too many tables for the exact test.

    Raises:
        ValueError: not a table of counts, or an unknown test.

    >>> round(compare_counts([[133, 59], [31, 12]]).p_value, 3)
    0.716
    """
    counts = _check_counts(table)
    if test not in (None, *get_args(CountTest)):
        message = f"Unknown test {test!r} of counts: use {' or '.join(map(repr, get_args(CountTest)))}."
        raise StatisticsError(message)
    counts = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    if min(counts.shape) < 2:
        return GroupTest("none", None, (), None, "nothing to test: fewer than two levels or two groups have patients")
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    smallest = f"the smallest expected count is {expected.min():.2f}"
    if test == "chi-square" or (test is None and expected.min() >= SMALLEST_EXPECTED):
        statistic = float(((counts - expected) ** 2 / expected).sum())
        df = (counts.shape[0] - 1) * (counts.shape[1] - 1)
        return GroupTest("chi-square", statistic, (float(df),), float(stats.chi2.sf(statistic, df)), smallest)
    p, exact = fisher_p(counts, random_state)
    if exact:
        return GroupTest("Fisher's exact", None, (), p, smallest)
    note = f"{smallest}; {RANDOM_TABLES:,} random tables, since there are too many for the exact test"
    return GroupTest("Fisher's, Monte Carlo", None, (), p, note)


def _check_counts(table: ArrayLike) -> NDArray[np.int64]:
    values = np.asarray(table, dtype=np.float64)
    if values.ndim != 2 or not np.isfinite(values).all() or (values < 0).any() or (values != np.round(values)).any():
        message = f"A table of counts holds whole numbers from 0 in rows and columns; got {np.asarray(table).tolist()}."
        raise StatisticsError(message)
    return values.astype(np.int64)


def compare_values(groups: Sequence[ArrayLike], *, test: ValueTest | None = None) -> GroupTest:
    """Whether a measurement differs between two or more groups.

    Where no test is named: Shapiro-Wilk decides whether every group looks normal (p >= 0.05; a group of fewer than 3
    patients or of one value does not; above 5,000 patients a group its mean is close to normal, and it counts as such).
    Normal groups are compared by t or ANOVA, or by Welch's form of these where the Brown-Forsythe test finds unequal
    variances (p < 0.05); others by Mann-Whitney (exact below 50 patients a group without ties, else with continuity
    correction, as R) or Kruskal-Wallis.

    Args:
        groups: finite values, one list a group; empty groups are left out.
        test: "t", "welch" or "mann-whitney" for two groups; "anova", "welch-anova" or "kruskal" for any number.

    Raises:
        ValueError: a value is not finite, an unknown test, or a test for two groups given another number.
    """
    values = [np.asarray(group, dtype=np.float64).ravel() for group in groups]
    if not all(np.isfinite(item).all() for item in values):
        message = "A value is not finite: leave out the patients without one, and report how many they are."
        raise StatisticsError(message)
    if test not in (None, *get_args(ValueTest)):
        message = f"Unknown test {test!r} of values: use one of {', '.join(get_args(ValueTest))}."
        raise StatisticsError(message)
    values = [item for item in values if item.size]
    if len(values) < 2:
        return GroupTest("none", None, (), None, "nothing to test: fewer than two groups have values")
    if test in ("t", "welch", "mann-whitney") and len(values) != 2:
        message = f"Test {test!r} compares two groups; got {len(values)}: use anova, welch-anova or kruskal."
        raise StatisticsError(message)
    if np.ptp(np.concatenate(values)) == 0:
        return GroupTest("none", None, (), None, "nothing to test: all values are equal")
    chosen, note = (test, "as asked for") if test else _choose(values)
    return _run(chosen, values, note)


def _choose(values: list[Floats]) -> tuple[ValueTest, str]:
    two = len(values) == 2
    why = _why_not_normal(values)
    if why:
        return ("mann-whitney" if two else "kruskal"), why
    levene = float(stats.levene(*values, center="median").pvalue)
    if levene < LEVENE_LEVEL:
        return ("welch" if two else "welch-anova"), f"variances differ (Brown-Forsythe p = {levene:.3g})"
    return ("t" if two else "anova"), f"normal (Shapiro-Wilk), variances alike (Brown-Forsythe p = {levene:.3g})"


def _why_not_normal(values: list[Floats]) -> str:
    for item in values:
        if item.size < 3 or np.ptp(item) == 0:
            return "a group has fewer than 3 patients or one value only"
        if item.size <= SHAPIRO_LIMIT:
            p = float(stats.shapiro((item - item.mean()) / np.ptp(item)).pvalue)
            if p < SHAPIRO_LEVEL:
                return f"not normal (Shapiro-Wilk p = {p:.3g} in a group of {item.size})"
    return ""


def _run(test: ValueTest, values: list[Floats], note: str) -> GroupTest:
    if test == "mann-whitney":
        return _mann_whitney(values[0], values[1], note)
    if test == "kruskal":
        result = stats.kruskal(*values)
        return GroupTest("Kruskal-Wallis", float(result.statistic), (len(values) - 1.0,), float(result.pvalue), note)
    if any(item.size < 2 for item in values) or all(np.ptp(item) == 0 for item in values):
        return GroupTest("none", None, (), None, "nothing to test: a group has one patient, or no group varies")
    means, sds = [float(item.mean()) for item in values], [float(item.std(ddof=1)) for item in values]
    sizes = [item.size for item in values]
    if test in ("t", "welch"):
        return t_test_from_moments(means, sds, sizes, equal_variances=test == "t", note=note)
    return anova_from_moments(means, sds, sizes, equal_variances=test == "anova", note=note)


def _mann_whitney(x: Floats, y: Floats, note: str) -> GroupTest:
    pooled = np.concatenate([x, y])
    exact = max(x.size, y.size) < EXACT_RANKS_BELOW and np.unique(pooled).size == pooled.size
    result = stats.mannwhitneyu(x, y, method="exact" if exact else "asymptotic")
    name = "Mann-Whitney, exact" if exact else "Mann-Whitney"
    return GroupTest(name, float(result.statistic), (), float(result.pvalue), note)


def t_test_from_moments(
    means: Sequence[float], sds: Sequence[float], sizes: Sequence[int], *, equal_variances: bool = False, note: str = ""
) -> GroupTest:
    """Two-sample t test, Student's or Welch's, from what a paper prints.

    Raises:
        ValueError: not two groups, a standard deviation below 0, both 0, or a group of fewer than 2.

    >>> round(t_test_from_moments([63.45, 62.45], [8.97, 9.085], [164, 71]).p_value, 3)
    0.438
    """
    _check_moments(means, sds, sizes, exactly=2)
    (m1, m2), (s1, s2), (n1, n2) = means, sds, sizes
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        result = stats.ttest_ind_from_stats(m1, s1, n1, m2, s2, n2, equal_var=equal_variances)
    df = float(n1 + n2 - 2)
    if not equal_variances:
        a, b = s1**2 / n1, s2**2 / n2
        df = (a + b) ** 2 / (a**2 / (n1 - 1) + b**2 / (n2 - 1))
    name = "t" if equal_variances else "Welch's t"
    return GroupTest(name, float(result.statistic), (df,), float(result.pvalue), note)


def anova_from_moments(
    means: Sequence[float], sds: Sequence[float], sizes: Sequence[int], *, equal_variances: bool = True, note: str = ""
) -> GroupTest:
    """One-way analysis of variance, Fisher's or Welch's, from what a paper prints.

    Raises:
        ValueError: fewer than two groups, a standard deviation below 0, all 0, or a group of fewer than 2.
    """
    _check_moments(means, sds, sizes)
    m, s, n = (np.asarray(item, dtype=np.float64) for item in (means, sds, sizes))
    if not equal_variances:
        return _welch_anova(m, s, n, note)
    grand = float((n * m).sum() / n.sum())
    between, within = (n * (m - grand) ** 2).sum(), ((n - 1) * s**2).sum()
    df = (m.size - 1.0, float(n.sum() - m.size))
    f = float(between / df[0] / (within / df[1]))
    return GroupTest("one-way ANOVA", f, df, float(stats.f.sf(f, *df)), note)


def _welch_anova(m: Floats, s: Floats, n: Floats, note: str) -> GroupTest:
    if (s == 0).any():
        return GroupTest("none", None, (), None, "nothing to test: Welch's ANOVA needs every group to vary")
    weight = n / s**2
    share = weight / weight.sum()
    centre, k = float((share * m).sum()), m.size
    spread = float(((1 - share) ** 2 / (n - 1)).sum())
    f = float((weight * (m - centre) ** 2).sum() / (k - 1) / (1 + 2 * (k - 2) / (k**2 - 1) * spread))
    df = (k - 1.0, float((k**2 - 1) / (3 * spread)))
    return GroupTest("Welch's ANOVA", f, df, float(stats.f.sf(f, *df)), note)


def _check_moments(
    means: Sequence[float], sds: Sequence[float], sizes: Sequence[int], exactly: int | None = None
) -> None:
    k = len(means)
    if len(sds) != k or len(sizes) != k or k < 2 or (exactly is not None and k != exactly):
        wanted = "two groups" if exactly else "two or more groups"
        message = f"Means, standard deviations and sizes of {wanted} are needed; got {k}, {len(sds)} and {len(sizes)}."
        raise StatisticsError(message)
    if min(sizes) < 2 or min(sds) < 0 or max(sds) == 0:
        message = f"Groups need 2 patients or more and must vary; got sizes {list(sizes)}, deviations {list(sds)}."
        raise StatisticsError(message)
