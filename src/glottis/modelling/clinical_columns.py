"""Columns of a clinical table: numbers, words, words with an order; what is refused, what a model keeps of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from glottis._errors import nearest
from glottis.evaluation.interval import Bools
from glottis.modelling.terms import LinearPredictor, Term

FEW = 5
Ordinal = Mapping[str, Sequence[str]]


def typed(X: pd.DataFrame, reference: Mapping[str, str], ordinal: Ordinal) -> pd.DataFrame:
    """Numbers as float with nan, words as they are with None.

    Args:
        X: (n, p) clinical columns.
        reference: column of words to its reference level.
        ordinal: column of words to its levels in order.

    Raises:
        ValueError: no column, one that mixes words and numbers or holds booleans or infinity; a reference or an order
            for a column that is absent or holds numbers, or for both; a level that an order does not list.
    """
    if not X.shape[1]:
        message = "The clinical model has no column to learn from: name at least one."
        raise ValueError(message)
    for name in [*reference, *ordinal]:
        if name not in X.columns:
            message = f"There is no column {name!r}: {nearest(name, map(str, X.columns))}"
            raise ValueError(message)
    table = pd.DataFrame({str(name): _typed(str(name), X[name]) for name in X.columns}, index=X.index)
    for name in [*reference, *ordinal]:
        if types.is_numeric_dtype(table[name]):
            message = (
                f"Column {name!r} holds numbers, which enter with one coefficient a unit: leave it out of reference "
                "and ordinal, or write its values as words."
            )
            raise ValueError(message)
    for name, levels in ordinal.items():
        _check_order(name, table[name], list(levels), name in reference)
    return table


def _typed(name: str, values: pd.Series[Any]) -> pd.Series[Any]:
    if types.is_numeric_dtype(values) and not types.is_bool_dtype(values):
        numbers = pd.Series(values.to_numpy(dtype=np.float64, na_value=np.nan), index=values.index)
        if np.isinf(numbers).any():
            patient = numbers.index[np.isinf(numbers)][0]
            message = f"Column {name!r} of {patient!r} is infinite: correct it, or empty it."
            raise ValueError(message)
        return numbers
    words = values.astype(object).where(values.notna(), None)
    wrong = [word for word in words if not (word is None or isinstance(word, str))]
    if wrong and all(isinstance(word, bool | np.bool_) for word in wrong):
        message = f"Column {name!r} holds booleans: write them as the words 'True' and 'False', here and when scoring."
        raise ValueError(message)
    if wrong and len(wrong) < words.notna().sum():
        message = f"Column {name!r} mixes words with {wrong[0]!r}: write all its values as words, or all as numbers."
        raise ValueError(message)
    return _typed(name, pd.to_numeric(values.astype(object))) if wrong else words


def _check_order(name: str, values: pd.Series[Any], levels: list[str], has_reference: bool) -> None:
    if len(levels) < 2 or len(set(levels)) < len(levels):
        message = f"The order of {name!r} needs two different levels or more, each once; got {levels}."
        raise ValueError(message)
    if has_reference:
        message = f"Column {name!r} has an order, so its first level {levels[0]!r} is the reference: name no other."
        raise ValueError(message)
    new = [word for word in values.dropna() if word not in levels]
    if new:
        message = f"Column {name!r} holds {new[0]!r}, which its order {levels} lacks: add it, or correct the table."
        raise ValueError(message)


def constants(table: pd.DataFrame) -> list[str]:
    """Columns with fewer than two different values."""
    return [str(name) for name in table.columns if table[name].nunique() < 2]


def coded(table: pd.DataFrame, ordinal: Ordinal) -> pd.DataFrame:
    """The table with ordered words as 0, 1, 2 ..."""
    codes = {
        name: table[name].map({level: float(place) for place, level in enumerate(levels)}).astype(np.float64)
        for name, levels in ordinal.items()
        if name in table.columns
    }
    return table.assign(**codes)


def term_of(
    values: pd.Series[Any], coefficients: Sequence[float], levels: Sequence[str] | None, *, ordered: bool
) -> Term:
    """The term of a column.

    Args:
        values: (n,) what the training patients have, with gaps.
        coefficients: one of a number; the step of ordered levels; else one for each level after the first.
        levels: the reference first; None for a number.
        ordered: the levels have an order.
    """
    name, known = str(values.name), values.dropna()
    if levels is None:
        low, high, fill = float(known.min()), float(known.max()), float(known.median())
        return Term(column=name, coefficients=(float(coefficients[0]),), low=low, high=high, fill=fill)
    counts = known.value_counts()
    usual = max(levels, key=lambda level: int(counts.get(level, 0)))
    steps = [float(coefficients[0]) * place for place in range(1, len(levels))] if ordered else map(float, coefficients)
    return Term(column=name, coefficients=tuple(steps), levels=tuple(levels), ordered=ordered, fill=usual)


def rare_levels(table: pd.DataFrame, ordinal: Ordinal) -> list[str]:
    """A note for every level with fewer than `FEW` patients."""
    notes = []
    for name in table.columns:
        if types.is_numeric_dtype(table[name]):
            continue
        counts = table[name].value_counts()
        for level in ordinal.get(name, sorted(counts.index)):
            n = int(counts.get(level, 0))
            if n == 0:
                notes.append(f"no training patient has {level!r} in {name!r}: its place follows from the step alone")
            elif n < FEW:
                notes.append(f"{n} training {'patient has' if n == 1 else 'patients have'} {level!r} in {name!r}")
    return notes


def known_rows(model: LinearPredictor, X: pd.DataFrame) -> pd.DataFrame:
    """(n, terms) whether each value is missing or one that the model can take.

    Raises:
        ValueError: a column of the model is absent.
    """
    return pd.DataFrame({term.column: _known(term, column_of(X, term.column)) for term in model.terms}, index=X.index)


def column_of(X: pd.DataFrame, name: str) -> pd.Series[Any]:
    """A column that the model reads.

    Raises:
        TypeError: X is no DataFrame.
        ValueError: it is absent.
    """
    if not isinstance(X, pd.DataFrame):
        message = f"The model needs a DataFrame with named columns; got {type(X).__name__}: give the clinical table."
        raise TypeError(message)
    if name not in X.columns:
        message = f"The table has no column {name!r}, which the model reads: add it (empty where not known)."
        raise ValueError(message)
    values: pd.Series[Any] = X[name]
    return values


def _known(term: Term, values: pd.Series[Any]) -> Bools:
    if term.levels is None:
        numbers = pd.to_numeric(values.astype(object), errors="coerce").to_numpy(dtype=np.float64)
        return np.asarray(values.isna().to_numpy() | np.isfinite(numbers))
    return np.asarray(values.isna() | values.isin(term.levels))
