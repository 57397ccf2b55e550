"""External validity: the whole evaluation again, in every centre and prespecified subgroup."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from glottis.evaluation.confusion import ConfusionMetrics, confusion_metrics
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
            scores that are no probabilities.
        note: why something is None; empty otherwise.
    """

    group: str
    n: int
    n_positive: int
    auc: AUC | None
    confusion: ConfusionMetrics | None
    recalibration: InterceptUpdate | None
    note: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


@dataclass(frozen=True)
class Heterogeneity:
    """Whether the AUC differs between groups more than chance makes it (logit scale).

    Attributes:
        statistic: Cochran's Q; None with fewer than two groups whose AUC has an interval.
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
    """Discrimination, calibration and 2x2 metrics in every group of every variable, with the number of patients.

    Args:
        y_true: (n,) outcome, 0 or 1.
        y_score: (n,) score, higher for class 1; calibration needs probabilities.
        variables: name to its (n,) groups, such as {"centre": ..., "sex": ...}; chosen before the results were seen.
        threshold: chosen elsewhere, the same for every group; None leaves out the 2x2 metrics.
        probabilities: whether scores from 0 to 1 are probabilities; a reader's yes and no are none.
        level: confidence level.

    Raises:
        ValueError: one class in all, a score that is not finite, no variable, different patients.
    """
    truth, score = check_scores(y_true, y_score)
    check_level(level)
    if not len(variables):
        message = "No variable was given: give a mapping such as {'centre': [...]}."
        raise ValueError(message)
    check_same_patients({"the outcome": y_true} | {str(name): variables[name] for name in variables})
    calibrated = probabilities and bool(score.min() >= 0 and score.max() <= 1)
    results = []
    for name in variables:
        labels = group_labels(np.asarray(variables[name], dtype=object))
        present = sorted(set(labels.tolist()), key=lambda label: (label == NOT_STATED, label))
        groups = [_group(label, truth, score, labels == label, threshold, calibrated, level) for label in present]
        results.append(Subgroups(str(name), tuple(groups), _heterogeneity([group.auc for group in groups])))
    return tuple(results)


def group_labels(values: NDArray[Any]) -> NDArray[Any]:
    """Groups as words; None and nan are "not stated"."""
    words = [NOT_STATED if value is None or value != value else str(value) for value in values.tolist()]
    return np.array(words, dtype=object)


def _group(
    label: str,
    truth: Bools,
    score: Floats,
    rows: Bools,
    threshold: float | None,
    calibrated: bool,
    level: float,
) -> GroupPerformance:
    y, s = truth[rows], score[rows]
    n_positive = int(y.sum())
    if n_positive in (0, y.size):
        note = f"only class {int(y[0])}: nothing to tell apart"
        return GroupPerformance(label, int(y.size), n_positive, None, None, None, note)
    return GroupPerformance(
        group=label,
        n=int(y.size),
        n_positive=n_positive,
        auc=roc_auc(y, s, level=level),
        confusion=None if threshold is None else confusion_metrics(y, s, threshold, level=level),
        recalibration=update_intercept(y, s, level=level) if calibrated else None,
        note="" if calibrated else "the scores are no probabilities: no calibration",
    )


def _heterogeneity(areas: list[AUC | None]) -> Heterogeneity:
    usable = [(area.value, area.se) for area in areas if area is not None and area.se is not None]
    if len(usable) < 2:
        return Heterogeneity(None, max(len(usable) - 1, 0), None, None)
    value, se = np.array(usable).T
    scale = value * (1 - value)
    logit, weight = np.log(value / (1 - value)), (scale / se) ** 2
    q = float((weight * (logit - np.average(logit, weights=weight)) ** 2).sum())
    df = len(usable) - 1
    return Heterogeneity(q, df, float(stats.chi2.sf(q, df)), max(0.0, 1 - df / q) if q > 0 else 0.0)
