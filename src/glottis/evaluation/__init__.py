"""Evaluation: arrays in, frozen results out; every number of a report is made here, once."""

from glottis.evaluation.agreement import ICC, icc
from glottis.evaluation.bootstrap import PartialAUC, bootstrap_ci, partial_auc
from glottis.evaluation.calibration import Calibration, calibration
from glottis.evaluation.comparison import DelongMatrix, DelongTest, delong_matrix, delong_test
from glottis.evaluation.confusion import ConfusionMetrics, confusion_metrics, metrics_of_table
from glottis.evaluation.cross_validated import CrossValidatedAUC, cross_validated_auc
from glottis.evaluation.discrimination import AUC, RocCurve, hanley_mcneil_ci, hanley_mcneil_se, roc_auc, roc_curve
from glottis.evaluation.interval import Interval
from glottis.evaluation.mcnemar import McNemar, mcnemar_test
from glottis.evaluation.multiplicity import benjamini_hochberg, holm
from glottis.evaluation.precision_recall import PrecisionRecall, precision_recall
from glottis.evaluation.prevalence import PredictiveValues, predictive_values
from glottis.evaluation.reclassification import (
    IntegratedDiscrimination,
    Reclassification,
    integrated_discrimination,
    net_reclassification,
)
from glottis.evaluation.thresholds import Threshold, sensitivity_threshold, youden_threshold

__all__ = [
    "AUC",
    "ICC",
    "Calibration",
    "ConfusionMetrics",
    "CrossValidatedAUC",
    "DelongMatrix",
    "DelongTest",
    "IntegratedDiscrimination",
    "Interval",
    "McNemar",
    "PartialAUC",
    "PrecisionRecall",
    "PredictiveValues",
    "Reclassification",
    "RocCurve",
    "Threshold",
    "benjamini_hochberg",
    "bootstrap_ci",
    "calibration",
    "confusion_metrics",
    "cross_validated_auc",
    "delong_matrix",
    "delong_test",
    "hanley_mcneil_ci",
    "hanley_mcneil_se",
    "holm",
    "icc",
    "integrated_discrimination",
    "mcnemar_test",
    "metrics_of_table",
    "net_reclassification",
    "partial_auc",
    "precision_recall",
    "predictive_values",
    "roc_auc",
    "roc_curve",
    "sensitivity_threshold",
    "youden_threshold",
]
