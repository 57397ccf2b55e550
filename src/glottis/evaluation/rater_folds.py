"""One rater in cross-validation: the mean over folds and the spread over repeats, never pooled over folds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from glottis.evaluation.confusion import metrics_of_table
from glottis.evaluation.cross_validated import CrossValidatedAUC, cross_validated_auc
from glottis.evaluation.interval import plain

METRICS = ("accuracy", "sensitivity", "specificity", "ppv", "npv", "f1")
FOLDED = (
    "Scores of several folds come from several models: the AUC is the mean over folds with an approximate interval "
    "(Nadeau and Bengio). No DeLong test, calibration or decision curve is made from pooled scores."
)


@dataclass(frozen=True, kw_only=True)
class FoldedMetric:
    """Mean over the repeats and its spread; None where a repeat has 0/0, or there is one repeat."""

    name: str
    mean: float | None
    sd: float | None


@dataclass(frozen=True, kw_only=True)
class RaterFolds:
    """One rater in cross-validation.

    Attributes:
        n: patients.
        n_positive: of them, of class 1.
        auc: mean over folds.
        metrics: at the folds' own cut-offs, over the repeats; empty without cut-offs.
        notes: what was not done, and why.
    """

    n: int
    n_positive: int
    auc: CrossValidatedAUC
    metrics: tuple[FoldedMetric, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self)) | {"auc": self.auc.to_dict()}


def rate_folds(rows: pd.DataFrame, threshold: float | None, level: float) -> RaterFolds:
    """Evaluate one rater in cross-validation.

    Args:
        rows: the rater's rows: patient, repeat, fold, y_true, y_score, threshold.
        threshold: one for all folds; None takes each row's own.
        level: confidence level.
    """
    truth = rows["y_true"].to_numpy(dtype=int)
    own = rows["threshold"].to_numpy(dtype=float) if threshold is None else np.full(truth.size, threshold)
    patients = rows.drop_duplicates("patient")
    return RaterFolds(
        n=len(patients),
        n_positive=int(patients["y_true"].sum()),
        auc=cross_validated_auc(
            truth,
            rows["y_score"].to_numpy(dtype=float),
            rows["repeat"].to_numpy(),
            rows["fold"].to_numpy(),
            level=level,
        ),
        metrics=() if np.isnan(own).any() else _over_repeats(rows.assign(threshold=own)),
        notes=("No sensitivity or specificity: no threshold was given.",) if np.isnan(own).any() else (),
    )


def _over_repeats(rows: pd.DataFrame) -> tuple[FoldedMetric, ...]:
    found = []
    for _, part in rows.groupby("repeat", sort=True):
        truth = part["y_true"].to_numpy(dtype=bool)
        called = part["y_score"].to_numpy(dtype=float) >= part["threshold"].to_numpy(dtype=float)
        counts = [(called & truth), (called & ~truth), (~called & truth), (~called & ~truth)]
        found.append(metrics_of_table(*(int(cell.sum()) for cell in counts)))
    result = []
    for name in METRICS:
        values = [getattr(metrics, name).value for metrics in found]
        whole = all(value is not None for value in values)
        mean = float(np.mean(values)) if whole else None
        sd = float(np.std(values, ddof=1)) if whole and len(values) > 1 else None
        result.append(FoldedMetric(name=name, mean=mean, sd=sd))
    return tuple(result)
