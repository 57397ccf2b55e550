"""The 2x2 table at a cut-off, and every metric that follows from it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike

from glottis._errors import StatisticsError
from glottis.evaluation.interval import Interval, check_level, check_scores, plain
from glottis.evaluation.limits import wald_limits, z_of
from glottis.evaluation.proportion import NAMES, ProportionMethod, proportion, transformed


@dataclass(frozen=True)
class ConfusionMetrics:
    """The 2x2 table at a threshold and what follows from it, each with its interval.

    Attributes:
        threshold: positive when the score is at least this.
        tp: true positives.
        fp: false positives.
        fn: false negatives.
        tn: true negatives.
        accuracy: (tp + tn) / n.
        sensitivity: tp / (tp + fn).
        specificity: tn / (tn + fp).
        ppv: tp / (tp + fp).
        npv: tn / (tn + fn).
        f1: 2 tp / (2 tp + fp + fn).
        balanced_accuracy: (sensitivity + specificity) / 2, which is the AUC of the calls themselves.
        youden: sensitivity + specificity - 1.
        mcc: Matthews correlation of call and outcome, -1 to 1.
        lr_positive: sensitivity / (1 - specificity); how many times a positive call raises the odds of disease.
        lr_negative: (1 - sensitivity) / specificity; below 1, the lower the better.
        odds_ratio: diagnostic odds ratio, tp tn / (fp fn).
        prevalence: (tp + fn) / n.
    """

    threshold: float
    tp: int
    fp: int
    fn: int
    tn: int
    accuracy: Interval
    sensitivity: Interval
    specificity: Interval
    ppv: Interval
    npv: Interval
    f1: Interval
    balanced_accuracy: Interval
    youden: Interval
    mcc: Interval
    lr_positive: Interval
    lr_negative: Interval
    odds_ratio: Interval
    prevalence: Interval

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


def confusion_metrics(
    y_true: ArrayLike,
    y_score: ArrayLike,
    threshold: float,
    *,
    level: float = 0.95,
    method: ProportionMethod = "wilson",
) -> ConfusionMetrics:
    """The 2x2 table at a threshold and its metrics; positive when ``y_score >= threshold``.

    Proportions have Wilson (or Clopper-Pearson) limits. Youden's index joins those of sensitivity and specificity
    (Newcombe 1998, method 10); likelihood ratios (Simel 1991) and odds ratio (Woolf 1955) have limits on the log scale,
    and none where a cell is empty; the Matthews correlation has the delta method's. F1
    is 2 J / (1 + J) with J = tp / (tp + fp + fn), a plain proportion of the patients that are not true negatives: its
    limits are those of J, transformed.

    Args:
        y_true: (n,) outcome, 0 or 1.
        y_score: (n,) score, higher for class 1.
        threshold: chosen elsewhere, on training scores.
        level: confidence level.
        method: "wilson" or "clopper-pearson".

    Returns:
        Counts and intervals; an undefined metric (0/0) has the value None and says why.

    Raises:
        ValueError: one class, a score that is not finite, unequal lengths, an unknown method, a threshold of nan.
    """
    truth, score = check_scores(y_true, y_score)
    check_level(level)
    if method not in NAMES:
        message = f"Unknown interval method {method!r}: use {' or '.join(map(repr, NAMES))}."
        raise StatisticsError(message)
    if math.isnan(threshold):
        message = "The threshold is nan: give the cut-off that was chosen on the training scores."
        raise StatisticsError(message)
    called = score >= threshold
    tp, fp = int((called & truth).sum()), int((called & ~truth).sum())
    return metrics_of_table(
        tp, fp, int(truth.sum()) - tp, int((~truth).sum()) - fp, threshold=float(threshold), level=level, method=method
    )


def metrics_of_table(
    tp: int,
    fp: int,
    fn: int,
    tn: int,
    *,
    threshold: float = math.nan,
    level: float = 0.95,
    method: ProportionMethod = "wilson",
) -> ConfusionMetrics:
    """The metrics of a 2x2 table that is known already, as `confusion_metrics` gives them; both classes hold a patient.

    >>> metrics_of_table(8, 1, 2, 9).sensitivity.value
    0.8
    """
    if min(tp, fp, fn, tn) < 0 or tp + fn == 0 or fp + tn == 0:
        message = (
            f"A 2x2 table holds counts, and a patient in each class; got tp {tp}, fp {fp}, fn {fn}, tn {tn}: "
            "check the four numbers."
        )
        raise StatisticsError(message)

    def share(count: int, total: int, empty: str = "no patient") -> Interval:
        return proportion(count, total, level=level, method=method, empty=empty)

    sensitivity, specificity = share(tp, tp + fn), share(tn, tn + fp)
    youden = _sum_less_one(sensitivity, specificity)
    lr_positive, lr_negative, odds_ratio = _ratios(tp, fp, fn, tn, level)
    return ConfusionMetrics(
        threshold=threshold,
        tp=tp,
        fp=fp,
        fn=fn,
        tn=tn,
        accuracy=share(tp + tn, tp + fp + fn + tn),
        sensitivity=sensitivity,
        specificity=specificity,
        ppv=share(tp, tp + fp, "nobody was called positive"),
        npv=share(tn, tn + fn, "nobody was called negative"),
        f1=transformed(share(tp, tp + fp + fn), lambda j: 2 * j / (1 + j), "of tp/(tp+fp+fn), transformed"),
        balanced_accuracy=transformed(youden, lambda j: (1 + j) / 2, "transformed"),
        youden=youden,
        mcc=_matthews(tp, fp, fn, tn, level),
        lr_positive=lr_positive,
        lr_negative=lr_negative,
        odds_ratio=odds_ratio,
        prevalence=share(tp + fn, tp + fp + fn + tn),
    )


def _sum_less_one(sensitivity: Interval, specificity: Interval) -> Interval:
    parts = [sensitivity.value, sensitivity.low, sensitivity.high, specificity.value, specificity.low, specificity.high]
    a, a_low, a_high, b, b_low, b_high = (float("nan") if part is None else part for part in parts)
    value = a + b - 1
    low, high = value - math.hypot(a - a_low, b - b_low), value + math.hypot(a_high - a, b_high - b)
    return Interval(value, low, high, f"{sensitivity.method} joined after Newcombe", sensitivity.level)


def _ratios(tp: int, fp: int, fn: int, tn: int, level: float) -> tuple[Interval, Interval, Interval]:
    sick, well = tp + fn, fp + tn
    return (
        _log_ratio(tp * well, fp * sick, [(tp, sick), (fp, well)], "Simel", level),
        _log_ratio(fn * well, tn * sick, [(fn, sick), (tn, well)], "Simel", level),
        _log_ratio(tp * tn, fp * fn, [(tp, 0), (fp, 0), (fn, 0), (tn, 0)], "Woolf", level),
    )


def _log_ratio(above: int, below: int, cells: list[tuple[int, int]], name: str, level: float) -> Interval:
    """Ratio with the variance of its logarithm: the sum of 1 / count - 1 / total over cells (no total: 0)."""
    method = f"{name}, log scale"
    if below == 0:
        why = "undefined (0/0)" if above == 0 else "infinite"
        return Interval(None, None, None, method, level, f"{why}: an empty cell lies below the fraction line")
    if above == 0:
        return Interval(0.0, None, None, method, level, "no limits: a cell is empty")
    variance = sum(1 / count - (1 / total if total else 0) for count, total in cells)
    half = z_of(level) * math.sqrt(max(variance, 0.0))
    value = above / below
    return Interval(value, value * math.exp(-half), value * math.exp(half), method, level)


def _matthews(tp: int, fp: int, fn: int, tn: int, level: float) -> Interval:
    method, n = "delta method", tp + fp + fn + tn
    rows, columns = (tp + fp) * (fn + tn), (tp + fn) * (fp + tn)
    if rows == 0:
        return Interval(None, None, None, method, level, "undefined (0/0): everybody was called the same")
    value = (tp * tn - fp * fn) / math.sqrt(rows * columns)
    tilt_rows, tilt_columns = ((tp + fp) - (fn + tn)) / math.sqrt(rows), ((tp + fn) - (fp + tn)) / math.sqrt(columns)
    variance = (  # Bishop, Fienberg and Holland 1975, equation 11.3-20
        1 - value**2 + value * (1 + value**2 / 2) * tilt_rows * tilt_columns
        - 0.75 * value**2 * (tilt_rows**2 + tilt_columns**2)
    ) / n  # fmt: skip
    if variance <= 1e-15:
        return Interval(value, None, None, method, level, "no limits: the table has no spread")
    return wald_limits(value, math.sqrt(variance), level, method, within=(-1.0, 1.0))
