"""Odds ratios of an outcome, one covariate at a time and all together, with separation caught and said."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import optimize
from statsmodels.discrete.discrete_model import Logit

from glottis._errors import StatisticsError
from glottis.evaluation.design_matrix import Design, as_table, complete_rows, design_matrix
from glottis.evaluation.interval import Bools, Floats, check_level, check_scores, plain
from glottis.evaluation.odds import WALD, OddsRatio, no_odds_ratio, odds_ratio_of

_FLAT = 10.0
_NONZERO = 1e-7


@dataclass(frozen=True)
class LogisticRow:
    """One column: a number, or a level against its reference.

    Attributes:
        variable: name of the covariate.
        level: the category; None for a number.
        reference: the category that it is compared with; None for a number.
        univariable: of this covariate alone.
        multivariable: with the others; None where the covariate did not enter.
        n_univariable: patients with this covariate.
        sign_flips: the ratio lies on the other side of 1 once the others are there.
    """

    variable: str
    level: str | None
    reference: str | None
    univariable: OddsRatio
    multivariable: OddsRatio | None
    n_univariable: int
    sign_flips: bool

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


@dataclass(frozen=True)
class LogisticTable:
    """Uni- and multivariable logistic regression.

    Attributes:
        rows: one a column.
        entered: covariates of the multivariable regression.
        rule: how they were chosen.
        n: patients.
        n_positive: of them, with the outcome.
        n_multivariable: patients with every entered covariate.
        events_per_parameter: of the multivariable regression, by the smaller class; None where nothing entered.
        notes: separation and sign flips, in words for the report.
    """

    rows: tuple[LogisticRow, ...]
    entered: tuple[str, ...]
    rule: str
    n: int
    n_positive: int
    n_multivariable: int
    events_per_parameter: float | None
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


@dataclass(frozen=True)
class _Fit:
    design: Design
    ratios: tuple[OddsRatio, ...]
    n: int
    smaller_class: int
    separated: str


def logistic_table(
    y_true: ArrayLike,
    covariates: Any,
    *,
    reference: Mapping[str, Any] | None = None,
    enter: float | Sequence[str] | None = None,
    level: float = 0.95,
) -> LogisticTable:
    """Odds ratios of every covariate alone and of those that enter together, with Wald's limits and p.

    Where covariates separate the classes (wholly or but for ties), the likelihood has no maximum: no ratio is given,
    and a note names the covariates.

    Args:
        y_true: (n,) outcome, 0 or 1.
        covariates: table, one row a patient, or (n, p) numbers; text, booleans and Categoricals are compared level by
            level. Patients with a missing covariate are left out of the regressions that use it.
        reference: level that a categorical covariate is compared with; its first level where not given.
        enter: which covariates the multivariable regression has: all (None), those named, or those with a univariable p
            (of any level) below a number.
        level: confidence level.

    Raises:
        ValueError: one class, unequal lengths, a covariate that does not vary or follows from others, an unknown name.
    """
    table = as_table(covariates)
    truth, _ = check_scores(y_true, np.zeros(len(table)))
    check_level(level)
    wanted = dict(reference or {})
    alone = {name: _fit(truth, table[[name]], _only(wanted, [name]), level) for name in table.columns}
    _refuse_unknown(sorted(set(wanted) - set(table.columns)))
    entered, rule = _entering(alone, enter)
    together = _fit(truth, table[entered], _only(wanted, entered), level) if entered else None
    rows = _rows(alone, together)
    return LogisticTable(
        rows=rows,
        entered=tuple(entered),
        rule=rule,
        n=truth.size,
        n_positive=int(truth.sum()),
        n_multivariable=together.n if together else 0,
        events_per_parameter=together.smaller_class / len(together.ratios) if together else None,
        notes=_notes(alone, together, rows),
    )


def _only(reference: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: level for name, level in reference.items() if name in names}


def _refuse_unknown(names: list[str]) -> None:
    if names:
        message = f"There is no covariate {', '.join(map(repr, names))}: use the names of the table's columns."
        raise StatisticsError(message)


def _entering(alone: Mapping[str, _Fit], enter: float | Sequence[str] | None) -> tuple[list[str], str]:
    if enter is None:
        return list(alone), "all covariates"
    if isinstance(enter, int | float):
        passed = [name for name, fit in alone.items() if any((ratio.p_value or 0.0) < enter for ratio in fit.ratios)]
        return passed, f"univariable p < {enter:g} of any level, or separated"
    _refuse_unknown(sorted(set(enter) - set(alone)))
    return [name for name in alone if name in enter], "named beforehand"


def _fit(truth: Bools, table: pd.DataFrame, reference: Mapping[str, Any], level: float) -> _Fit:
    kept = complete_rows(table)
    y, part = truth[kept], table[kept]
    n_positive = int(y.sum())
    if not 0 < n_positive < y.size:
        names = ", ".join(map(str, table.columns))
        message = (
            f"The {y.size} patients with {names} hold {n_positive} with the outcome: both classes are needed; "
            "leave out a covariate that is missing so often."
        )
        raise StatisticsError(message)
    design = design_matrix(part, reference)
    centre, scale = design.matrix.mean(axis=0), design.matrix.std(axis=0)
    X = np.column_stack([np.ones(y.size), (design.matrix - centre) / scale])
    coefficients, errors = _newton(y, X)
    separated = ""
    if not np.isfinite(errors).all() or errors.max() > _FLAT:
        separated = _what_separates(y, X, design)
    ratios = [
        _ratio(float(b), float(se), level, separated)
        for b, se in zip(coefficients[1:] / scale, errors[1:] / scale, strict=True)
    ]
    return _Fit(design, tuple(ratios), y.size, min(n_positive, y.size - n_positive), separated)


def _newton(y: Bools, X: Floats) -> tuple[Floats, Floats]:
    """Coefficients and standard errors; nan where the information cannot be inverted."""
    nothing = np.full(X.shape[1], np.nan)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # separation and its followers, which the caller looks for itself
            fit = Logit(y.astype(np.float64), X).fit(method="newton", maxiter=60, tol=1e-10, disp=0)
            return np.asarray(fit.params), np.asarray(fit.bse)
    except np.linalg.LinAlgError:
        return nothing, nothing


def _what_separates(y: Bools, X: Floats, design: Design) -> str:
    """Covariates that separate the classes alone, or else a smallest set that does together; empty if none does."""
    alone = [name for name in design.variables if _separates_alone(y, design.matrix[:, design.columns_of(name)])]
    if alone:
        return ", ".join(alone)
    if len(design.variables) == 1 or not _separates(y, X):
        return ""
    kept = list(design.variables)
    for name in design.variables:
        fewer = [other for other in kept if other != name]
        columns = [1 + index for other in fewer for index in design.columns_of(other)]
        if len(fewer) > 1 and _separates(y, X[:, [0, *columns]]):
            kept = fewer
    return ", ".join(kept)


def _separates_alone(y: Bools, columns: Floats) -> bool:
    """A number: the classes meet in one value at most. Levels: one of them has one class only."""
    if columns.shape[1] > 1 or np.isin(columns, (0.0, 1.0)).all():
        levels = np.column_stack([columns, 1 - columns.sum(axis=1)])
        return bool(((levels[y].sum(axis=0) == 0) | (levels[~y].sum(axis=0) == 0)).any())
    positive, negative = columns[y], columns[~y]
    return bool(positive.min() >= negative.max() or negative.min() >= positive.max())


def _separates(y: Bools, X: Floats) -> bool:
    """Whether along some direction no patient is on the wrong side, by linear programming (Konis 2007)."""
    signed = np.unique(np.where(y, 1.0, -1.0)[:, None] * X, axis=0)
    found = optimize.linprog(
        -signed.sum(axis=0), A_ub=-signed, b_ub=np.zeros(len(signed)), bounds=[(-1, 1)] * X.shape[1], method="highs"
    )
    return found.x is not None and bool(-found.fun > _NONZERO)


def _ratio(b: float, se: float, level: float, separated: str) -> OddsRatio:
    if separated or not math.isfinite(se):
        why = f"the classes are separated by {separated}" if separated else "the regression cannot be inverted"
        return no_odds_ratio(WALD, level, why)
    return odds_ratio_of(b, se, WALD, level)


def _rows(alone: Mapping[str, _Fit], together: _Fit | None) -> tuple[LogisticRow, ...]:
    both = {} if together is None else dict(zip(together.design.columns, together.ratios, strict=True))
    rows = []
    for fit in alone.values():
        for column, ratio in zip(fit.design.columns, fit.ratios, strict=True):
            adjusted = both.get(column)
            b, with_others = ratio.coefficient, adjusted.coefficient if adjusted else None
            flips = b is not None and with_others is not None and b * with_others < 0
            rows.append(LogisticRow(column.variable, column.level, column.reference, ratio, adjusted, fit.n, flips))
    return tuple(rows)


def _notes(alone: Mapping[str, _Fit], together: _Fit | None, rows: tuple[LogisticRow, ...]) -> tuple[str, ...]:
    notes = [f"{name} alone separates the classes: no odds ratio" for name, fit in alone.items() if fit.separated]
    if together is not None and together.separated:
        notes.append(f"together, {together.separated} separate the classes: no multivariable odds ratios")
    for row in rows:
        if row.sign_flips:
            name = row.variable if row.level is None else f"{row.variable} ({row.level} against {row.reference})"
            notes.append(f"{name} lies on the other side of 1 once the other covariates are there")
    return tuple(notes)
