"""Evaluation: arrays in, frozen results out; every number of a report is made here, once."""

from glottis.evaluation.agreement import ICC, icc
from glottis.evaluation.calibration import Calibration, calibration
from glottis.evaluation.discrimination import (
    AUC,
    ConfusionMetrics,
    CrossValidatedAUC,
    RocCurve,
    Threshold,
    confusion_metrics,
    cross_validated_auc,
    roc_auc,
    roc_curve,
    youden_threshold,
)
from glottis.evaluation.interval import Interval

__all__ = [
    "AUC",
    "ICC",
    "Calibration",
    "ConfusionMetrics",
    "CrossValidatedAUC",
    "Interval",
    "RocCurve",
    "Threshold",
    "calibration",
    "confusion_metrics",
    "cross_validated_auc",
    "icc",
    "roc_auc",
    "roc_curve",
    "youden_threshold",
]
