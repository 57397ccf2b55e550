"""Shapley values of one row by calling the model: every coalition, or orderings of the features drawn by seed."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from glottis.evaluation.interval import Bools, Floats

Score = Callable[[Floats], Floats]
MOST_ENUMERATED = 10
PAIRS = 64
_MOST_CELLS = 4_000_000


def enumerated(score: Score, row: Floats, background: Floats) -> Floats:
    """Exact Shapley values (Shapley 1953) over all 2^p coalitions.

    A coalition's worth is the mean score of the background rows with the coalition's features set to the row's.

    Args:
        score: (k, p) rows to (k,) outputs.
        row: (p,) what is explained.
        background: (m, p) what absent features are drawn from.

    Returns:
        (p,) values; they sum to the row's score minus the background's mean score.
    """
    p = row.size
    codes = np.arange(2**p)
    coalitions = (codes[:, None] >> np.arange(p)) & 1 == 1
    worth = _worth(score, row, background, coalitions)
    size = coalitions.sum(axis=1)
    weight = np.array([1 / (p * math.comb(p - 1, k)) for k in range(p)])
    values = np.empty(p)
    for feature in range(p):
        without = codes[~coalitions[:, feature]]
        values[feature] = np.sum(weight[size[without]] * (worth[without | (1 << feature)] - worth[without]))
    return values


def orderings(p: int, pairs: int, random_state: int) -> NDArray[np.intp]:
    """(2 * pairs, p) orderings of the features, each followed by its reverse, which halves the error of most models."""
    rng = np.random.default_rng(random_state)
    drawn = [rng.permutation(p) for _ in range(pairs)]
    return np.array([order for one in drawn for order in (one, one[::-1])])


def sampled(score: Score, row: Floats, background: Floats, orders: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Shapley values from some orderings: what each feature adds when it joins those before it (Castro 2009).

    Args:
        score: (k, p) rows to (k,) outputs.
        row: (p,) what is explained.
        background: (m, p) what absent features are drawn from.
        orders: (2k, p) from `orderings`; the same for every row.

    Returns:
        (p,) values, whose sum is exact, and their (p,) standard errors over the pairs of orderings.
    """
    n, p = orders.shape
    place = np.argsort(orders, axis=1)
    coalitions = place[:, None, :] < np.arange(p + 1)[:, None]  # ordering, number present, feature
    distinct, which = np.unique(coalitions.reshape(-1, p), axis=0, return_inverse=True)
    worth = _worth(score, row, background, distinct)[which.reshape(n, p + 1)]
    added = np.take_along_axis(np.diff(worth, axis=1), place, axis=1)
    of_pairs = added.reshape(n // 2, 2, p).mean(axis=1)
    error = of_pairs.std(axis=0, ddof=1) / math.sqrt(n // 2) if n > 2 else np.full(p, np.nan)
    return of_pairs.mean(axis=0), error


def _worth(score: Score, row: Floats, background: Floats, coalitions: Bools) -> Floats:
    """(c,) mean score of the background with each coalition's features set to the row's."""
    m, p = background.shape
    step = max(1, _MOST_CELLS // (m * p))
    parts = []
    for start in range(0, len(coalitions), step):
        present = coalitions[start : start + step, None, :]
        mixed = np.where(present, row, background[None]).reshape(-1, p)
        parts.append(score(mixed).reshape(-1, m).mean(axis=1))
    return np.concatenate(parts)
