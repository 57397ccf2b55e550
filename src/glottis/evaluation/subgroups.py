"""External validity: the whole evaluation again, in every centre and prespecified subgroup."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from glottis._errors import StatisticsError
from glottis.evaluation.calibration import Calibration
from glottis.evaluation.confusion import ConfusionMetrics, confusion_metrics
from glottis.evaluation.decision import DecisionCurve, decision_curve
from glottis.evaluation.discrimination import AUC, roc_auc
from glottis.evaluation.interval import Bools, Floats, check_level, check_same_patients, check_scores, plain
from glottis.evaluation.recalibration import InterceptUpdate, update_intercept

NOT_STATED = "not stated"


@dataclass(frozen=True)
class GroupPerformance:
    """One group of one variable.

    Attributes:
        group: value of the variable, "not stated" where it is missing.
        n: patients.
        n_positive: of them, of class 1.
        auc: discrimination; None with one class.
        confusion: metrics at the threshold; None with one class or without a threshold.
        recalibration: calibration before and after moving the intercept to this group; None with one class or with
            scores that are no probabilities, and so are the next three.
        decision: net benefit of the scores as they came.
        confusion_updated: metrics at the same threshold after the move, on the patients that gave it; None without a
            threshold.
        decision_updated: net benefit after the move.
        note: why something is None; empty otherwise.
    """

    group: str
    n: int
    n_positive: int
    auc: AUC | None
    confusion: ConfusionMetrics | None
    recalibration: InterceptUpdate | None
    decision: DecisionCurve | None
    confusion_updated: ConfusionMetrics | None
    decision_updated: DecisionCurve | None
    note: str

    @property
    def calibration(self) -> Calibration | None:
        """Calibration of the scores as they came."""
        return None if self.recalibration is None else self.recalibration.before

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


@dataclass(frozen=True)
class Heterogeneity:
    """Whether the AUC (or Harrell's C) differs between groups more than chance makes it (logit scale).

    Attributes:
        statistic: Cochran's Q; None with fewer than two groups whose AUC (or C) has a standard error.
        df: groups that counted, less 1.
        p_value: of the statistic; a large one in small groups shows nothing.
        i_squared: share of the spread beyond chance, 0 to 1.
    """

    statistic: float | None
    df: int
    p_value: float | None
    i_squared: float | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


@dataclass(frozen=True)
class Subgroups:
    """Performance over the groups of one variable.

    Attributes:
        variable: its name.
        groups: sorted by value, those of patients without a value last.
        heterogeneity: of the AUC between the groups.
    """

    variable: str
    groups: tuple[GroupPerformance, ...]
    heterogeneity: Heterogeneity

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


def performance_by_group(
    y_true: ArrayLike,
    y_score: ArrayLike,
    variables: Mapping[str, ArrayLike],
    *,
    threshold: float | None = None,
    probabilities: bool = True,
    level: float = 0.95,
) -> tuple[Subgroups, ...]:
    """Discrimination, calibration, 2x2 metrics and net benefit in every group of every variable, with their n.

    Where the scores are probabilities, all but the AUC, which does not change, also after the intercept was moved to
    the group (`update_intercept`).

    Args:
        y_true: (n,) outcome, 0 or 1.
        y_score: (n,) score, higher for class 1; calibration and net benefit need probabilities.
        variables: name to its (n,) groups, such as {"centre": ..., "sex": ...}; chosen before the results were seen.
        threshold: chosen elsewhere, the same for every group; None leaves out the 2x2 metrics.
        probabilities: whether scores from 0 to 1 are probabilities; a reader's yes and no are none.
        level: confidence level.

    Raises:
        ValueError: one class in all, a score that is not finite, no variable, different patients.
    """
    truth, score = check_scores(y_true, y_score)
    check_level(level)
    calibrated = probabilities and bool(score.min() >= 0 and score.max() <= 1)
    results = []
    for name, parts in groups_of(y_true, variables).items():
        groups = [_group(label, truth[rows], score[rows], threshold, calibrated, level) for label, rows in parts]
        spread = heterogeneity([(group.auc.value, group.auc.se) for group in groups if group.auc is not None])
        results.append(Subgroups(name, tuple(groups), spread))
    return tuple(results)


def groups_of(patients: ArrayLike, variables: Mapping[str, ArrayLike]) -> dict[str, list[tuple[str, Bools]]]:
    """Of each variable its groups, sorted by value, those of patients without one last, and whose rows they are.

    Args:
        patients: (n,) outcome or time of the patients.
        variables: name to its (n,) groups.

    Raises:
        ValueError: no variable, or one of other patients.
    """
    if not len(variables):
        message = "No variable was given: give a mapping such as {'centre': [...]}."
        raise StatisticsError(message)
    check_same_patients({"the outcome": patients} | {str(name): variables[name] for name in variables})
    found = {}
    for name in variables:
        labels = group_labels(np.asarray(variables[name], dtype=object))
        present = sorted(set(labels.tolist()), key=lambda label: (label == NOT_STATED, label))
        found[str(name)] = [(label, np.asarray(labels == label, dtype=bool)) for label in present]
    return found


def group_labels(values: NDArray[Any]) -> NDArray[Any]:
    """Groups as words; None and nan are "not stated"."""
    words = [NOT_STATED if value is None or value != value else str(value) for value in values.tolist()]
    return np.array(words, dtype=object)


def _group(
    label: str, y: Bools, score: Floats, threshold: float | None, calibrated: bool, level: float
) -> GroupPerformance:
    n_positive = int(y.sum())
    if n_positive in (0, y.size):
        note = f"only class {int(y[0])}: nothing to tell apart"
        return GroupPerformance(label, int(y.size), n_positive, None, None, None, None, None, None, note)
    update = update_intercept(y, score, level=level) if calibrated else None
    moved = None if update is None else update.updated
    return GroupPerformance(
        group=label,
        n=int(y.size),
        n_positive=n_positive,
        auc=roc_auc(y, score, level=level),
        confusion=_confusion(y, score, threshold, level),
        recalibration=update,
        decision=decision_curve(y, score, level=level) if calibrated else None,
        confusion_updated=_confusion(y, moved, threshold, level),
        decision_updated=None if moved is None else decision_curve(y, moved, level=level),
        note="" if calibrated else "the scores are no probabilities: no calibration or net benefit",
    )


def _confusion(y: Bools, score: Floats | None, threshold: float | None, level: float) -> ConfusionMetrics | None:
    return None if threshold is None or score is None else confusion_metrics(y, score, threshold, level=level)


def heterogeneity(estimates: Sequence[tuple[float | None, float | None]]) -> Heterogeneity:
    """Cochran's Q on the logit scale, of values with their standard errors; those without one do not count."""
    usable = [(value, se) for value, se in estimates if value is not None and se is not None]
    if len(usable) < 2:
        return Heterogeneity(None, max(len(usable) - 1, 0), None, None)
    value, se = np.array(usable).T
    scale = value * (1 - value)
    logit, weight = np.log(value / (1 - value)), (scale / se) ** 2
    q = float((weight * (logit - np.average(logit, weights=weight)) ** 2).sum())
    df = len(usable) - 1
    return Heterogeneity(q, df, float(stats.chi2.sf(q, df)), max(0.0, 1 - df / q) if q > 0 else 0.0)
