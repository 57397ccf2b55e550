"""One clinical model on one training view: impute, screen each column alone, fit what enters together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from glottis.evaluation.design_matrix import Column
from glottis.evaluation.interval import Bools
from glottis.evaluation.logistic import LogisticTable, Regression, regression_of, table_of
from glottis.evaluation.logistic_fit import LogisticFit
from glottis.evaluation.rubin import Pooled, pool_fits, pooled_regression
from glottis.modelling.clinical_columns import Ordinal, coded, constants, rare_levels, term_of
from glottis.modelling.clinical_regressions import ClinicalSettings, Regressions
from glottis.modelling.imputation import impute
from glottis.modelling.terms import LinearPredictor
from glottis.modelling.views import Fold

INTERCEPT = "(intercept)"


@dataclass(frozen=True)
class ClinicalFit:
    """A fitted clinical model.

    Attributes:
        model: what a row is scored with.
        coefficients: by name, the intercept first, then in the order of the columns.
        covariance: of these.
        table: odds ratios.
        entered: columns that passed the screen or were forced.
        notes: what to bear in mind.
    """

    model: LinearPredictor
    coefficients: pd.Series[float]
    covariance: pd.DataFrame
    table: LogisticTable
    entered: tuple[str, ...]
    notes: tuple[str, ...]


def fit_clinical(settings: ClinicalSettings, table: pd.DataFrame, truth: Bools, fold: Fold) -> ClinicalFit:
    """Fit on these rows.

    Args:
        settings: how.
        table: (n, p) typed columns of the training rows.
        truth: (n,) their outcome.
        fold: number of the inner fold, where what cannot be fitted is left out and noted; ``"final"`` refuses it.

    Raises:
        ValueError: a constant column, or a forced one that separates the classes or follows from another forced one.
    """
    notes: list[str] = []
    table = _varying(table, fold, notes)
    codes = coded(table, settings.ordinal)
    number = 0 if fold == "final" else int(fold) + 1
    sets = impute(codes, truth, m=settings.imputations, seed=[settings.seed, number])
    if fold == "final":
        notes += _imputed(table, len(sets)) + rare_levels(table, settings.ordinal)
    work = Regressions(settings, table, sets, truth, fold == "final", notes)
    alone = {str(name): _regression(work.fits([str(name)])) for name in table.columns}
    entered = work.not_separating(alone, _entering(settings, alone))
    kept, last = work.jointly(work.independent(entered))
    if not kept:
        why = "" if settings.screen is None else f" with a univariable p below {settings.screen:g}"
        notes.append(f"no column{why} is left: the model is the intercept alone")
    rows = table_of(truth, alone, _regression(last) if last else None, kept, _rule(settings))
    pooled = pool_fits(last) if last else _intercept(truth)
    columns = last[0].columns if last else ()
    names = pd.Index([INTERCEPT, *(_label(column, settings.ordinal) for column in columns)])
    return ClinicalFit(
        model=_predictor(settings, table, kept, columns, pooled),
        coefficients=pd.Series(pooled.estimate, index=names, name="coefficient"),
        covariance=pd.DataFrame(pooled.covariance, index=names, columns=names),
        table=rows,
        entered=tuple(entered),
        notes=tuple(notes),
    )


def _varying(table: pd.DataFrame, fold: Fold, notes: list[str]) -> pd.DataFrame:
    names = constants(table)
    if names and fold == "final":
        known = table[names[0]].dropna()
        value = f"{known.iloc[0]!r} throughout" if len(known) else "without any value"
        more = f" ({len(names)} columns are so: {', '.join(names)})" if len(names) > 1 else ""
        message = (
            f"Column {names[0]!r} is {value} in the {len(table)} training patients{more}, so nothing can be learnt "
            "from it: take it out of the clinical columns, or check whether it is a placeholder."
        )
        raise ValueError(message)
    notes += [f"{name!r} is left out: it is constant in the training rows" for name in names]
    return table.drop(columns=names)


def _imputed(table: pd.DataFrame, m: int) -> list[str]:
    gaps = {name: n for name, n in table.isna().sum().items() if n}
    if not gaps:
        return []
    return [f"gaps of {len(table)} patients imputed {m} times: {', '.join(f'{name} {n}' for name, n in gaps.items())}"]


def _regression(fits: Sequence[LogisticFit]) -> Regression:
    return regression_of(fits[0]) if len(fits) == 1 else pooled_regression(fits)


def _entering(settings: ClinicalSettings, alone: Mapping[str, Regression]) -> list[str]:
    def passes(regression: Regression) -> bool:
        if settings.screen is None or regression.separated:
            return True
        return any(ratio.p_value is not None and ratio.p_value < settings.screen for ratio in regression.ratios)

    return [name for name, regression in alone.items() if name in settings.forced or passes(regression)]


def _rule(settings: ClinicalSettings) -> str:
    if settings.screen is None:
        return "all covariates"
    always = f"; always {', '.join(settings.forced)}" if settings.forced else ""
    return f"univariable p < {settings.screen:g} of any level{always}"


def _label(column: Column, ordinal: Ordinal) -> str:
    if column.variable in ordinal:
        return f"{column.variable}: per step"
    return column.variable if column.level is None else f"{column.variable}: {column.level}"


def _intercept(truth: Bools) -> Pooled:
    share = truth.mean()
    variance = 1 / (truth.size * share * (1 - share))
    return Pooled(np.array([np.log(share / (1 - share))]), np.array([[variance]]), np.array([np.inf]), 1)


def _predictor(
    settings: ClinicalSettings, table: pd.DataFrame, kept: Sequence[str], columns: Sequence[Column], pooled: Pooled
) -> LinearPredictor:
    terms = []
    for name in kept:
        places = [place for place, column in enumerate(columns) if column.variable == name]
        own = [float(pooled.estimate[1 + place]) for place in places]
        first = columns[places[0]]
        words = None if first.level is None else [str(first.reference), *(str(columns[p].level) for p in places)]
        levels = list(settings.ordinal[name]) if name in settings.ordinal else words
        terms.append(term_of(table[name], own, levels, ordered=name in settings.ordinal))
    return LinearPredictor(terms=tuple(terms), intercept=float(pooled.estimate[0]))
