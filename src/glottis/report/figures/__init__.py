"""Figures: those of a study's report, and the public ones, which draw any result of `glottis.evaluation`."""

from glottis.report.figures.corrected_calibration import corrected_calibration_figure
from glottis.report.figures.crops import crops_figures
from glottis.report.figures.curves import decision_figure, precision_recall_figure, roc_figure
from glottis.report.figures.delong import delong_figure
from glottis.report.figures.explanation import beeswarm_figure, importance_figure, shap_bars_figure
from glottis.report.figures.forest import forest_figure
from glottis.report.figures.gradcam import Overlay, gradcam_figures
from glottis.report.figures.grids import bland_altman_figure, calibration_figure, confusion_figure
from glottis.report.figures.lasso import lasso_figure
from glottis.report.figures.nomogram import nomogram_figure
from glottis.report.figures.permutation import permutation_figure
from glottis.report.figures.study import (
    auc_text,
    calibration_of_models,
    confusion_of_models,
    left_text,
    range_text,
    roc_of_models,
    roc_of_sets,
    selection_funnel,
)
from glottis.report.figures.survival import kaplan_meier_figure
from glottis.report.figures.waterfall import waterfall_figure
from glottis.report.style import save, styled

save_figure = styled()(save)

__all__ = [
    "Overlay",
    "auc_text",
    "beeswarm_figure",
    "bland_altman_figure",
    "calibration_figure",
    "calibration_of_models",
    "confusion_figure",
    "confusion_of_models",
    "corrected_calibration_figure",
    "crops_figures",
    "decision_figure",
    "delong_figure",
    "forest_figure",
    "gradcam_figures",
    "importance_figure",
    "kaplan_meier_figure",
    "lasso_figure",
    "left_text",
    "nomogram_figure",
    "permutation_figure",
    "precision_recall_figure",
    "range_text",
    "roc_figure",
    "roc_of_models",
    "roc_of_sets",
    "save_figure",
    "selection_funnel",
    "shap_bars_figure",
    "waterfall_figure",
]
