"""Sums of products in one order, so that a row's result depends on no other row, to the last bit.

A matrix product picks its order of additions by the number of rows, and so a patient scored alone and the same patient
scored in a table differ in the last bits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from glottis.evaluation.interval import Floats

ACTIVATIONS: Mapping[str, Callable[[Floats], Floats]] = {
    "identity": lambda values: values,
    "logistic": expit,
    "relu": lambda values: np.maximum(values, 0),
    "tanh": np.tanh,
}


def weighted_sum(values: Floats, weights: Floats, start: ArrayLike = 0.0) -> Floats:
    """``start + values @ weights``, added column by column from the first.

    Args:
        values: (n, n_columns).
        weights: (n_columns,) or (n_columns, n_sums).
        start: a number, or (n_sums,).

    Returns:
        (n,) or (n, n_sums).

    >>> weighted_sum(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([10.0, 1.0]), 0.5)
    array([12.5, 34.5])
    """
    total = np.full((len(values), *weights.shape[1:]), start, dtype=np.float64)
    for column, weight in zip(values.T, weights, strict=True):
        total += np.multiply.outer(column, weight)
    return total


def linear_score(fitted: Any, X: Any) -> Floats:
    """(n,) probabilities of a fitted logistic regression of two classes."""
    values = np.asarray(X, dtype=np.float64)
    return np.asarray(expit(weighted_sum(values, fitted.coef_[0], np.ravel(fitted.intercept_)[0])))


def network_score(fitted: Any, X: Any) -> Floats:
    """(n,) probabilities of a fitted multilayer perceptron of two classes."""
    values = np.asarray(X, dtype=np.float64)
    *hidden, last = zip(fitted.coefs_, fitted.intercepts_, strict=True)
    for weights, intercepts in hidden:
        values = ACTIVATIONS[fitted.activation](weighted_sum(values, weights, intercepts))
    return np.asarray(expit(weighted_sum(values, *last)[:, 0]))
