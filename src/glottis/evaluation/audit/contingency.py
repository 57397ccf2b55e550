"""Which test of a table of counts has printed its statistic and p value."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

from glottis.evaluation.audit.finding import Finding, listed
from glottis.evaluation.audit.rows import Claim
from glottis.evaluation.fisher import Counts, exact_fisher_p

CHI_SQUARE = "chi-square without correction"
YATES = "chi-square with Yates' correction"
LIKELIHOOD = "likelihood-ratio chi-square"
FISHER = "Fisher's exact test"
Results = dict[str, tuple[float | None, float]]


def results_of_counts(counts: Counts) -> Results:
    """Statistic and p of each test of an r x c table; Fisher's is absent where it would take too long.

    Args:
        counts: (r, c); empty rows and columns are left out.
    """
    kept = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    if min(kept.shape) < 2:
        return {}
    results: Results = {}
    for name, power, corrected in (
        (CHI_SQUARE, None, False),
        (YATES, None, True),
        (LIKELIHOOD, "log-likelihood", False),
    ):
        if corrected and kept.shape != (2, 2):
            continue
        statistic, p, *_ = stats.chi2_contingency(kept, correction=corrected, lambda_=power)
        results[name] = (float(statistic), float(p))
    exact = exact_fisher_p(kept)
    if exact is not None:
        results[FISHER] = (None, exact)
    return results


def audit_counts(claim: Claim) -> list[Finding]:
    """The finding on a p value printed beside counts, and one where the counts are of other patients than said."""
    check, counts = "test of counts", counts_of(claim)
    results = results_of_counts(counts)
    if claim.p is None and claim.statistic is None:
        return [claim.says(check, "unchecked", "no p value and no statistic is printed."), *audit_patients(claim)]
    fitting = [
        name
        for name, (statistic, p) in results.items()
        if (claim.p is None or claim.p.meets(p))
        and (claim.statistic is None or (statistic is not None and claim.statistic.meets(statistic)))
    ]
    shown = _shown(claim)
    details: dict[str, Any] = {"results": {name: list(result) for name, result in results.items()}, "tests": fitting}
    if fitting:
        verb = "are those of" if claim.statistic and claim.p else "is that of"
        return [
            claim.says(check, "agrees", f"{shown} {verb} {listed(fitting, 'or')}.", **details),
            *audit_patients(claim),
        ]
    computed = listed([f"{name} p = {p:.4g}" for name, (_, p) in results.items()])
    verb = "do" if claim.statistic and claim.p else "does"
    message = f"{shown} {verb} not follow from the counts: {computed or 'no test is possible'}."
    if FISHER not in results:
        message = f"{message} Fisher's exact test has too many tables to be recomputed here."
        return [claim.says(check, "unusual", message, cells=("p",), **details), *audit_patients(claim)]
    return [claim.says(check, "differs", message, cells=("p",), **details), *audit_patients(claim)]


def counts_of(claim: Claim) -> Counts:
    """The counts of a claim as an array."""
    return np.array([[int(number.value) for number in row] for row in claim.values], dtype=np.int64)


def audit_patients(claim: Claim) -> list[Finding]:
    """A finding where the counts do not sum to the patients that the number should come from."""
    total = int(counts_of(claim).sum()) if claim.values else 0
    if claim.n is None or not claim.values or total == claim.n:
        return []
    message = f"the counts sum to {total} patients, where {claim.n} are expected."
    return [claim.says("patients", "unusual", message, cells=("n",), counted=total, expected=claim.n)]


def _shown(claim: Claim) -> str:
    parts = [f"statistic {claim.statistic.text}" if claim.statistic else "", f"p {claim.p.text}" if claim.p else ""]
    return listed([part for part in parts if part])
