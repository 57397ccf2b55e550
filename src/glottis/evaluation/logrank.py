"""Whether groups differ in their times to an event: the log-rank test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from glottis._errors import StatisticsError
from glottis.evaluation.followup import check_groups, check_survival
from glottis.evaluation.interval import Bools, Floats, plain


@dataclass(frozen=True)
class LogRank:
    """Log-rank test.

    Attributes:
        statistic: chi-square; 0 where fewer than two groups ever were at risk of an event.
        df: groups at risk of an event, less one.
        p_value: None where df is 0.
        groups: names of the groups.
        n: patients of each group.
        observed: events of each group.
        expected: events of each group if there were no difference.
        stratified: whether strata were given.
        note: why ``p_value`` is None; empty otherwise.
    """

    statistic: float
    df: int
    p_value: float | None
    groups: tuple[str, ...]
    n: tuple[int, ...]
    observed: tuple[int, ...]
    expected: tuple[float, ...]
    stratified: bool
    note: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


def logrank_test(time: ArrayLike, event: ArrayLike, group: ArrayLike, *, strata: ArrayLike | None = None) -> LogRank:
    """Log-rank test of equal hazards in two or more groups, as R's ``survdiff``.

    Args:
        time: (n,) time to event or last follow-up, not negative.
        event: (n,) 1 for the event, 0 for censored.
        group: (n,) group of each patient.
        strata: (n,) compare within these only, such as centres.

    Raises:
        ValueError: what `check_survival` refuses, a patient without a group, or fewer than two groups.

    >>> round(logrank_test([1, 2, 3, 4], [1, 1, 1, 1], ["a", "a", "b", "b"]).statistic, 4)
    2.8824
    """
    times, events, _ = check_survival(time, event)
    of_group, labels = check_groups(group, times.size)
    of_stratum, names = check_groups(strata, times.size)
    if len(labels) < 2:
        message = f"The log-rank test compares groups; got only {labels[0]!r} in {times.size} patients."
        raise StatisticsError(message)
    k = len(labels)
    expected, covariance = np.zeros(k), np.zeros((k, k))
    for i in range(len(names)):
        part = of_stratum == i
        more_expected, more_covariance = _expected(times[part], events[part], of_group[part], k)
        expected, covariance = expected + more_expected, covariance + more_covariance
    observed = np.bincount(of_group, weights=events, minlength=k).astype(np.float64)
    statistic, df = _quadratic_form(observed, expected, covariance)
    return LogRank(
        statistic=statistic,
        df=df,
        p_value=float(stats.chi2.sf(statistic, df)) if df else None,
        groups=labels,
        n=tuple(int(value) for value in np.bincount(of_group, minlength=k)),
        observed=tuple(int(value) for value in observed),
        expected=tuple(float(value) for value in expected),
        stratified=strata is not None,
        note="" if df else "not estimable: fewer than two groups are at risk when an event happens",
    )


def _expected(time: Floats, event: Bools, of_group: Any, k: int) -> tuple[Floats, Floats]:
    times, index = np.unique(time, return_inverse=True)
    leaving = np.zeros((times.size, k))
    np.add.at(leaving, (index, of_group), 1)
    at_risk = leaving[::-1].cumsum(axis=0)[::-1]
    deaths = np.bincount(index, weights=event, minlength=times.size)
    at_risk, deaths = at_risk[deaths > 0], deaths[deaths > 0]
    n = at_risk.sum(axis=1)
    share = at_risk / n[:, None]
    weight = deaths * np.where(n > 1, (n - deaths) / np.maximum(n - 1, 1), 0.0)
    covariance = np.diag(weight @ share) - (share * weight[:, None]).T @ share
    return np.asarray(deaths @ share), covariance


def _quadratic_form(observed: Floats, expected: Floats, covariance: Floats) -> tuple[float, int]:
    seen = np.flatnonzero(expected > 0)[1:]
    if not seen.size:
        return 0.0, 0
    difference = (observed - expected)[seen]
    part = covariance[np.ix_(seen, seen)]
    if np.linalg.matrix_rank(part) < seen.size:
        return 0.0, 0
    return float(difference @ np.linalg.solve(part, difference)), int(seen.size)
