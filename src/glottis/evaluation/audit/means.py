"""Which test of means has printed a p value, from means, standard deviations and group sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from scipy import optimize, stats

from glottis.evaluation.audit.finding import Finding, listed
from glottis.evaluation.audit.printed import Printed
from glottis.evaluation.audit.rows import Claim

STUDENT, WELCH, ANOVA = "Student's t test", "Welch's t test", "one-way ANOVA"


@dataclass(frozen=True, kw_only=True)
class Group:
    """A group of patients as printed.

    Attributes:
        mean: printed mean.
        sd: printed standard deviation.
        n: patients.
    """

    mean: Printed
    sd: Printed
    n: int


@dataclass(frozen=True, kw_only=True)
class Reach:
    """The statistics and p values that the rounding of means and standard deviations leaves possible.

    Attributes:
        statistic: least and greatest absolute statistic.
        p: least and greatest p value.
    """

    statistic: tuple[float, float]
    p: tuple[float, float]


def reaches(groups: Sequence[Group]) -> dict[str, Reach]:
    """What each test can have given: t tests for two groups, the analysis of variance for more."""
    if len(groups) == 2:
        return {STUDENT: _student(groups), WELCH: _welch(groups)}
    return {ANOVA: _anova(groups)}


def audit_means(claim: Claim) -> Finding:
    """The finding on a p value printed beside means and standard deviations."""
    check = "test of means"
    if claim.p is None and claim.statistic is None:
        return claim.says(check, "unchecked", "no p value and no statistic is printed.")
    groups = [Group(mean=mean, sd=sd, n=int(n.value)) for mean, sd, n in claim.values]
    found = reaches(groups)
    fitting = [name for name, reach in found.items() if _fits(claim, reach)]
    shown = " and ".join(
        part
        for part in (
            f"statistic {claim.statistic.text}" if claim.statistic else "",
            f"p {claim.p.text}" if claim.p else "",
        )
        if part
    )
    details: dict[str, Any] = {"tests": fitting, "p_ranges": {name: list(reach.p) for name, reach in found.items()}}
    if fitting:
        verb = "are those of" if claim.statistic and claim.p else "is that of"
        return claim.says(check, "agrees", f"{shown} {verb} {listed(fitting, 'or')}, within rounding.", **details)
    computed = listed([f"{name} p = {reach.p[0]:.3g} to {reach.p[1]:.3g}" for name, reach in found.items()])
    verb = "do" if claim.statistic and claim.p else "does"
    message = f"{shown} {verb} not follow from means and standard deviations: {computed}."
    if claim.statistic is None:
        message = f"{message} A rank test, which needs the data, may have been used."
        return claim.says(check, "unusual", message, cells=("p",), **details)
    return claim.says(check, "differs", message, cells=("p", "statistic"), **details)


def _fits(claim: Claim, reach: Reach) -> bool:
    of_p = claim.p is None or claim.p.meets(*reach.p)
    size = claim.statistic
    if size is None:
        return of_p
    unsigned = Printed(size.text, abs(size.scaled), size.digits, size.relation)
    return of_p and unsigned.meets(*reach.statistic)


def _student(groups: Sequence[Group]) -> Reach:
    reach = _anova(groups)
    return Reach(statistic=(reach.statistic[0] ** 0.5, reach.statistic[1] ** 0.5), p=reach.p)


def _anova(groups: Sequence[Group]) -> Reach:
    sizes = np.array([group.n for group in groups], dtype=float)
    lows, highs = (np.array([getattr(group.mean, side) for group in groups]) for side in ("low", "high"))
    between = [_least_between(sizes, lows, highs), _greatest_between(sizes, lows, highs)]
    within = [sum((g.n - 1) * max(0.0, getattr(g.sd, side)) ** 2 for g in groups) for side in ("high", "low")]
    above, below = len(groups) - 1, float(sizes.sum() - len(groups))
    f = [_quotient(between[i] / above, within[i] / below) for i in range(2)]
    return Reach(
        statistic=(f[0], f[1]), p=(float(stats.f.sf(f[1], above, below)), float(stats.f.sf(f[0], above, below)))
    )


def _quotient(above: float, below: float) -> float:
    return above / below if below > 0 else float("inf") if above > 0 else 0.0


def _least_between(sizes: np.ndarray, lows: np.ndarray, highs: np.ndarray) -> float:
    """The least sum of squares between groups whose means lie between the limits."""

    def spread(middle: float) -> float:
        far = np.maximum(0.0, np.maximum(lows - middle, middle - highs))
        return float((sizes * far**2).sum())

    found = optimize.minimize_scalar(spread, bounds=(float(lows.min()), float(highs.max())), method="bounded")
    return min(float(found.fun), spread(float((lows.max() + highs.min()) / 2)))


def _greatest_between(sizes: np.ndarray, lows: np.ndarray, highs: np.ndarray) -> float:
    """The greatest such sum: convex in the means, so it lies where each is at a limit."""
    greatest = 0.0
    for means in product(*zip(lows, highs, strict=True)):
        middle = np.average(means, weights=sizes)
        greatest = max(greatest, float((sizes * (np.array(means) - middle) ** 2).sum()))
    return greatest


def _welch(groups: Sequence[Group]) -> Reach:
    first, second = groups
    apart = abs(first.mean.value - second.mean.value)
    slack = first.mean.half + second.mean.half
    sizes: list[float] = []
    ps: list[float] = []
    for difference, sd_1, sd_2 in product(
        (max(0.0, apart - slack), apart + slack), (first.sd.low, first.sd.high), (second.sd.low, second.sd.high)
    ):
        parts = max(0.0, sd_1) ** 2 / first.n, max(0.0, sd_2) ** 2 / second.n
        t = _quotient(difference, sum(parts) ** 0.5)
        spread = parts[0] ** 2 / (first.n - 1) + parts[1] ** 2 / (second.n - 1)
        freedom = _quotient(sum(parts) ** 2, spread)
        sizes.append(t)
        ps.append(float(2 * stats.t.sf(t, freedom)) if np.isfinite(t) and freedom > 0 else 0.0)
    return Reach(statistic=(min(sizes), max(sizes)), p=(min(ps), max(ps)))
