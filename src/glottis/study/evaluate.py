"""From the ledger to every number of the report.

A model's entry in ``results.json`` holds its size and, for each set, discrimination, the metrics at the training
threshold, calibration and the ROC curve. Held-out sets get intervals. Out-of-fold scores (the training set's, and
those of a cross-validated study) get the mean over folds and the spread over repeats, since they share training rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glottis.evaluation import calibration, confusion_metrics, cross_validated_auc, decision_curve, roc_auc, roc_curve
from glottis.study.split import CROSS_VALIDATION, EXTERNAL, INTERNAL, TRAINING

SETS = (TRAINING, INTERNAL, EXTERNAL, CROSS_VALIDATION)
METRICS = ("accuracy", "sensitivity", "specificity", "ppv", "npv", "f1")
THRESHOLDS = np.linspace(0.02, 0.98, 49)
"""Of the decision curves."""
ROC_GRID = np.linspace(0, 1, 101)


def evaluate_model(rows: pd.DataFrame, *, recalibrated: bool, test_share: float | None = None) -> dict[str, Any]:
    """Every set of one model.

    Args:
        rows: of the ledger, one model in one mode.
        recalibrated: whether its scores count as probabilities; a forest's that went through no recalibration do not
            and are not checked as such.
        test_share: test over training size of repeated splits; ``None`` elsewhere.

    Returns:
        The results by name of the set; a set without both classes (patients may lack a sequence) is left out.
    """
    found = [name for name in SETS if rows.loc[rows["set"] == name, "y_true"].nunique() == 2]
    return {
        name: _cross_validated(rows[rows["set"] == name], test_share if name == CROSS_VALIDATION else None)
        if name in (TRAINING, CROSS_VALIDATION)
        else _held_out(rows[rows["set"] == name], recalibrated=recalibrated)
        for name in found
    }


def _held_out(rows: pd.DataFrame, *, recalibrated: bool) -> dict[str, Any]:
    truth, score = rows["y_true"].to_numpy(dtype=int), rows["y_score"].to_numpy(dtype=float)
    threshold = float(rows["threshold"].iloc[0])
    metrics = confusion_metrics(truth, score, threshold)
    curve = roc_curve(truth, score)
    return {
        **_size(rows),
        "auc": roc_auc(truth, score).to_dict(),
        "metrics": {name: getattr(metrics, name).to_dict() for name in METRICS},
        "confusion": {name: getattr(metrics, name) for name in ("tp", "fp", "fn", "tn")},
        "threshold": threshold,
        "calibration": calibration(truth, score).to_dict() if recalibrated else None,
        "calibration_note": "" if recalibrated else "The scores were not recalibrated: they are no probabilities.",
        "decision": decision_curve(truth, score, thresholds=THRESHOLDS).to_dict() if recalibrated else None,
        "roc": {"fpr": curve.false_positive_rate.tolist(), "tpr": curve.sensitivity.tolist()},
    }


def _cross_validated(rows: pd.DataFrame, test_share: float | None) -> dict[str, Any]:
    truth, score = rows["y_true"].to_numpy(dtype=int), rows["y_score"].to_numpy(dtype=float)
    places = rows["repeat"].to_numpy(), rows["fold"].to_numpy()
    result = cross_validated_auc(truth, score, *places, test_share=test_share)
    counts = [_counts(part) for _, part in rows.groupby("repeat", sort=True)]
    return {
        **_size(rows.drop_duplicates("patient")),
        "auc": result.to_dict(),
        "metrics": {name: _spread([_metric(c, name) for c in counts]) for name in METRICS},
        "confusion": {name: float(np.mean([c[name] for c in counts])) for name in ("tp", "fp", "fn", "tn")},
        "threshold": None,
        "calibration": None,
        "calibration_note": "Scores of different folds come from different models: no calibration is shown.",
        "decision": None,
        "roc": _mean_roc(rows),
    }


def _size(rows: pd.DataFrame) -> dict[str, int]:
    return {"n": len(rows), "n_positive": int(rows["y_true"].sum())}


def _counts(rows: pd.DataFrame) -> dict[str, int]:
    """The 2x2 table of one repeat, each row at its own fold's threshold."""
    truth = rows["y_true"].to_numpy(dtype=bool)
    called = rows["y_score"].to_numpy(dtype=float) >= rows["threshold"].to_numpy(dtype=float)
    return {
        "tp": int((called & truth).sum()),
        "fp": int((called & ~truth).sum()),
        "fn": int((~called & truth).sum()),
        "tn": int((~called & ~truth).sum()),
    }


def _metric(counts: dict[str, int], name: str) -> float | None:
    tp, fp, fn, tn = (counts[key] for key in ("tp", "fp", "fn", "tn"))
    part, whole = {
        "accuracy": (tp + tn, tp + fp + fn + tn),
        "sensitivity": (tp, tp + fn),
        "specificity": (tn, tn + fp),
        "ppv": (tp, tp + fp),
        "npv": (tn, tn + fn),
        "f1": (2 * tp, 2 * tp + fp + fn),
    }[name]
    return part / whole if whole else None


def _spread(values: Sequence[float | None]) -> dict[str, Any]:
    """Mean and standard deviation over repeats; a metric that is undefined in a repeat is said to be so."""
    known = [value for value in values if value is not None]
    undefined = len(values) - len(known)
    return {
        "value": float(np.mean(known)) if known else None,
        "sd": float(np.std(known, ddof=1)) if len(known) > 1 else None,
        "note": f"undefined (0/0) in {undefined} of {len(values)} repeats" if undefined else "",
    }


def _mean_roc(rows: pd.DataFrame) -> dict[str, list[float]]:
    """Mean sensitivity over folds on a grid of 1 - specificity, with the range of the repeats' means.

    Scores of different folds come from different models and are never pooled.
    """
    by_repeat = [np.mean(_fold_curves(part), axis=0) for _, part in rows.groupby("repeat", sort=True)]
    return {
        "fpr": ROC_GRID.tolist(),
        "tpr": np.mean(by_repeat, axis=0).tolist(),
        "tpr_low": np.min(by_repeat, axis=0).tolist(),
        "tpr_high": np.max(by_repeat, axis=0).tolist(),
    }


def _fold_curves(rows: pd.DataFrame) -> list[NDArray[np.float64]]:
    curves = []
    for _, part in rows.groupby("fold", sort=True):
        if part["y_true"].nunique() == 2:
            curve = roc_curve(part["y_true"].to_numpy(dtype=int), part["y_score"].to_numpy(dtype=float))
            curves.append(np.interp(ROC_GRID, curve.false_positive_rate, curve.sensitivity))
    return curves
