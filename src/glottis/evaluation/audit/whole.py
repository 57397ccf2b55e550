"""The audit of a paper's tables."""

from __future__ import annotations

from collections.abc import Sequence

from glottis.evaluation.audit.across import audit_best, audit_repeats, audit_splits
from glottis.evaluation.audit.areas import audit_area
from glottis.evaluation.audit.contingency import audit_counts
from glottis.evaluation.audit.finding import Audit, Finding
from glottis.evaluation.audit.means import audit_means
from glottis.evaluation.audit.paired import Rows, audit_delong, audit_exchanged, audit_mcnemar
from glottis.evaluation.audit.proportions import audit_proportions
from glottis.evaluation.audit.ratios import audit_directions, audit_ratio
from glottis.evaluation.audit.rows import Claim, MetricRow
from glottis.evaluation.audit.tables import Counted, count_row


def audit(rows: Sequence[MetricRow] = (), claims: Sequence[Claim] = ()) -> Audit:
    """Recompute what printed numbers allow to recompute, and say which cannot all be right.

    Each row of metrics gets the 2x2 tables that can have printed it, and a finding on each printed interval; each claim
    is recomputed; then rows are compared with each other. Numbers rounded half up, half to even or as floating-point
    numbers all count as right.

    Args:
        rows: printed rows of metrics.
        claims: printed results of tests.

    Returns:
        The findings: rows first, then claims, then what rows say of each other.

    >>> from glottis.evaluation.audit import MetricRow, Printed
    >>> row = {"sensitivity": "0.865", "specificity": "0.533", "ppv": "0.592"}
    >>> printed = {name: Printed.parse(text) for name, text in row.items()}
    >>> audit([MetricRow(model="CE+T1", n_positive=52, n_negative=45, printed=printed)]).findings[0].cells
    ('ppv',)
    """
    findings: list[Finding] = []
    counted: list[Counted] = []
    for row in rows:
        counted.append(count_row(row))
        findings += _of_row(counted[-1])
    named: dict[tuple[str, str], MetricRow] = {}
    for row in sorted(rows, key=lambda row: "auc" not in row.intervals):
        named.setdefault((row.model, row.dataset), row)
    for claim in claims:
        findings += _of_claim(claim, rows, named)
    findings += audit_splits(counted)
    findings += audit_repeats(rows)
    findings += audit_directions(claims)
    findings += audit_exchanged(claims, named)
    return Audit(findings=tuple(findings))


def _of_row(counted: Counted) -> list[Finding]:
    area = audit_area(counted.row, counted.tables, counted.implied)
    proportions = audit_proportions(counted.row, counted.tables, complete=counted.complete)
    counts = [counted.finding] if counted.row.counted or area is None else []
    return [*counts, *([area] if area else []), *proportions]


def _of_claim(claim: Claim, rows: Sequence[MetricRow], named: Rows) -> list[Finding]:
    if claim.kind == "counts":
        return audit_counts(claim)
    if claim.kind == "means":
        return [audit_means(claim)]
    if claim.kind in ("odds_ratio", "hazard_ratio"):
        return audit_ratio(claim)
    if claim.kind == "delong":
        return audit_delong(claim, named)
    if claim.kind == "mcnemar":
        return [audit_mcnemar(claim)]
    return [audit_best(claim, rows)]
