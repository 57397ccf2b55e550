"""Fisher's exact test of any r x c table: by enumeration, or by seeded random tables where there are too many."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from scipy.special import gammaln

from glottis.evaluation.interval import Floats

Counts = NDArray[np.int64]
MAXIMUM_TABLES = 6_000_000
RANDOM_TABLES = 20_000
MAXIMUM_PATIENTS = 2_000_000
_EQUALLY_LIKELY = 1e-7  # relative, as R's: tables as probable as the observed one count
_CHUNK = 500_000


def fisher_p(table: ArrayLike, random_state: int = 0) -> tuple[float, bool]:
    """Two-sided p: the probability of all tables with the same margins that are no likelier than this one.

    Args:
        table: (r, c) counts; empty rows and columns are left out.
        random_state: seed of the random tables.

    Returns:
        p, and whether it is exact; `exact_fisher_p` says when it is not. It then is from 20,000 random tables, which
        count the observed one among them.
    """
    exact = exact_fisher_p(table)
    return (_monte_carlo(_laid_out(table), random_state), False) if exact is None else (exact, True)


def exact_fisher_p(table: ArrayLike) -> float | None:
    """The same by listing every table with these margins.

    Args:
        table: (r, c) counts; empty rows and columns are left out.

    Returns:
        p; None where more than 6 million tables would have to be listed or there are more than 2 million patients, 1
        where no table differs.

    >>> round(exact_fisher_p([[3, 1], [1, 3]]), 4)
    0.4857
    """
    counts = _laid_out(table)
    if min(counts.shape, default=0) < 2:
        return 1.0
    lists = _lists(counts)
    if lists is None:
        return None
    columns, log_factorial = counts.sum(axis=0), gammaln(np.arange(counts.sum() + 1) + 1.0)
    every, extreme = _likelihoods(lists, columns, log_factorial, -float(log_factorial[counts].sum()))
    return min(1.0, extreme / every)


def _laid_out(table: ArrayLike) -> Counts:
    """Without empty rows and columns, with no more columns than rows, the largest row last."""
    counts = np.asarray(table, dtype=np.int64)
    counts = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    counts = counts if counts.shape[1] <= counts.shape[0] else counts.T
    ordered: Counts = counts[np.argsort(counts.sum(axis=1), kind="stable")]
    return ordered


def _lists(counts: Counts) -> list[Counts] | None:
    """Every way to fill each row but the last, which follows from them; None where there are too many."""
    if counts.sum() > MAXIMUM_PATIENTS:
        return None
    lists: list[Counts] = []
    for total in counts.sum(axis=1)[:-1].tolist():
        rows = _rows(total, counts.sum(axis=0))
        if rows is None:
            return None
        lists.append(rows)
    return lists if math.prod(map(len, lists)) <= MAXIMUM_TABLES else None


def _rows(total: int, columns: Counts) -> Counts | None:
    """Every way to lay ``total`` over the columns; None where there are too many."""
    highest = np.minimum(columns, total)
    free = np.argsort(highest, kind="stable")[:-1]
    if np.prod(highest[free] + 1.0) > MAXIMUM_TABLES:
        return None
    grids = np.meshgrid(*(np.arange(highest[column] + 1) for column in free), indexing="ij")
    rows = np.zeros((grids[0].size, len(columns)), dtype=np.int64)
    for column, grid in zip(free, grids, strict=True):
        rows[:, column] = grid.ravel()
    last = int(np.setdiff1d(np.arange(len(columns)), free)[0])
    rows[:, last] = total - rows.sum(axis=1)
    inside: Counts = rows[(rows[:, last] >= 0) & (rows[:, last] <= columns[last])]
    return inside


def _likelihoods(lists: list[Counts], columns: Counts, log_factorial: Floats, observed: float) -> tuple[float, float]:
    """Likelihood of all tables together, and of those no likelier than the observed one, in units of that one's."""
    partial, weight = _joined(lists[:-1], columns, log_factorial)
    every, extreme, step = 0.0, 0.0, max(1, _CHUNK // len(lists[-1]))
    for start in range(0, len(partial), step):
        part = slice(start, start + step)
        log_p = _last_rows(partial[part], weight[part], lists[-1], columns, log_factorial) - observed
        likelihood = np.exp(log_p)
        every += float(likelihood.sum())
        extreme += float(likelihood[log_p <= _EQUALLY_LIKELY].sum())
    return every, extreme


def _joined(lists: list[Counts], columns: Counts, log_factorial: Floats) -> tuple[Counts, Floats]:
    """Sums of one row from each list that stay within the columns, and their log weights."""
    partial, weight = np.zeros((1, len(columns)), dtype=np.int64), np.zeros(1)
    for rows in lists:
        sums = (partial[:, None] + rows[None]).reshape(-1, len(columns))
        weights = (weight[:, None] - log_factorial[rows].sum(axis=-1)[None]).ravel()
        inside = (sums <= columns).all(axis=1)
        partial, weight = sums[inside], weights[inside]
    return partial, weight


def _last_rows(partial: Counts, weight: Floats, rows: Counts, columns: Counts, log_factorial: Floats) -> Floats:
    """Log weights of the whole tables, whose largest row is what the others leave."""
    rest = columns - partial[:, None] - rows[None]
    inside = (rest >= 0).all(axis=2)
    whole = weight[:, None] - log_factorial[rows].sum(axis=-1)[None]
    log_p: Floats = whole[inside] - log_factorial[rest[inside]].sum(axis=-1)
    return log_p


def _monte_carlo(counts: Counts, random_state: int) -> float:
    draw = stats.random_table(counts.sum(axis=1), counts.sum(axis=0))
    rng = np.random.default_rng(random_state)
    observed = float(-gammaln(counts + 1).sum())
    extreme, left = 1, RANDOM_TABLES
    while left:
        size = min(left, max(1, _CHUNK // counts.size))
        logs = -gammaln(draw.rvs(size=size, random_state=rng) + 1).sum(axis=(1, 2))
        extreme += int((logs <= observed + _EQUALLY_LIKELY).sum())
        left -= size
    return extreme / (RANDOM_TABLES + 1)
