"""Evaluation: arrays in, frozen results out; every number of a report is made here, once.

Every result speaks the same few words, and so does its ``to_dict()``:

- ``value``: the estimate, a number; None where it is undefined. ``interval``: the same with its limits. A result with
  several estimates gives each as an `Interval` under its name, such as ``slope`` or ``sensitivity``.
- ``low``, ``high``, ``level``, ``method``: the limits, their confidence level and how they were made; ``se``.
- ``statistic``, ``df``, ``p_value``: of the test; two-sided, not adjusted. ``p_holm`` is adjusted after Holm.
- ``n``: patients; ``n_positive`` and ``n_negative`` by outcome, ``n_events`` in survival, ``n_left_out`` not used.
- ``threshold``: positive at or above it. ``at``: the time, in survival.
- ``note``: why something is None, or what to bear in mind; empty otherwise.

Arguments come in the order ``y_true, y_score`` or ``time, event, risk``; what has a default is given by name. Options
that are words (``"clopper-pearson"``, ``"mann-whitney"``) are lower case with hyphens, save the names of ICC forms.
What cannot be used is refused with a `StatisticsError`, which is a ``ValueError``.

The names here are loaded on first use, so that a module that needs one of them does not wait for all.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from glottis.evaluation.agreement import ICC, icc
    from glottis.evaluation.baseline_survival import BaselineSurvival, baseline_survival
    from glottis.evaluation.bland_altman import BlandAltman, bland_altman
    from glottis.evaluation.bootstrap import PartialAUC, bootstrap_ci, partial_auc
    from glottis.evaluation.calibration import Calibration, calibration
    from glottis.evaluation.comparison import DelongMatrix, DelongTest, delong_matrix, delong_test
    from glottis.evaluation.concordance import Concordance, concordance_index
    from glottis.evaluation.confusion import ConfusionMetrics, confusion_metrics, metrics_of_table
    from glottis.evaluation.corrected_calibration import CorrectedCalibration, corrected_calibration
    from glottis.evaluation.cox import CoxRegression, cox_regression
    from glottis.evaluation.cross_validated import (
        CrossValidatedAUC,
        CrossValidatedDifference,
        cross_validated_auc,
        cross_validated_difference,
    )
    from glottis.evaluation.decision import DecisionCurve, decision_curve, survival_decision_curve
    from glottis.evaluation.descriptive import BaselineTable, baseline_table
    from glottis.evaluation.discrimination import AUC, hanley_mcneil_ci, hanley_mcneil_se, roc_auc
    from glottis.evaluation.goodness_of_fit import HosmerLemeshow, Spiegelhalter, hosmer_lemeshow, spiegelhalter
    from glottis.evaluation.interval import Interval
    from glottis.evaluation.kappa import Kappa, cohen_kappa, fleiss_kappa
    from glottis.evaluation.logistic import LogisticTable, logistic_table
    from glottis.evaluation.logrank import LogRank, logrank_test
    from glottis.evaluation.mcnemar import McNemar, mcnemar_test
    from glottis.evaluation.multiplicity import benjamini_hochberg, holm
    from glottis.evaluation.odds import OddsRatio, odds_ratio
    from glottis.evaluation.optimism import Corrected, Optimism, optimism
    from glottis.evaluation.permuted import PermutationImportance, PermutedColumns, permutation_importance
    from glottis.evaluation.planned_outcome import BinaryOutcome, SurvivalOutcome
    from glottis.evaluation.precision_recall import PrecisionRecall, precision_recall
    from glottis.evaluation.prevalence import PredictiveValues, predictive_values
    from glottis.evaluation.readers import ReaderStudy, obuchowski_rockette
    from glottis.evaluation.recalibration import InterceptUpdate, update_intercept
    from glottis.evaluation.reclassification import (
        IntegratedDiscrimination,
        Reclassification,
        integrated_discrimination,
        net_reclassification,
    )
    from glottis.evaluation.risk_groups import RiskCutoff, median_cutoff, survival_youden_cutoff
    from glottis.evaluation.roc import RocCurve, roc_curve
    from glottis.evaluation.sample_size import SampleSize, sample_size
    from glottis.evaluation.stability import Stability, selection_stability
    from glottis.evaluation.subgroups import GroupPerformance, Heterogeneity, Subgroups, performance_by_group
    from glottis.evaluation.survival import KaplanMeier, kaplan_meier
    from glottis.evaluation.survival_subgroups import SurvivalGroup, SurvivalSubgroups, survival_by_group
    from glottis.evaluation.thresholds import Threshold, sensitivity_threshold, youden_threshold
    from glottis.evaluation.time_auc import TimeDependentAUC, time_dependent_auc

_NAMES = {
    "agreement": "ICC icc",
    "baseline_survival": "BaselineSurvival baseline_survival",
    "bland_altman": "BlandAltman bland_altman",
    "bootstrap": "PartialAUC bootstrap_ci partial_auc",
    "calibration": "Calibration calibration",
    "comparison": "DelongMatrix DelongTest delong_matrix delong_test",
    "concordance": "Concordance concordance_index",
    "confusion": "ConfusionMetrics confusion_metrics metrics_of_table",
    "corrected_calibration": "CorrectedCalibration corrected_calibration",
    "cox": "CoxRegression cox_regression",
    "cross_validated": "CrossValidatedAUC CrossValidatedDifference cross_validated_auc cross_validated_difference",
    "decision": "DecisionCurve decision_curve survival_decision_curve",
    "descriptive": "BaselineTable baseline_table",
    "discrimination": "AUC hanley_mcneil_ci hanley_mcneil_se roc_auc",
    "goodness_of_fit": "HosmerLemeshow Spiegelhalter hosmer_lemeshow spiegelhalter",
    "interval": "Interval",
    "kappa": "Kappa cohen_kappa fleiss_kappa",
    "logistic": "LogisticTable logistic_table",
    "logrank": "LogRank logrank_test",
    "mcnemar": "McNemar mcnemar_test",
    "multiplicity": "benjamini_hochberg holm",
    "odds": "OddsRatio odds_ratio",
    "optimism": "Corrected Optimism optimism",
    "permuted": "PermutationImportance PermutedColumns permutation_importance",
    "planned_outcome": "BinaryOutcome SurvivalOutcome",
    "precision_recall": "PrecisionRecall precision_recall",
    "prevalence": "PredictiveValues predictive_values",
    "readers": "ReaderStudy obuchowski_rockette",
    "recalibration": "InterceptUpdate update_intercept",
    "reclassification": "IntegratedDiscrimination Reclassification integrated_discrimination net_reclassification",
    "risk_groups": "RiskCutoff median_cutoff survival_youden_cutoff",
    "roc": "RocCurve roc_curve",
    "sample_size": "SampleSize sample_size",
    "stability": "Stability selection_stability",
    "subgroups": "GroupPerformance Heterogeneity Subgroups performance_by_group",
    "survival": "KaplanMeier kaplan_meier",
    "survival_subgroups": "SurvivalGroup SurvivalSubgroups survival_by_group",
    "thresholds": "Threshold sensitivity_threshold youden_threshold",
    "time_auc": "TimeDependentAUC time_dependent_auc",
}
_HOMES = {name: f"{__name__}.{module}" for module, names in _NAMES.items() for name in names.split()}

__all__ = [
    "AUC",
    "ICC",
    "BaselineSurvival",
    "BaselineTable",
    "BinaryOutcome",
    "BlandAltman",
    "Calibration",
    "Concordance",
    "ConfusionMetrics",
    "Corrected",
    "CorrectedCalibration",
    "CoxRegression",
    "CrossValidatedAUC",
    "CrossValidatedDifference",
    "DecisionCurve",
    "DelongMatrix",
    "DelongTest",
    "GroupPerformance",
    "Heterogeneity",
    "HosmerLemeshow",
    "IntegratedDiscrimination",
    "InterceptUpdate",
    "Interval",
    "KaplanMeier",
    "Kappa",
    "LogRank",
    "LogisticTable",
    "McNemar",
    "OddsRatio",
    "Optimism",
    "PartialAUC",
    "PermutationImportance",
    "PermutedColumns",
    "PrecisionRecall",
    "PredictiveValues",
    "ReaderStudy",
    "Reclassification",
    "RiskCutoff",
    "RocCurve",
    "SampleSize",
    "Spiegelhalter",
    "Stability",
    "Subgroups",
    "SurvivalGroup",
    "SurvivalOutcome",
    "SurvivalSubgroups",
    "Threshold",
    "TimeDependentAUC",
    "baseline_survival",
    "baseline_table",
    "benjamini_hochberg",
    "bland_altman",
    "bootstrap_ci",
    "calibration",
    "cohen_kappa",
    "concordance_index",
    "confusion_metrics",
    "corrected_calibration",
    "cox_regression",
    "cross_validated_auc",
    "cross_validated_difference",
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
    "kaplan_meier",
    "logistic_table",
    "logrank_test",
    "mcnemar_test",
    "median_cutoff",
    "metrics_of_table",
    "net_reclassification",
    "obuchowski_rockette",
    "odds_ratio",
    "optimism",
    "partial_auc",
    "performance_by_group",
    "permutation_importance",
    "precision_recall",
    "predictive_values",
    "roc_auc",
    "roc_curve",
    "sample_size",
    "selection_stability",
    "sensitivity_threshold",
    "spiegelhalter",
    "survival_by_group",
    "survival_decision_curve",
    "survival_youden_cutoff",
    "time_dependent_auc",
    "update_intercept",
    "youden_threshold",
]


class _Package(ModuleType):
    """A package whose function ``calibration`` is not hidden by the module of that name once this is loaded."""

    def __setattr__(self, name: str, value: object) -> None:
        """Set an attribute, other than a module that has the name of a function."""
        if name not in _HOMES or not isinstance(value, ModuleType):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    message = f"module '{__name__}' has no attribute '{name}'"
    raise AttributeError(message)


def __dir__() -> list[str]:
    return sorted(__all__)
