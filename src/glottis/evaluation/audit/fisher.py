"""Fisher's exact test of a table of any shape, by listing every table with its margins."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln

MOST_TABLES = 6_000_000
CHUNK = 500_000
MOST_PATIENTS = 2_000_000
TOLERANCE = 1e-7  # relative, as R's: tables as probable as the observed one count
Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


def fisher_p(table: ArrayLike) -> float | None:
    """Two-sided p: the probability of all tables with these margins that are no more probable than this one.

    Args:
        table: (r, c) counts.

    Returns:
        The p value; None where more than 6 million tables would have to be listed or there are more than 2 million
        patients, 1 where no table differs.

    >>> round(fisher_p([[3, 1], [1, 3]]), 4)
    0.4857
    """
    counts = _laid_out(np.asarray(table, dtype=np.int64))
    if min(counts.shape, default=0) < 2:
        return 1.0
    columns = counts.sum(axis=0)
    if counts.sum() > MOST_PATIENTS:
        return None
    lists = [_rows(int(total), columns) for total in counts.sum(axis=1)[:-1]]
    if (
        any(rows is None for rows in lists)
        or np.prod([float(len(rows)) for rows in lists if rows is not None]) > MOST_TABLES
    ):
        return None
    known = [rows for rows in lists if rows is not None]
    log_factorial = gammaln(np.arange(counts.sum() + 1) + 1.0)
    observed = -float(log_factorial[counts].sum())
    partial, weight = _joined(known[:-1], columns, log_factorial)
    every, extreme, step = 0.0, 0.0, max(1, CHUNK // len(known[-1]))
    for start in range(0, len(partial), step):
        log_p = (
            _last_rows(partial[start : start + step], weight[start : start + step], known[-1], columns, log_factorial)
            - observed
        )
        likelihood = np.exp(log_p)
        every += float(likelihood.sum())
        extreme += float(likelihood[log_p <= TOLERANCE].sum())
    return min(1.0, extreme / every)


def _laid_out(counts: Counts) -> Counts:
    """Without empty rows and columns, with no more columns than rows, the largest row last."""
    counts = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    counts = counts if counts.shape[1] <= counts.shape[0] else counts.T
    return counts[np.argsort(counts.sum(axis=1), kind="stable")]


def _rows(total: int, columns: Counts) -> Counts | None:
    """Every way to lay ``total`` over the columns; None where there are too many."""
    highest = np.minimum(columns, total)
    free = np.argsort(highest, kind="stable")[:-1]
    if np.prod(highest[free] + 1.0) > MOST_TABLES:
        return None
    grids = np.meshgrid(*(np.arange(highest[column] + 1) for column in free), indexing="ij")
    rows = np.zeros((grids[0].size, len(columns)), dtype=np.int64)
    for column, grid in zip(free, grids, strict=True):
        rows[:, column] = grid.ravel()
    last = int(np.setdiff1d(np.arange(len(columns)), free)[0])
    rows[:, last] = total - rows.sum(axis=1)
    inside: Counts = rows[(rows[:, last] >= 0) & (rows[:, last] <= columns[last])]
    return inside


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
