"""Odds ratios of an outcome, one covariate at a time and all together, with separation caught and said."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from glottis._errors import StatisticsError
from glottis.evaluation.design_matrix import Column, as_table
from glottis.evaluation.interval import Bools, check_level, check_scores, plain
from glottis.evaluation.logistic_fit import LogisticFit, fit_logistic
from glottis.evaluation.odds import WALD, OddsRatio, no_odds_ratio, odds_ratio_of


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
class Regression:
    """What a table needs of one regression.

    Attributes:
        columns: of the regression.
        ratios: one a column.
        n: patients.
        smaller_class: patients of the rarer outcome.
        separated: covariates that separate the classes; empty where none do.
    """

    columns: tuple[Column, ...]
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

    def fitted(names: Sequence[str]) -> Regression:
        own = {name: first for name, first in wanted.items() if name in names}
        return regression_of(fit_logistic(truth, table[list(names)], own), level=level)

    alone = {name: fitted([name]) for name in table.columns}
    _refuse_unknown(sorted(set(wanted) - set(table.columns)))
    entered, rule = _entering(alone, enter)
    return table_of(truth, alone, fitted(entered) if entered else None, entered, rule)


def table_of(
    truth: Bools, alone: Mapping[str, Regression], together: Regression | None, entered: Sequence[str], rule: str
) -> LogisticTable:
    """The table of regressions that are there.

    Args:
        truth: (n,) outcome.
        alone: covariate to its own regression.
        together: of those that entered; None without any.
        entered: their names.
        rule: how they were chosen.
    """
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


def _refuse_unknown(names: list[str]) -> None:
    if names:
        message = f"There is no covariate {', '.join(map(repr, names))}: use the names of the table's columns."
        raise StatisticsError(message)


def _entering(alone: Mapping[str, Regression], enter: float | Sequence[str] | None) -> tuple[list[str], str]:
    if enter is None:
        return list(alone), "all covariates"
    if isinstance(enter, int | float):
        passed = [name for name, fit in alone.items() if any((ratio.p_value or 0.0) < enter for ratio in fit.ratios)]
        return passed, f"univariable p < {enter:g} of any level, or separated"
    _refuse_unknown(sorted(set(enter) - set(alone)))
    return [name for name in alone if name in enter], "named beforehand"


def regression_of(fit: LogisticFit, *, level: float = 0.95) -> Regression:
    """Wald's odds ratios of a fit, or why there are none."""
    separated = ", ".join(fit.separated)
    ratios = [
        _ratio(float(b), float(se), level, separated)
        for b, se in zip(fit.coefficients[1:], fit.errors[1:], strict=True)
    ]
    return Regression(fit.columns, tuple(ratios), fit.n, fit.smaller_class, separated)


def _ratio(b: float, se: float, level: float, separated: str) -> OddsRatio:
    if separated or not math.isfinite(se):
        why = f"the classes are separated by {separated}" if separated else "the regression cannot be inverted"
        return no_odds_ratio(WALD, level, why)
    return odds_ratio_of(b, se, WALD, level)


def _rows(alone: Mapping[str, Regression], together: Regression | None) -> tuple[LogisticRow, ...]:
    both = {} if together is None else dict(zip(together.columns, together.ratios, strict=True))
    rows = []
    for fit in alone.values():
        for column, ratio in zip(fit.columns, fit.ratios, strict=True):
            adjusted = both.get(column)
            b, with_others = ratio.coefficient, adjusted.coefficient if adjusted else None
            flips = b is not None and with_others is not None and b * with_others < 0
            rows.append(LogisticRow(column.variable, column.level, column.reference, ratio, adjusted, fit.n, flips))
    return tuple(rows)


def _notes(
    alone: Mapping[str, Regression], together: Regression | None, rows: tuple[LogisticRow, ...]
) -> tuple[str, ...]:
    notes = [f"{name} alone separates the classes: no odds ratio" for name, fit in alone.items() if fit.separated]
    if together is not None and together.separated:
        notes.append(f"together, {together.separated} separate the classes: no multivariable odds ratios")
    for row in rows:
        if row.sign_flips:
            name = row.variable if row.level is None else f"{row.variable} ({row.level} against {row.reference})"
            notes.append(f"{name} lies on the other side of 1 once the other covariates are there")
    return tuple(notes)
