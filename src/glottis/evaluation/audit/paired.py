"""Two models on the same patients: the score correlation behind a DeLong test, and McNemar's test at any overlap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations, product
from typing import Any

from scipy import stats

from glottis.evaluation.audit.finding import Finding
from glottis.evaluation.audit.printed import Printed
from glottis.evaluation.audit.rows import Claim, MetricRow
from glottis.evaluation.limits import z_of
from glottis.evaluation.mcnemar import exact_mcnemar_p, mcnemar_chi_square

Rows = Mapping[tuple[str, str], MetricRow]
VERY_HIGH = 0.95
NEGATIVE = -0.1  # sampling alone can leave a little below 0
GAP = 0.5  # difference of correlations beyond which two p values look exchanged
LARGEST_Z = 40.0
MOST_OVERLAPS = 2000


def correlation_range(first: MetricRow, second: MetricRow, p: Printed) -> tuple[float, float] | None:
    """The correlation of two AUCs that a p value of their difference implies, least and greatest over all rounding.

    The standard errors are those of the printed intervals, so they are as good as the method behind these:
    r = (s1^2 + s2^2 - (d / z)^2) / (2 s1 s2).

    Args:
        first: printed AUC with limits.
        second: printed AUC with limits.
        p: printed p value of the difference.

    Returns:
        None where an interval or an AUC is missing, or the areas may be equal.
    """
    if not all("auc" in row.printed and "auc" in row.intervals for row in (first, second)):
        return None
    slack = first.printed["auc"].half + second.printed["auc"].half
    apart = abs(first.printed["auc"].value - second.printed["auc"].value)
    if apart <= slack:
        return None
    z = [
        min(LARGEST_Z, float(stats.norm.isf(min(1.0, max(0.0, side)) / 2)))
        for side in (min(p.high, 1.0), max(p.low, 0.0))
    ]
    values = []
    for difference, at, s1, s2 in product((apart - slack, apart + slack), z, _se(first), _se(second)):
        if s1 > 0 and s2 > 0:
            values.append((s1**2 + s2**2 - (difference / max(at, 1e-9)) ** 2) / (2 * s1 * s2))
    return (min(values), max(values)) if values else None


def _se(row: MetricRow) -> tuple[float, float]:
    low, high = row.intervals["auc"]
    width = 2 * z_of(row.level)
    return (max(0.0, high.low - low.high) / width, (high.high - low.low) / width)


def audit_delong(claim: Claim, rows: Rows) -> list[Finding]:
    """The findings on a DeLong p: the correlation that it implies, and whether the decisions follow the AUC."""
    check = "DeLong test"
    pair = [rows.get((name, claim.dataset)) for name in (claim.a, claim.b)]
    first, second = pair
    if first is None or second is None:
        missing = claim.a if first is None else claim.b
        return [
            claim.says(check, "unchecked", f"no row of '{missing}' in set '{claim.dataset}' in the table of metrics.")
        ]
    asked = claim.p or Printed.parse("<0.05")
    implied = correlation_range(first, second, asked)
    if implied is None:
        return [claim.says(check, "unchecked", "two different AUCs with their intervals are needed.")]
    if claim.p is None:
        message = f"no p value is printed; p < 0.05 would need scores whose AUCs correlate by {implied[0]:.2f} or more."
        return [claim.says(check, "unchecked", message, correlation=list(implied))]
    finding = _correlation_finding(claim, implied, claim.p)
    return [finding, *_decisions(claim, first, second)]


def _correlation_finding(claim: Claim, implied: tuple[float, float], p: Printed) -> Finding:
    shown = _range_words(implied, p)
    details: dict[str, Any] = {"correlation": list(implied)}
    message = f"p {p.text} implies AUCs that correlate by {shown}"
    if implied[1] < NEGATIVE:
        more = "scores of the same patients rarely run against each other."
    elif implied[0] > 1:
        more = "the p value is smaller than any correlation allows with these intervals."
    elif implied[0] > VERY_HIGH and p.relation == "=":
        more = "two models are seldom so alike."
    else:
        return claim.says("DeLong test", "agrees", f"{message}.", **details)
    return claim.says("DeLong test", "unusual", f"{message}: {more}", cells=("p",), **details)


def _range_words(implied: tuple[float, float], p: Printed) -> str:
    if p.relation == "<":
        return f"{implied[0]:.2f} or more"
    if p.relation == ">":
        return f"{implied[1]:.2f} or less"
    middle = (implied[0] + implied[1]) / 2
    return f"about {middle:.2f}"


def _decisions(claim: Claim, first: MetricRow, second: MetricRow) -> list[Finding]:
    """A finding where the better AUC comes with no better accuracy."""
    better, other = (first, second) if first.printed["auc"].value > second.printed["auc"].value else (second, first)
    if claim.p is None or claim.p.value > 0.05 or not all("accuracy" in row.printed for row in (better, other)):
        return []
    mine, theirs = better.printed["accuracy"], other.printed["accuracy"]
    if mine.value > theirs.value:
        return []
    message = (
        f"the AUC of {better.model} is higher ({better.printed['auc'].text} against {other.printed['auc'].text}), its "
        f"accuracy at the threshold is not ({mine.text} against {theirs.text}{_sensitivities(better, other)})."
    )
    return [claim.says("decisions", "noted", message, cells=("accuracy",))]


def _sensitivities(better: MetricRow, other: MetricRow) -> str:
    if not all("sensitivity" in row.printed for row in (better, other)):
        return ""
    return f"; sensitivity {better.printed['sensitivity'].text} against {other.printed['sensitivity'].text}"


def audit_exchanged(claims: Sequence[Claim], rows: Rows) -> list[Finding]:
    """A finding for two DeLong tests against the same model where the greater difference has the greater p value.

    It is made only where the implied correlations lie far apart, or one is negative.
    """
    findings = []
    tests = [claim for claim in claims if claim.kind == "delong" and claim.p is not None]
    for one, other in combinations(tests, 2):
        if (one.b, one.dataset) != (other.b, other.dataset):
            continue
        found = _exchanged(one, other, rows)
        if found is not None:
            findings.append(found)
    return findings


def _exchanged(one: Claim, other: Claim, rows: Rows) -> Finding | None:
    shared, first, second = (rows.get((name, one.dataset)) for name in (one.b, one.a, other.a))
    if shared is None or first is None or second is None or one.p is None or other.p is None:
        return None
    far = [
        abs(row.printed["auc"].value - shared.printed["auc"].value) for row in (first, second) if "auc" in row.printed
    ]
    if len(far) < 2 or (far[0] - far[1]) * (one.p.high - other.p.high) <= 0 or one.p.meets(other.p.low, other.p.high):
        return None
    as_printed = correlation_range(first, shared, one.p), correlation_range(second, shared, other.p)
    exchanged = correlation_range(first, shared, other.p), correlation_range(second, shared, one.p)
    known = [limits for limits in (*as_printed, *exchanged) if limits is not None]
    if len(known) < 4:
        return None
    gap = max(known[0][0] - known[1][1], known[1][0] - known[0][1])
    if gap < GAP and min(known[0][1], known[1][1]) >= NEGATIVE:
        return None
    message = (
        f"{first.model} (AUC {first.printed['auc'].text}, p {one.p.text}) and {second.model} (AUC "
        f"{second.printed['auc'].text}, p {other.p.text}) against {shared.model}: the greater difference has the "
        f"greater p. As printed the AUCs correlate by {_range_words(known[0], one.p)} and "
        f"{_range_words(known[1], other.p)}; exchanged, by {_range_words(known[2], other.p)} and "
        f"{_range_words(known[3], one.p)}."
    )
    return one.says("order of p values", "unusual", message, cells=("p",), exchanged=[list(known[2]), list(known[3])])


def mcnemar_p(only_one: int, only_other: int) -> dict[str, float]:
    """McNemar's p from the two discordant counts: exact, and as chi-square with and without correction.

    >>> round(mcnemar_p(5, 18)["exact"], 4)
    0.0106
    """
    exact = exact_mcnemar_p(only_one, only_other)
    if only_one + only_other == 0:
        return {"exact": exact}
    return {
        "exact": exact,
        "chi-square": mcnemar_chi_square(only_one, only_other, correction=0)[1],
        "corrected chi-square": mcnemar_chi_square(only_one, only_other)[1],
    }


def _overlaps(least: int, greatest: int) -> list[int]:
    """Every overlap, or where they are very many as many as `MOST_OVERLAPS`, both ends among them."""
    step = max(1, (greatest - least) // MOST_OVERLAPS)
    return sorted({*range(least, greatest + 1, step), greatest})


def audit_mcnemar(claim: Claim) -> Finding:
    """The finding on McNemar's p, from the errors of two readings of the same patients at every possible overlap."""
    check = "McNemar's test"
    one, other, n = (int(number.value) for number in claim.values[0])
    overlaps = _overlaps(max(0, one + other - n), min(one, other))
    by_overlap = {shared: mcnemar_p(one - shared, other - shared) for shared in overlaps}
    exact = [values["exact"] for values in by_overlap.values()]
    span = f"exact p is {min(exact):.3g} to {max(exact):.3g} over the possible overlaps of {one} and {other} errors"
    details: dict[str, Any] = {"exact_p": exact}
    if claim.p is None:
        return claim.says(check, "unchecked", f"no p value is printed; {span}.", **details)
    fitting = [shared for shared, values in by_overlap.items() if any(claim.p.meets(p) for p in values.values())]
    if not fitting:
        return claim.says(check, "differs", f"p {claim.p.text} fits no overlap; {span}.", cells=("p",), **details)
    every = "every overlap" if len(fitting) == len(by_overlap) else f"{len(fitting)} of {len(by_overlap)} overlaps"
    return claim.says(check, "agrees", f"p {claim.p.text} holds for {every}; {span}.", overlaps=fitting, **details)
