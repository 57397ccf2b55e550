"""Which method printed the confidence interval of a proportion."""

from __future__ import annotations

from collections.abc import Sequence

from glottis.evaluation.audit.counts import Table2x2
from glottis.evaluation.audit.finding import Finding, listed
from glottis.evaluation.audit.rows import NAMES, MetricRow, Pair
from glottis.evaluation.proportion import METHODS, limits_of_proportion


def methods_that_fit(pair: Pair, count: int, total: int, level: float) -> tuple[str, ...]:
    """The methods that print these limits."""
    if total == 0:
        return ()
    return tuple(
        method
        for method in METHODS
        if all(
            number.meets(limit)
            for number, limit in zip(pair, limits_of_proportion(count, total, method, level), strict=True)
        )
    )


def audit_proportions(row: MetricRow, tables: Sequence[Table2x2], *, complete: bool = True) -> list[Finding]:
    """One finding for each printed interval of a metric, given the 2x2 tables that the row may stand for.

    Args:
        row: printed metrics and limits.
        tables: those that print the row, or the nearest one.
        complete: there are no others.
    """
    return [
        _audit_one(row, metric, tables, complete=complete)
        for metric in row.intervals
        if metric in row.counted and metric != "f1"
    ]  # fmt: skip


def _audit_one(row: MetricRow, metric: str, tables: Sequence[Table2x2], *, complete: bool) -> Finding:
    check, pair = f"{NAMES[metric]} interval", row.intervals[metric]
    shown = f"{pair[0].text} to {pair[1].text}"
    if not pair[0].low <= row.printed[metric].high or not row.printed[metric].low <= pair[1].high:
        message = f"{row.printed[metric].text} lies outside its interval, {shown}."
        return row.says(check, "differs", message, cells=(f"{metric} interval",))
    fractions = sorted({_counts(table, metric) for table in tables})
    if not fractions:
        return row.says(check, "unchecked", f"no 2x2 table to compute {shown} from.")
    fitting = {method for counts in fractions for method in methods_that_fit(pair, *counts, row.level)}
    if fitting:
        named = [method for method in METHODS if method in fitting]
        return row.says(check, "agrees", f"{shown} is that of {listed(named, 'or')}.", methods=named)
    if not complete:
        return row.says(check, "unchecked", f"{shown} fits none of the tables found; there are others.")
    count, total = fractions[0]
    wilson = limits_of_proportion(count, total, "Wilson", row.level) if total else (0.0, 1.0)
    message = (
        f"none of {listed(METHODS)} gives {shown} for {count}/{total}; Wilson gives {pair[0].like(wilson[0])} to "
        f"{pair[1].like(wilson[1])}. A bootstrap, or other counts, might."
    )
    return row.says(check, "unusual", message, cells=(f"{metric} interval",), wilson=list(wilson))


def _counts(table: Table2x2, metric: str) -> tuple[int, int]:
    return {
        "sensitivity": (table.tp, table.tp + table.fn),
        "specificity": (table.tn, table.tn + table.fp),
        "ppv": (table.tp, table.tp + table.fp),
        "npv": (table.tn, table.tn + table.fn),
        "accuracy": (table.tp + table.tn, sum(table.sizes)),
    }[metric]
