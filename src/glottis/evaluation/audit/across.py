"""What several printed rows say of each other: the same value twice, the same patients, the best model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from glottis.evaluation.audit.finding import Finding, Verdict, listed
from glottis.evaluation.audit.printed import SLACK, Printed
from glottis.evaluation.audit.rows import METRICS, NAMES, Claim, MetricRow
from glottis.evaluation.audit.tables import Counted


def audit_repeats(rows: Sequence[MetricRow]) -> list[Finding]:
    """A finding for each value of one model on one set that is printed differently in two sources."""
    findings = []
    for group in _groups(rows):
        for metric in ("auc", *METRICS):
            having = [row for row in group if metric in row.printed]
            overlaps = [
                _overlap(earlier.printed[metric], later.printed[metric])
                for position, later in enumerate(having)
                for earlier in having[:position]
                if earlier.source != later.source
            ]
            if overlaps and min(overlaps) < SLACK:
                findings.append(_repeat(metric, having, rows, in_last_digit=min(overlaps) > -SLACK))
    return findings


def _overlap(one: Printed, other: Printed) -> float:
    """The length of the range of numbers that print as both; 0 for neighbours, negative for others."""
    return min(one.high, other.high) - max(one.low, other.low)


def _groups(rows: Iterable[MetricRow]) -> list[list[MetricRow]]:
    found: dict[tuple[str, str], list[MetricRow]] = defaultdict(list)
    for row in rows:
        found[(row.model.casefold(), row.dataset.casefold())].append(row)
    return [group for group in found.values() if len(group) > 1]


def _repeat(metric: str, having: list[MetricRow], rows: Sequence[MetricRow], *, in_last_digit: bool) -> Finding:
    shown = listed([f"{row.printed[metric].text} ({row.source or 'without source'})" for row in having])
    message = f"{NAMES[metric]} of one model on one set is printed as {shown}.{_owner(metric, having, rows)}"
    values = {row.source: row.printed[metric].value for row in having}
    verdict: Verdict = "unusual" if in_last_digit else "differs"
    return having[0].says("repeated value", verdict, message, cells=(metric,), values=values)


def _owner(metric: str, having: list[MetricRow], rows: Sequence[MetricRow]) -> str:
    """Whose value the odd one out is, where another model on the same set has it."""
    texts = [row.printed[metric] for row in having]
    for row in having:
        own = row.printed[metric]
        if sum(_overlap(own, other) > SLACK for other in texts) > 1:
            continue
        for other_row in rows:
            same_set = other_row.dataset == row.dataset and other_row.model != row.model
            if same_set and metric in other_row.printed and other_row.printed[metric].value == own.value:
                return f" {own.text} is also the value of {other_row.model}."
    return ""


def audit_splits(counted: Sequence[Counted]) -> list[Finding]:
    """A finding for each set of patients whose rows, each sound in itself, imply different class sizes."""
    findings = []
    by_set: dict[tuple[str, int | None], list[Counted]] = defaultdict(list)
    for one in counted:
        if one.splits:
            by_set[(one.row.dataset, one.row.total)].append(one)
    for (dataset, total), every in by_set.items():
        stated = [one for one in every if one.finding.verdict == "agrees" and one.row.sizes]
        group = stated or every  # rows that fit their stated sizes say nothing new
        shared = frozenset.intersection(*(one.splits for one in group if one.splits))
        if shared or len(group) < 2:
            continue
        implied = {one.row.model: sorted(split[0] for split in one.splits or ()) for one in group}
        shown = listed([f"{model} {_few(positives)}" for model, positives in implied.items()])
        message = f"the rows of these {total} patients imply different numbers with the outcome: {shown}."
        findings.append(
            Finding(
                row="all rows", dataset=dataset, check="same patients", verdict="differs", message=message,
                cells=("n_positive",), details={"n_positive": implied},
            )
        )  # fmt: skip
    return findings


def _few(numbers: list[int]) -> str:
    return listed([str(number) for number in numbers], "or") if len(numbers) < 4 else f"{numbers[0]} to {numbers[-1]}"


def audit_best(claim: Claim, rows: Sequence[MetricRow]) -> Finding:
    """The finding on a model that is called best: no other row of its source and set has a higher AUC."""
    check = "best model"
    compared = [
        row for row in rows if row.dataset == claim.dataset and row.source == claim.source and "auc" in row.printed
    ]
    own = next((row for row in compared if row.model == claim.a), None)
    if own is None:
        return claim.says(
            check, "unchecked", f"no row of '{claim.a}' in set '{claim.dataset}', source '{claim.source}'."
        )
    higher = [row for row in compared if row.printed["auc"].low > own.printed["auc"].high]
    if not higher:
        return claim.says(check, "agrees", f"no model has a higher AUC than {claim.a} ({own.printed['auc'].text}).")
    shown = listed([f"{row.model} ({row.printed['auc'].text})" for row in higher])
    message = (
        f"{claim.a} is called best, with an AUC of {own.printed['auc'].text}; {shown} {_has(higher)} a higher one."
    )
    return claim.says(check, "unusual", message, cells=("auc",), higher=[row.model for row in higher])


def _has(rows: list[MetricRow]) -> str:
    return "has" if len(rows) == 1 else "have"
