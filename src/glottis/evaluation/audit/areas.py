"""Which method can have printed the confidence interval of an AUC."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize

from glottis.evaluation.audit.counts import Table2x2
from glottis.evaluation.audit.finding import Finding, Verdict
from glottis.evaluation.audit.printed import Printed
from glottis.evaluation.audit.rows import MetricRow, Pair
from glottis.evaluation.discrimination import hanley_mcneil_se
from glottis.evaluation.limits import z_of

HANLEY_MCNEIL = "Hanley-McNeil"
BINARY = "DeLong of a binary reading"
SYMMETRIC = "DeLong, or another symmetric one"
LOGIT = "a symmetric one on the logit scale"
TIES = 0.85  # scores of three levels shorten an interval to about 0.9
BOOTSTRAP = 1.2
GRID = np.linspace(0, 1, 2001)


def binary_se(sensitivity: float, specificity: float, n_positive: int, n_negative: int) -> float:
    """DeLong's standard error of (sensitivity + specificity) / 2, the AUC of a reading of two levels."""
    parts = ((sensitivity, n_positive), (specificity, n_negative))
    return math.sqrt(sum(share * (1 - share) / (4 * max(1, size - 1)) for share, size in parts))


def least_se(auc: float, n_positive: int, n_negative: int) -> float:
    """The least standard error that scores without ties can have at an AUC, whatever their distribution.

    With R the ROC curve and t the false positive rate the variance is (int R^2 - A^2) / n_negative +
    (1 - 2 int t R - (1 - A)^2) / n_positive, least where R is t times n_negative / n_positive, moved up until the area
    is A and cut at 0 and 1 (Birnbaum and Klose 1957 for equal classes).
    """
    if not 0 < auc < 1:
        return 0.0
    slope = n_negative / n_positive

    def curve(shift: float) -> np.ndarray:
        return np.clip(slope * GRID + shift, 0, 1)

    shift = optimize.brentq(lambda moved: float(np.trapezoid(curve(moved), GRID)) - auc, -slope - 1, 1.0)
    roc = curve(shift)
    of_negatives = float(np.trapezoid(roc**2, GRID)) - auc**2
    of_positives = 1 - 2 * float(np.trapezoid(GRID * roc, GRID)) - (1 - auc) ** 2
    return math.sqrt(max(0.0, of_negatives / n_negative + of_positives / n_positive))


def greatest_se(auc: float, n_positive: int, n_negative: int) -> float:
    """The greatest standard error that DeLong's estimate can have at an AUC."""
    return math.sqrt(auc * (1 - auc) / max(1, min(n_positive, n_negative) - 1))


@dataclass(frozen=True, kw_only=True)
class _Setting:
    """What an interval is judged by."""

    auc: Printed
    pair: Pair
    sizes: tuple[int, int] | None
    reading: Table2x2 | None
    z: float

    @property
    def halves(self) -> tuple[float, float]:
        return self.auc.value - self.pair[0].value, self.pair[1].value - self.auc.value

    @property
    def slack(self) -> float:
        return self.auc.half + max(number.half for number in self.pair)

    def is_symmetric(self) -> bool:
        lower, upper = self.halves
        cut = self.pair[1].meets(1.0) and upper <= lower
        return cut or abs(lower - upper) / 2 <= self.auc.half + (self.pair[0].half + self.pair[1].half) / 2 + 1e-9

    def is_logit(self) -> bool:
        edges = [_logit(edge) for edge in (self.auc.low, self.auc.high)]
        low = (_logit(self.pair[0].low) + _logit(self.pair[1].low)) / 2
        high = (_logit(self.pair[0].high) + _logit(self.pair[1].high)) / 2
        return edges[0] <= high and edges[1] >= low

    def fits(self, se_at: Sequence[tuple[float, float]], spare: float = 0.0) -> bool:
        """Whether the limits are z standard errors from one of the areas, give or take ``spare`` units."""
        extra = [2 * spare * number.half for number in self.pair]
        return any(
            self.pair[0].meets(max(0.0, area - self.z * se) - extra[0], max(0.0, area - self.z * se) + extra[0])
            and self.pair[1].meets(min(1.0, area + self.z * se) - extra[1], min(1.0, area + self.z * se) + extra[1])
            for area, se in se_at
        )


def _logit(share: float) -> float:
    return math.log(share / (1 - share)) if 0 < share < 1 else math.copysign(math.inf, share - 0.5)


def audit_area(row: MetricRow, tables: Sequence[Table2x2], implied: tuple[int, int] | None = None) -> Finding | None:
    """The finding on a printed AUC and its interval; None where there is no interval.

    Args:
        row: printed AUC and limits.
        tables: the 2x2 tables that the row may stand for.
        implied: group sizes, other than the stated ones, that the row's metrics imply.
    """
    if "auc" not in row.printed or "auc" not in row.intervals:
        return None
    auc, pair = row.printed["auc"], row.intervals["auc"]
    sizes = row.sizes or _only_sizes(tables)
    reading = tables[0] if len(tables) == 1 and _is_reading(auc, tables[0]) else None
    setting = _Setting(auc=auc, pair=pair, sizes=sizes, reading=reading, z=z_of(row.level))
    verdict, message, methods = _judge(setting)
    if implied and HANLEY_MCNEIL not in methods and setting.fits(_hanley_mcneil(setting, implied)):
        message = (
            f"{pair[0].text} to {pair[1].text} is Hanley-McNeil's interval for {implied[0]} and {implied[1]} patients, "
            "the numbers that the row's metrics imply, not for those stated."
        )
        verdict, methods = "unusual", [HANLEY_MCNEIL]
    cells = ("auc interval",) if verdict in ("differs", "unusual") else ()
    return row.says("AUC interval", verdict, message, cells=cells, methods=methods, symmetric=setting.is_symmetric())


def _only_sizes(tables: Sequence[Table2x2]) -> tuple[int, int] | None:
    sizes = {table.sizes for table in tables}
    return sizes.pop() if len(sizes) == 1 else None


def _is_reading(auc: Printed, table: Table2x2) -> bool:
    """Whether the AUC is (sensitivity + specificity) / 2, as of a reading of two levels."""
    n_positive, n_negative = table.sizes
    if auc.digits < 3 or not n_positive or not n_negative:
        return False
    return bool(auc.fits_ratio(table.tp * n_negative + table.tn * n_positive, 2 * n_positive * n_negative))


def _judge(setting: _Setting) -> tuple[Verdict, str, list[str]]:
    auc, (low, high), sizes = setting.auc, setting.pair, setting.sizes
    shown = f"{low.text} to {high.text}"
    if low.low > auc.high or high.high < auc.low:
        return "differs", f"{auc.text} lies outside its interval, {shown}.", []
    if sizes is None:
        shape = "symmetric" if setting.is_symmetric() else "not symmetric"
        return "unchecked", f"{shown} is {shape} around {auc.text}; its width needs the group sizes.", []
    if setting.reading is not None:
        return _judge_reading(setting, setting.reading, shown)
    width = _width_problem(setting, sizes)
    if width:
        return "differs", f"{shown} {width}", []
    if setting.fits(_hanley_mcneil(setting, sizes)):
        return "agrees", f"{shown} is that of {HANLEY_MCNEIL} for {sizes[0]} and {sizes[1]} patients.", [HANLEY_MCNEIL]
    if setting.is_symmetric():
        return "agrees", f"{shown} is possible for {SYMMETRIC}; it is not Hanley-McNeil's.", [SYMMETRIC]
    if setting.is_logit():
        return "agrees", f"{shown} is possible for {LOGIT}.", [LOGIT]
    message = f"{shown} is not symmetric around {auc.text}, on no usual scale; a bootstrap may give it."
    return "agrees", message, ["bootstrap"]


def _hanley_mcneil(setting: _Setting, sizes: tuple[int, int]) -> list[tuple[float, float]]:
    areas = np.linspace(max(0.0, setting.auc.low), min(1.0, setting.auc.high), 101)
    return [(float(area), hanley_mcneil_se(float(area), *sizes)) for area in areas]


def _judge_reading(setting: _Setting, table: Table2x2, shown: str) -> tuple[Verdict, str, list[str]]:
    """A reading of two levels: DeLong's interval is known, and Hanley-McNeil's assumes scores without ties."""
    sizes = table.sizes
    sens, spec = table.tp / sizes[0], table.tn / sizes[1]
    area, se = (sens + spec) / 2, binary_se(sens, spec, *sizes)
    if setting.fits([(area, se)]):
        return "agrees", f"{shown} is DeLong's for a reading of two levels.", [BINARY]
    if setting.fits(_hanley_mcneil(setting, sizes), spare=1.0):
        message = (
            f"{setting.auc.text} is (sensitivity + specificity) / 2, as of a reading of two levels, and {shown} is "
            "Hanley-McNeil's interval, made for scores without ties (to within a unit of the last digit); DeLong's for "
            f"such a reading is {area - setting.z * se:.3f} to {area + setting.z * se:.3f}."
        )
        return "unusual", message, [HANLEY_MCNEIL]
    message = (
        f"{setting.auc.text} is (sensitivity + specificity) / 2, as of a reading of two levels; {shown} is possible."
    )
    problem = _width_problem(setting, sizes, reading=True)
    return ("differs", f"{shown} {problem}", []) if problem else ("agrees", message, [])


def _width_problem(setting: _Setting, sizes: tuple[int, int], *, reading: bool = False) -> str:
    """Why the interval is too short or too long for these patients; empty where it is neither."""
    area = min(max(setting.auc.value, 1e-6), 1 - 1e-6)
    longer, shorter = max(setting.halves) + setting.slack, min(setting.halves) - setting.slack
    least, greatest = setting.z * least_se(area, *sizes), setting.z * greatest_se(area, *sizes)
    patients = f"for {sizes[0]} and {sizes[1]} patients"
    if longer < TIES * least and not reading and not setting.pair[1].meets(1.0):
        shape = "" if setting.is_symmetric() else f"is not symmetric around {setting.auc.text} and "
        usual = setting.z * hanley_mcneil_se(area, *sizes)
        return (
            f"{shape}is too short {patients}: no score without ties has less than ±{least:.3f}, "
            f"and Hanley-McNeil's is ±{usual:.3f}."
        )
    if shorter > BOOTSTRAP * greatest:
        return f"is too long {patients}: no score has more than ±{greatest:.3f}."
    return ""
