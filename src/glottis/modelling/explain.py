"""SHAP: what each feature added to a classifier's output for a patient, against a background.

It explains the model, not the disease. The credit of correlated features is divided as the model happens to use them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from glottis._errors import StatisticsError
from glottis.evaluation.interval import Floats, plain
from glottis.modelling.classifiers import positive_score
from glottis.modelling.shapley import MOST_ENUMERATED, PAIRS, Score, enumerated, orderings, sampled
from glottis.modelling.trees import FORESTS, Output, Scale, output_of_trees, tree_shap

AGREES = 1e-4  # xgboost adds its trees in single precision


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """SHAP values of some rows: ``base + values.sum(axis=1)`` is the model's output.

    Attributes:
        values: (n, p) what each feature added to the output, against the background; above 0 towards class 1.
        base: mean output of the background.
        scale: of the output: ``"log-odds"``, or ``"probability"`` (a score from 0 to 1), before any recalibration.
        rows: (n,) labels of the rows.
        columns: (p,) names of the features.
        data: (n, p) the features' values, as the classifier saw them unless `shown_as` replaced them.
        how: explainer, exact or sampled, and rows used.
        error: (n, p) standard errors of sampled values; None where they are exact.
    """

    values: Floats
    base: float
    scale: Scale
    rows: tuple[Any, ...]
    columns: tuple[str, ...]
    data: Floats
    how: str
    error: Floats | None = None

    @property
    def output(self) -> Floats:
        """(n,) the model's output."""
        return np.asarray(self.base + self.values.sum(axis=1))

    def shown_as(self, table: pd.DataFrame) -> Self:
        """The same with other values of the features, such as those before the z-score, for the figures.

        Raises:
            KeyError: the table has not every row and column.
        """
        return replace(self, data=table.loc[list(self.rows), list(self.columns)].to_numpy(dtype=np.float64))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """What ``to_dict`` wrote."""
        error = content["error"]
        return cls(
            values=_array(content["values"]),
            base=content["base"],
            scale=content["scale"],
            rows=tuple(content["rows"]),
            columns=tuple(content["columns"]),
            data=_array(content["data"]),
            how=content["how"],
            error=None if error is None else _array(error),
        )


def _array(stored: Any) -> Floats:
    """A stored list, None as nan."""
    return np.asarray(stored, dtype=np.float64)


def explain(
    classifier: Any, X: pd.DataFrame, background: pd.DataFrame, *, max_rows: int = 100, random_state: int = 0
) -> Explanation:
    """SHAP values of a fitted classifier of two classes (Lundberg and Lee 2017).

    All are interventional: a feature that is absent takes the values that it has in the background, whatever the others
    are. One definition then holds for all classifiers and a feature that the model does not use gets 0; TreeSHAP's
    path-dependent variant knows trees alone, and its base is that of the rows that grew them. Exact are logistic
    regression (coefficient times distance from the background's mean), trees (extra ``explain``) and anything with up
    to 10 features (all coalitions); with more, 128 orderings of the features are drawn. A row's values depend on no
    other row, bit for bit.

    Args:
        classifier: fitted; one of `CLASSIFIERS`, a booster of xgboost or lightgbm, or any of scikit-learn.
        X: (n, p) rows as the classifier sees them, after selection and z-score.
        background: (m, p) the same columns: `background_of`, or training rows.
        max_rows: rows explained at most, drawn by seed, of classifiers that are neither linear nor trees; each row of
            these costs some tenths of a second.
        random_state: seed of the draws.

    Raises:
        MissingExtraError: trees, and shap is not installed.
        ValueError: no row, other columns in the background, a value that is not finite (forests score missing ones),
            more than two classes, or a tree model that shap does not reproduce.
    """
    _check(classifier, X, background, max_rows)
    with threadpool_limits(1):
        if isinstance(classifier, LogisticRegression):
            return _linear(classifier, X, background)
        trees = output_of_trees(classifier)
        if trees is not None:
            return _trees(classifier, X, background, *trees)
        return _by_calls(classifier, X, background, max_rows, random_state)


def _check(classifier: Any, X: pd.DataFrame, background: pd.DataFrame, max_rows: int) -> None:
    if not len(X) or not len(background) or max_rows < 1:
        message = (
            f"SHAP needs a row to explain, a background and max_rows of 1 or more; got {len(X)} rows, "
            f"{len(background)} of background and max_rows={max_rows}: give background_of(training rows)."
        )
        raise StatisticsError(message)
    if list(X.columns) != list(background.columns):
        message = (
            f"Rows and background need the same columns in the same order; got {X.shape[1]} and "
            f"{background.shape[1]}: make the background from the table that the classifier was fitted on."
        )
        raise StatisticsError(message)
    for name, table in (("rows", X), ("background", background)):
        finite = np.isfinite(table.to_numpy(dtype=np.float64))
        if not finite.all() and not (name == "rows" and isinstance(classifier, FORESTS)):
            column = table.columns[int(np.argmin(finite.all(axis=0)))]
            message = (
                f"Feature {column!r} of the {name} has a value that is not finite: impute it, or leave the row out."
            )
            raise StatisticsError(message)
    classes = getattr(classifier, "classes_", (0, 1))
    if len(classes) != 2:
        message = f"SHAP is for two classes; the classifier has {len(classes)}: explain one class against the rest."
        raise StatisticsError(message)


def _given(classifier: Any, X: pd.DataFrame) -> Any:
    """The table as the classifier was fitted on it, with names or without."""
    names = getattr(classifier, "feature_names_in_", None)
    named = names is not None and list(names) == list(X.columns)
    return X if named else X.to_numpy(dtype=np.float64)


def _made(X: pd.DataFrame, values: Floats, base: float, scale: Scale, how: str) -> Explanation:
    names = tuple(map(str, X.columns))
    data = X.to_numpy(dtype=np.float64)
    return Explanation(values=values, base=base, scale=scale, rows=tuple(X.index), columns=names, data=data, how=how)


def _linear(classifier: Any, X: pd.DataFrame, background: pd.DataFrame) -> Explanation:
    mean = background.to_numpy(dtype=np.float64).mean(axis=0)
    coefficients = np.asarray(classifier.coef_[0], dtype=np.float64)
    values = coefficients * (X.to_numpy(dtype=np.float64) - mean)
    base = float(classifier.intercept_[0] + np.sum(coefficients * mean))
    return _made(X, values, base, "log-odds", f"linear SHAP, exact, {len(background)} background rows, {len(X)} rows")


def _trees(classifier: Any, X: pd.DataFrame, background: pd.DataFrame, scale: Scale, output: Output) -> Explanation:
    values, base = tree_shap(classifier, X, background)
    how = f"TreeSHAP, interventional, exact, {len(background)} background rows, {len(X)} rows"
    made = _made(X, values, base, scale, how)
    apart = float(np.abs(made.output - np.ravel(output(_given(classifier, X)))).max())
    if not apart < AGREES:
        message = (
            f"shap reads {type(classifier).__name__} otherwise than the model scores: outputs differ by {apart:.2g}; "
            "install the versions of constraints.txt."
        )
        raise StatisticsError(message)
    return made


def _by_calls(
    classifier: Any, X: pd.DataFrame, background: pd.DataFrame, max_rows: int, random_state: int
) -> Explanation:
    n = len(X)
    if n > max_rows:
        ordered = np.argsort(X.index.to_numpy(), kind="stable")
        drawn = np.random.default_rng(random_state).choice(n, max_rows, replace=False)
        X = X.iloc[ordered[np.sort(drawn)]]
    absent, p = background.to_numpy(dtype=np.float64), X.shape[1]
    score = _score(classifier, X.columns)
    base = float(score(absent).mean())
    exact = p <= MOST_ENUMERATED
    orders = orderings(p, PAIRS, random_state)
    results = [
        (enumerated(score, row, absent), None) if exact else sampled(score, row, absent, orders)
        for row in X.to_numpy(dtype=np.float64)
    ]
    what = f"all {2**p} coalitions, exact" if exact else f"{len(orders)} orderings of {p} features, sampled"
    how = f"{what}, {len(background)} background rows, {len(X)} of {n} rows"
    made = _made(X, np.array([values for values, _ in results]), base, "probability", how)
    return made if exact else replace(made, error=np.array([error for _, error in results]))


def _score(classifier: Any, columns: pd.Index) -> Score:
    return lambda rows: positive_score(classifier, _given(classifier, pd.DataFrame(rows, columns=columns)))
