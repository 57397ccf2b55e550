"""From a table of covariates to a nomogram: logistic or Cox regression by maximum likelihood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from pandas.api import types
from scipy.optimize import brentq
from scipy.special import expit

from glottis._errors import StatisticsError
from glottis.evaluation.baseline_survival import BaselineSurvival, baseline_survival
from glottis.evaluation.cox import CoxRegression, cox_regression
from glottis.evaluation.design_matrix import as_table, complete_rows, is_categorical, levels_of
from glottis.evaluation.interval import Floats
from glottis.evaluation.logistic import LogisticTable, logistic_table
from glottis.modelling.nomogram import Nomogram
from glottis.modelling.nomogram_axes import Outcome
from glottis.modelling.terms import LinearPredictor, Term


@dataclass(frozen=True, kw_only=True)
class LogisticNomogram:
    """A logistic regression and its nomogram.

    Attributes:
        nomogram: of all covariates.
        regression: their odds ratios, one at a time and all together.
    """

    nomogram: Nomogram
    regression: LogisticTable


@dataclass(frozen=True, kw_only=True)
class CoxNomogram:
    """A Cox regression and its nomogram.

    Attributes:
        nomogram: of all covariates; its linear predictor has the mean 0 over the patients.
        regression: hazard ratios, and whether hazards are proportional.
        baseline: survival of a patient with the mean linear predictor.
    """

    nomogram: Nomogram
    regression: CoxRegression
    baseline: BaselineSurvival


def logistic_nomogram(
    covariates: pd.DataFrame,
    y_true: ArrayLike,
    *,
    outcome: str = "Probability of the event",
    reference: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
    names: Mapping[str, Mapping[Any, str]] | None = None,
) -> LogisticNomogram:
    """Logistic regression of all covariates by maximum likelihood, and its nomogram.

    A score of another model (radiomics, deep features) must be out of fold on these patients: an in-sample one is so
    good that the classes separate, and there is no nomogram.

    Args:
        covariates: one row a patient; numbers, booleans (0 and 1), and words or Categoricals of words, which are
            compared level by level. Patients with a missing covariate are left out.
        y_true: (n,) outcome, 0 or 1.
        outcome: label of the probability.
        reference: level that a categorical covariate is compared with; its first level where not given.
        labels: column to printed name.
        units: column to unit.
        names: column to printed names of its levels, or of the only numbers to be marked; of a column that holds two
            numbers these are marked alone.

    Raises:
        ValueError: what `logistic_table` and `Nomogram` refuse, levels that are no words, classes that are separated.
    """
    table = _readable(covariates)
    regression = logistic_table(y_true, table, reference=reference)
    if any(row.multivariable is None or row.multivariable.coefficient is None for row in regression.rows):
        message = (
            f"The nomogram does not exist: {'; '.join(regression.notes)}. Leave the covariate out, join levels, or "
            "give a model's score out of fold."
        )
        raise StatisticsError(message)
    coefficients = [(row.variable, row.multivariable.coefficient) for row in regression.rows if row.multivariable]
    kept = complete_rows(table)
    terms = _terms(table[kept], coefficients, reference or {})
    slopes = LinearPredictor(terms=terms, intercept=0.0)(table[kept])
    predictor = LinearPredictor(terms=terms, intercept=_intercept(np.asarray(y_true)[kept], slopes))
    made = Nomogram(
        predictor=predictor,
        outcomes=(Outcome(label=outcome),),
        labels=labels or {},
        units=units or {},
        names=_with_binary(table, names or {}),
    )
    return LogisticNomogram(nomogram=made, regression=regression)


def cox_nomogram(
    covariates: pd.DataFrame,
    time: ArrayLike,
    event: ArrayLike,
    *,
    at: Mapping[str, float] | Sequence[float],
    reference: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
    names: Mapping[str, Mapping[Any, str]] | None = None,
) -> CoxNomogram:
    """Cox regression of all covariates, and its nomogram for survival at named times.

    Ties and baseline survival are Efron's, as in R's ``survfit(coxph(...))`` and ``rms::cph``.

    Args:
        covariates: as in `logistic_nomogram`.
        time: (n,) time to event or last follow-up, not negative.
        event: (n,) 1 for the event, 0 for censored.
        at: label to time (``{"3-year survival": 3}``), or times.
        reference: level that a categorical covariate is compared with; its first level where not given.
        labels: column to printed name.
        units: column to unit.
        names: column to printed names of its levels, or of the only numbers to be marked.

    Raises:
        ValueError: what `cox_regression` and `Nomogram` refuse, levels that are no words, a likelihood without maximum,
            a time before the first event or after the last follow-up.
    """
    table = _readable(covariates)
    regression = cox_regression(time, event, table, reference=reference)
    if regression.note:
        message = f"The nomogram does not exist; hazard ratios are {regression.note}: leave the covariate out."
        raise StatisticsError(message)
    kept = complete_rows(table)
    terms = _terms(table[kept], [(term.variable, term.coefficient) for term in regression.terms], reference or {})
    slopes = LinearPredictor(terms=terms, intercept=0.0)(table[kept])
    predictor = LinearPredictor(terms=terms, intercept=-float(slopes.mean()))
    baseline = baseline_survival(np.asarray(time)[kept], np.asarray(event)[kept], slopes + predictor.intercept)
    times = at if isinstance(at, Mapping) else {f"Survival at {t:g}": t for t in at}
    outcomes = [Outcome(label=label, at=float(t), baseline=baseline.at(t)) for label, t in times.items()]
    made = Nomogram(
        predictor=predictor,
        outcomes=tuple(outcomes),
        labels=labels or {},
        units=units or {},
        names=_with_binary(table, names or {}),
    )
    return CoxNomogram(nomogram=made, regression=regression, baseline=baseline)


def _readable(covariates: pd.DataFrame) -> pd.DataFrame:
    """The table with booleans as 0 and 1; levels are words."""
    table = as_table(covariates)
    for name in table.columns:
        values = table[name]
        if types.is_bool_dtype(values):
            table[name] = values.astype(float)
        elif is_categorical(values):
            odd = [level for level in levels_of(values) if not isinstance(level, str)]
            if odd:
                message = (
                    f"Column {name!r} holds the level {odd[0]!r}, which is no word: write levels as words, "
                    f"such as 'grade {odd[0]}', or the whole column as numbers."
                )
                raise StatisticsError(message)
    return table


def _terms(
    table: pd.DataFrame, coefficients: list[tuple[str, float | None]], reference: Mapping[str, str]
) -> tuple[Term, ...]:
    """Terms of a fit on these rows, whose columns come as `design_matrix` orders them."""
    terms = []
    for name in table.columns:
        values = table[name]
        own = tuple(float(value) for variable, value in coefficients if variable == name and value is not None)
        if not is_categorical(values):
            low, high, middle = (float(part) for part in (values.min(), values.max(), values.median()))
            terms.append(Term(column=name, coefficients=own, low=low, high=high, fill=middle))
            continue
        levels = levels_of(values)
        first = reference.get(name, levels[0])
        ordered = (first, *(level for level in levels if level != first))
        frequent = max(levels, key=list(values).count)
        terms.append(Term(column=name, coefficients=own, levels=ordered, fill=frequent))
    return tuple(terms)


def _intercept(y_true: Any, slopes: Floats) -> float:
    """Where the probabilities have the mean of the outcome, which is where the likelihood is highest."""
    n_positive = float(np.sum(y_true))

    def excess(intercept: float) -> float:
        return float(expit(intercept + slopes).sum()) - n_positive

    wide = 50.0  # e^50 patients would be needed to leave it
    return float(brentq(excess, -wide - slopes.max(), wide - slopes.min(), xtol=1e-15, rtol=1e-15))


def _with_binary(table: pd.DataFrame, names: Mapping[str, Mapping[Any, str]]) -> dict[str, Mapping[Any, str]]:
    """Names, and of every unnamed column of two numbers those two."""
    made = dict(names)
    for name in table.columns:
        if name not in made and not is_categorical(table[name]):
            values = sorted(set(table[name].dropna().astype(float)))
            if len(values) == 2:
                made[name] = {value: f"{value:g}" for value in values}
    return made
