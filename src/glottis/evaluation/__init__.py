"""Evaluation: arrays in, frozen results out; every number of a report is made here, once."""

from glottis.evaluation.agreement import ICC, icc
from glottis.evaluation.calibration import Calibration, calibration
from glottis.evaluation.confusion import ConfusionMetrics, confusion_metrics
from glottis.evaluation.cross_validated import CrossValidatedAUC, cross_validated_auc
from glottis.evaluation.discrimination import AUC, RocCurve, roc_auc, roc_curve
from glottis.evaluation.interval import Interval
from glottis.evaluation.multiplicity import benjamini_hochberg, holm
from glottis.evaluation.thresholds import Threshold, youden_threshold

__all__ = [
    "AUC",
    "ICC",
    "Calibration",
    "ConfusionMetrics",
    "CrossValidatedAUC",
    "Interval",
    "RocCurve",
    "Threshold",
    "benjamini_hochberg",
    "calibration",
    "confusion_metrics",
    "cross_validated_auc",
    "holm",
    "icc",
    "roc_auc",
    "roc_curve",
    "youden_threshold",
]
