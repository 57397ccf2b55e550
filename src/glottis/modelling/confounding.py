"""Whether batch (centre, scanner) and outcome go together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from glottis.evaluation.group_tests import GroupTest, compare_counts
from glottis.evaluation.interval import plain

LEVEL = 0.05
STRONG = 0.3
MOST_LEVELS = 10


@dataclass(frozen=True, kw_only=True)
class Tangled:
    """Whether batch and outcome go together.

    Attributes:
        batches: names of the table's rows.
        outcomes: names of its columns.
        counts: (batches, outcomes) patients.
        test: chi-square, or Fisher's exact where a cell expects fewer than five.
        cramers_v: 0 none, 1 the batch tells the outcome.
        warning: a sentence for the report; empty where nothing speaks for it.
    """

    batches: tuple[str, ...]
    outcomes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    test: GroupTest
    cramers_v: float
    warning: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


def tangled(batch: ArrayLike, outcome: ArrayLike) -> Tangled:
    """Whether batch and outcome are associated, so that a correction of one takes from the other.

    It warns where p < .05, and where Cramer's V reaches 0.3 with too few patients to tell.

    Args:
        batch: (n,) batch of each patient.
        outcome: (n,) classes of the outcome; for survival give the event.

    Raises:
        ValueError: unequal lengths, a missing value, one batch or one class, or an outcome that is no classes.

    >>> tangled(["one"] * 20 + ["two"] * 20, [0] * 15 + [1] * 5 + [0] * 5 + [1] * 15).cramers_v
    0.5
    """
    table = _cross_table(pd.Series(np.asarray(batch)), pd.Series(np.asarray(outcome)))
    counts = table.to_numpy()
    test = compare_counts(counts)
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    chi_square = float(((counts - expected) ** 2 / expected).sum())
    v = math.sqrt(chi_square / (counts.sum() * (min(counts.shape) - 1)))
    return Tangled(
        batches=tuple(map(str, table.index)),
        outcomes=tuple(map(str, table.columns)),
        counts=tuple(tuple(int(cell) for cell in row) for row in counts),
        test=test,
        cramers_v=v,
        warning=_warning(table, test, v),
    )


def _cross_table(batch: pd.Series[Any], outcome: pd.Series[Any]) -> pd.DataFrame:
    if batch.shape != outcome.shape or batch.isna().any() or outcome.isna().any():
        message = (
            f"Batch and outcome need one value a patient; got {len(batch)} and {len(outcome)}, of which "
            f"{int(batch.isna().sum() + outcome.isna().sum())} missing: leave out patients without either."
        )
        raise ValueError(message)
    table = pd.crosstab(batch, outcome)
    if min(table.shape) < 2 or table.shape[1] > MOST_LEVELS:
        message = (
            f"Two batches and 2 to {MOST_LEVELS} classes of the outcome are needed; got {table.shape[0]} and "
            f"{table.shape[1]}: check the columns, and give the event for survival."
        )
        raise ValueError(message)
    return table


def _warning(table: pd.DataFrame, test: GroupTest, v: float) -> str:
    shares = table.div(table.sum(axis=1), axis=0).iloc[:, -1]
    said = (
        f"{table.columns[-1]} is the outcome of {shares.min():.0%} in {shares.idxmin()} and of {shares.max():.0%} in "
        f"{shares.idxmax()} (Cramer's V {v:.2f}, {test.name} p = {test.p_value:.3g})"
    )
    if test.p_value is not None and test.p_value < LEVEL:
        return (
            f"Batch and outcome are tangled: {said}; harmonisation may take signal with the batch, and a model may "
            "read the batch in place of the disease: judge it within each batch."
        )
    return f"Batch and outcome may be tangled, with too few patients to tell: {said}." if v >= STRONG else ""
