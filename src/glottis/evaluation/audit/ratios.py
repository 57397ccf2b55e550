"""Odds and hazard ratios: from their counts, and against their own interval and p value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from scipy import stats

from glottis.evaluation.audit.contingency import audit_patients, counts_of
from glottis.evaluation.audit.finding import Finding
from glottis.evaluation.audit.printed import Printed
from glottis.evaluation.audit.rows import Claim
from glottis.evaluation.limits import z_of
from glottis.evaluation.odds import OddsRatio, odds_ratio

OTHER_TEST = 0.3  # difference of z at which a likelihood-ratio, score or log-rank test still is a likely reason
TINY = 1e-12
OFF_CENTRE = 0.25  # standard errors by which limits of a profile likelihood may lie off


def audit_ratio(claim: Claim) -> list[Finding]:
    """The findings on a ratio: recomputed from its counts where they are printed, otherwise against its own limits."""
    if claim.kind == "odds_ratio" and claim.values:
        return [_from_counts(claim), *audit_patients(claim)]
    return [_from_limits(claim)]


def _from_counts(claim: Claim) -> Finding:
    check, counts = "odds ratio", counts_of(claim)
    if claim.estimate is None:
        return claim.says(check, "unchecked", "no odds ratio is printed.")
    ways = {"": counts, "in the other direction ": counts[::-1]}
    spares = (0.0, 0.5) if (counts == 0).any() else (0.0,)
    first: OddsRatio | None = None
    for way, cells in ways.items():
        for spare in spares:
            ratio = odds_ratio(cells, level=claim.level, added=spare)
            if ratio.ratio.value is None:
                continue
            first = first or ratio
            if _same(claim, ratio):
                total = int(counts.sum())
                message = f"{_shown(claim)} follows {way}from the counts of {total} patients (Woolf's interval)."
                return claim.says(check, "agrees", message, **_details(ratio), patients=total, flipped=bool(way))
    if first is None:
        return claim.says(check, "unchecked", "a cell of the counts is 0.")
    found = _details(first)
    message = (
        "{shown} does not follow from the counts: {value:.3f} ({low:.3f} to {high:.3f}), p = {p:.3g}, or its inverse "
        "{inverse:.3f}."
    ).format(shown=_shown(claim), inverse=1 / found["value"], **found)
    return claim.says(check, "differs", message, cells=("estimate",), **found)


def _details(ratio: OddsRatio) -> dict[str, Any]:
    return {"value": ratio.ratio.value, "low": ratio.ratio.low, "high": ratio.ratio.high, "p": ratio.p_value}


def _same(claim: Claim, ratio: OddsRatio) -> bool:
    found = _details(ratio)
    pairs: list[tuple[Printed | None, float]] = [(claim.estimate, found["value"]), (claim.p, found["p"])]
    if claim.interval:
        pairs += [(claim.interval[0], found["low"]), (claim.interval[1], found["high"])]
    return all(number is None or number.meets(value) for number, value in pairs)


@dataclass(frozen=True, kw_only=True)
class _Printed:
    """A printed ratio with its limits; all of them above 0 before rounding.

    Attributes:
        estimate: the ratio.
        low: lower limit.
        high: upper limit.
        z: standard errors from the estimate to a limit.
    """

    estimate: Printed
    low: Printed
    high: Printed
    z: float

    @property
    def centre(self) -> float:
        """The middle of the limits on the log scale."""
        return math.sqrt(self.low.value * self.high.value)

    @property
    def size(self) -> float:
        """The log ratio in standard errors, from the printed values."""
        se = self._se(self.low.value, self.high.value)
        return abs(math.log(self.estimate.value)) / max(TINY, se)

    @property
    def sizes(self) -> tuple[float, float]:
        """The least and greatest such number, over the rounding of the ratio and its limits."""
        ends = [math.log(self.estimate.low), math.log(self.estimate.high)]
        least = 0.0 if ends[0] <= 0 <= ends[1] else min(abs(end) for end in ends)
        wide = self._se(self.low.low, self.high.high)
        narrow = self._se(self.low.high, max(self.low.high, self.high.low))
        return least / max(TINY, wide), max(abs(end) for end in ends) / max(TINY, narrow)

    @property
    def off_centre(self) -> float:
        """Standard errors between the ratio and the middle of its limits, beyond rounding."""
        lowest = (math.log(self.low.low) + math.log(self.high.low)) / 2
        highest = (math.log(self.low.high) + math.log(self.high.high)) / 2
        apart = max(math.log(self.estimate.low) - highest, lowest - math.log(self.estimate.high))
        return max(0.0, apart) / max(TINY, self._se(self.low.low, self.high.high))

    def _se(self, low: float, high: float) -> float:
        return (math.log(high) - math.log(low)) / (2 * self.z)


def _from_limits(claim: Claim) -> Finding:
    check = "hazard ratio" if claim.kind == "hazard_ratio" else "odds ratio"
    if claim.estimate is None or claim.interval is None:
        return claim.says(check, "unchecked", "a ratio with its interval is needed.")
    low, high = claim.interval
    if claim.estimate.high < low.low or claim.estimate.low > high.high:
        return claim.says(check, "differs", f"{_shown(claim)}: it lies outside its interval.", cells=("interval",))
    if low.high < 0 or claim.estimate.value < 0:
        return claim.says(check, "differs", f"{_shown(claim)}: a ratio is above 0.", cells=("estimate", "interval"))
    if low.low <= 0 or claim.estimate.low <= 0:
        return claim.says(check, "unchecked", f"{_shown(claim)}: the digits are too few for a test.")
    z = z_of(claim.level)
    ratio = _Printed(estimate=claim.estimate, low=low, high=high, z=z)
    if ratio.off_centre > OFF_CENTRE:
        message = f"{_shown(claim)}: the middle of the interval on the log scale is {ratio.centre:.3f}."
        return claim.says(check, "unusual", message, cells=("interval",), centre=ratio.centre)
    return _against_p(claim, check, ratio)


def _against_p(claim: Claim, check: str, ratio: _Printed) -> Finding:
    implied = float(2 * stats.norm.sf(ratio.size))
    span = [float(2 * stats.norm.sf(size)) for size in reversed(ratio.sizes)]
    details: dict[str, Any] = {"centre": ratio.centre, "p_implied": implied, "p_range": span}
    if claim.p is None:
        return claim.says(check, "agrees", f"{_shown(claim)} agrees with its interval.", **details)
    if claim.p.meets(*span):
        return claim.says(check, "agrees", f"{_shown(claim)}: ratio, interval and p agree.", **details)
    printed_size = float(stats.norm.isf(min(max(claim.p.value, 1e-300), 1.0) / 2))
    near = ratio.sizes[0] - OTHER_TEST <= printed_size <= ratio.sizes[1] + OTHER_TEST
    message = f"{_shown(claim)}: ratio and interval imply p = {implied:.3g}."
    if near:
        message = f"{message} Another test, such as log-rank or likelihood-ratio, may have given the printed one."
    return claim.says(check, "unusual" if near else "differs", message, cells=("p",), **details)


def _shown(claim: Claim) -> str:
    estimate = claim.estimate.text if claim.estimate else "no ratio"
    limits = f" ({claim.interval[0].text} to {claim.interval[1].text})" if claim.interval else ""
    return f"{estimate}{limits}{f', p {claim.p.text}' if claim.p else ''}"


def audit_directions(claims: Sequence[Claim]) -> list[Finding]:
    """A finding for each variable whose printed ratios lie on both sides of 1, each with its whole interval."""
    findings = []
    for earlier, claim in combinations(claims, 2):
        same = (claim.kind, claim.label, claim.dataset) == (earlier.kind, earlier.label, earlier.dataset)
        if same and claim.estimate and _side(claim) * _side(earlier) < 0:
            message = (
                f"{_shown(earlier)} ({earlier.source or 'first'}) and {_shown(claim)} ({claim.source or 'then'}) run "
                f"in opposite directions; 1 / {claim.estimate.text} is {1 / claim.estimate.value:.2f}: perhaps the "
                "reference level changed."
            )
            findings.append(claim.says("direction", "unusual", message, cells=("estimate",)))
    return findings


def _side(claim: Claim) -> int:
    """1 where the interval lies above 1, -1 where below, 0 where it holds 1."""
    if claim.interval is None or claim.kind not in ("odds_ratio", "hazard_ratio"):
        return 0
    return int(claim.interval[0].value > 1) - int(claim.interval[1].value < 1)
