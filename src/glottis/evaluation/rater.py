"""One rater (model, marker, reader) on the patients of one set: everything that can be said of it alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from glottis.data.ratings import Paired
from glottis.evaluation.calibration import Calibration, calibration
from glottis.evaluation.confusion import ConfusionMetrics, confusion_metrics
from glottis.evaluation.cutoffs import Cutoff
from glottis.evaluation.decision import DecisionCurve, decision_curve
from glottis.evaluation.discrimination import AUC, roc_auc
from glottis.evaluation.goodness_of_fit import HosmerLemeshow, Spiegelhalter, hosmer_lemeshow, spiegelhalter
from glottis.evaluation.interval import Floats, plain
from glottis.evaluation.precision_recall import PrecisionRecall, precision_recall
from glottis.evaluation.prevalence import PredictiveValues, predictive_values
from glottis.evaluation.roc import RocCurve, roc_curve
from glottis.evaluation.subgroups import Subgroups, performance_by_group

Scale = Literal["binary", "ordinal", "probability", "continuous"]
ORDINAL_LEVELS = 10
BAND_RESAMPLES = 2000
MOST_FOR_BAND = 5000  # patients; with more the band is hardly wider than the line


@dataclass(frozen=True, kw_only=True)
class RaterResult:
    """One rater on held-out patients.

    Attributes:
        n: patients.
        n_positive: of them, of class 1.
        scale: "binary" (0 and 1), "ordinal" (up to 10 whole numbers), "probability" (0 to 1) or "continuous".
        auc: discrimination.
        roc: the curve.
        precision_recall: precision, recall and average precision.
        cutoff: the cut-off; None without one.
        confusion: the 2x2 table there and its metrics.
        predictive: predictive values at the prevalence that was asked for.
        calibration: of probabilities; None otherwise.
        hosmer_lemeshow: of probabilities.
        spiegelhalter: of probabilities.
        decision: of probabilities.
        groups: centre and subgroups.
        notes: what was not done, and why.
    """

    n: int
    n_positive: int
    scale: Scale
    auc: AUC
    roc: RocCurve
    precision_recall: PrecisionRecall
    cutoff: Cutoff | None
    confusion: ConfusionMetrics | None
    predictive: PredictiveValues | None
    calibration: Calibration | None
    hosmer_lemeshow: HosmerLemeshow | None
    spiegelhalter: Spiegelhalter | None
    decision: DecisionCurve | None
    groups: tuple[Subgroups, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


def scale_of(score: Floats) -> Scale:
    """What kind of numbers a rater gives.

    >>> scale_of(np.array([0.0, 1.0])), scale_of(np.array([1.0, 2.0, 5.0])), scale_of(np.array([0.2, 0.7]))
    ('binary', 'ordinal', 'probability')
    """
    values = np.unique(score)
    if set(values.tolist()) <= {0.0, 1.0}:
        return "binary"
    if values.size <= ORDINAL_LEVELS and bool((values == values.round()).all()):
        return "ordinal"
    return "probability" if values[0] >= 0 and values[-1] <= 1 else "continuous"


def rate(
    name: str, on: Paired, scale: Scale, cutoff: Cutoff | None, *, prevalence: float | None, level: float
) -> RaterResult:
    """Evaluate one rater alone.

    Args:
        name: the rater.
        on: the patients; their outcome holds both classes.
        scale: of its scores, here and elsewhere.
        cutoff: chosen elsewhere.
        prevalence: where the cut-off is to be used; None leaves predictive values at it out.
        level: confidence level.
    """
    if on.y_true is None:
        message = f"'{name}' has no outcome: only survival can be evaluated."
        raise ValueError(message)
    truth, score = on.y_true, on.scores[name]
    probability = scale == "probability"
    area, at = roc_auc(truth, score, level=level), None if cutoff is None else cutoff.value
    groups: tuple[Subgroups, ...] = ()
    if on.groups:
        groups = performance_by_group(truth, score, on.groups, threshold=at, probabilities=probability, level=level)
    return RaterResult(
        n=int(truth.size),
        n_positive=int(truth.sum()),
        scale=scale,
        auc=area,
        roc=roc_curve(truth, score, level=level, n_resamples=BAND_RESAMPLES if truth.size <= MOST_FOR_BAND else 0),
        precision_recall=precision_recall(truth, score, level=level),
        cutoff=cutoff,
        confusion=None if at is None else confusion_metrics(truth, score, at, level=level),
        predictive=None
        if at is None or prevalence is None
        else predictive_values(truth, score, at, prevalence=prevalence, level=level),
        calibration=calibration(truth, score, level=level) if probability else None,
        hosmer_lemeshow=hosmer_lemeshow(truth, score) if probability else None,
        spiegelhalter=spiegelhalter(truth, score) if probability else None,
        decision=decision_curve(truth, score, level=level) if probability else None,
        groups=groups,
        notes=_notes(area, scale, cutoff),
    )


def _notes(area: AUC, scale: Scale, cutoff: Cutoff | None) -> tuple[str, ...]:
    notes = []
    if area.value < 0.5:
        notes.append("AUC under 0.5: check that a higher score speaks for the positive class.")
    if scale != "probability":
        kind = {"binary": "yes/no", "ordinal": "a rating"}.get(scale, "not between 0 and 1")
        notes.append(f"No calibration or decision curve: the score is {kind}, no probability.")
    if cutoff is None:
        notes.append("No sensitivity or specificity: no threshold was given and no training rows can choose one.")
    elif cutoff.optimistic:
        notes.append(
            "The threshold was chosen on these patients: sensitivity, specificity and the rest are optimistic."
        )
    return tuple(notes)
