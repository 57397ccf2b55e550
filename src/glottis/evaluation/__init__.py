"""Evaluation: arrays in, frozen results out; every number of a report is made here, once."""

from glottis.evaluation.agreement import ICC, icc
from glottis.evaluation.bland_altman import BlandAltman, bland_altman
from glottis.evaluation.bootstrap import PartialAUC, bootstrap_ci, partial_auc
from glottis.evaluation.calibration import Calibration, calibration
from glottis.evaluation.comparison import DelongMatrix, DelongTest, delong_matrix, delong_test
from glottis.evaluation.confusion import ConfusionMetrics, confusion_metrics, metrics_of_table
from glottis.evaluation.cross_validated import CrossValidatedAUC, cross_validated_auc
from glottis.evaluation.decision import DecisionCurve, decision_curve, survival_decision_curve
from glottis.evaluation.discrimination import AUC, hanley_mcneil_ci, hanley_mcneil_se, roc_auc
from glottis.evaluation.goodness_of_fit import HosmerLemeshow, Spiegelhalter, hosmer_lemeshow, spiegelhalter
from glottis.evaluation.interval import Interval
from glottis.evaluation.kappa import Kappa, cohen_kappa, fleiss_kappa
from glottis.evaluation.mcnemar import McNemar, mcnemar_test
from glottis.evaluation.multiplicity import benjamini_hochberg, holm
from glottis.evaluation.optimism import Corrected, Optimism, optimism
from glottis.evaluation.precision_recall import PrecisionRecall, precision_recall
from glottis.evaluation.prevalence import PredictiveValues, predictive_values
from glottis.evaluation.recalibration import InterceptUpdate, update_intercept
from glottis.evaluation.reclassification import (
    IntegratedDiscrimination,
    Reclassification,
    integrated_discrimination,
    net_reclassification,
)
from glottis.evaluation.roc import RocCurve, roc_curve
from glottis.evaluation.subgroups import GroupPerformance, Heterogeneity, Subgroups, performance_by_group
from glottis.evaluation.thresholds import Threshold, sensitivity_threshold, youden_threshold

__all__ = [
    "AUC",
    "ICC",
    "BlandAltman",
    "Calibration",
    "ConfusionMetrics",
    "Corrected",
    "CrossValidatedAUC",
    "DecisionCurve",
    "DelongMatrix",
    "DelongTest",
    "GroupPerformance",
    "Heterogeneity",
    "HosmerLemeshow",
    "IntegratedDiscrimination",
    "InterceptUpdate",
    "Interval",
    "Kappa",
    "McNemar",
    "Optimism",
    "PartialAUC",
    "PrecisionRecall",
    "PredictiveValues",
    "Reclassification",
    "RocCurve",
    "Spiegelhalter",
    "Subgroups",
    "Threshold",
    "benjamini_hochberg",
    "bland_altman",
    "bootstrap_ci",
    "calibration",
    "cohen_kappa",
    "confusion_metrics",
    "cross_validated_auc",
    "decision_curve",
    "delong_matrix",
    "delong_test",
    "fleiss_kappa",
    "hanley_mcneil_ci",
    "hanley_mcneil_se",
    "holm",
    "hosmer_lemeshow",
    "icc",
    "integrated_discrimination",
    "mcnemar_test",
    "metrics_of_table",
    "net_reclassification",
    "optimism",
    "partial_auc",
    "performance_by_group",
    "precision_recall",
    "predictive_values",
    "roc_auc",
    "roc_curve",
    "sensitivity_threshold",
    "spiegelhalter",
    "survival_decision_curve",
    "update_intercept",
    "youden_threshold",
]
