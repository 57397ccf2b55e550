"""Fisher's exact test of any r x c table: by enumeration, or by seeded random tables where there are too many."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.special import gammaln

from glottis.evaluation.interval import Floats

Counts = NDArray[np.int64]
MAXIMUM_TABLES = 20_000_000
RANDOM_TABLES = 20_000
_EQUALLY_LIKELY = 1e-7
_CHUNK = 2_000_000


def fisher_p(table: Counts, random_state: int = 0) -> tuple[float, bool]:
    """Two-sided p: the probability of all tables with the same margins that are no likelier than this one.

    Args:
        table: (r, c) counts, no margin 0.
        random_state: seed of the random tables.

    Returns:
        p, and whether it is exact; with more than 20 million tables to look at it is from 20,000 random ones, which
        counts the observed table among them.
    """
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    if _number_of_tables(columns, rows.size) < _number_of_tables(rows, columns.size):
        table, rows, columns = table.T, columns, rows
    observed = float(-gammaln(table + 1).sum())
    if _number_of_tables(rows, columns.size) > MAXIMUM_TABLES:
        return _monte_carlo(rows, columns, observed, random_state), False
    rows = np.sort(rows)
    constant = float(gammaln(rows + 1).sum() + gammaln(columns + 1).sum() - gammaln(rows.sum() + 1))
    return min(1.0, _sum_no_likelier(rows, columns, observed, constant)), True


def _number_of_tables(rows: Counts, n_columns: int) -> float:
    """At most so many tables: the largest row follows from the others."""
    free = np.sort(rows)[:-1].tolist()
    return float(math.prod(math.comb(total + n_columns - 1, n_columns - 1) for total in free))


def _sum_no_likelier(rows: Counts, columns: Counts, observed: float, constant: float) -> float:
    log_factorial = gammaln(np.arange(int(max(rows.max(), columns.max())) + 1) + 1.0)
    used, weight = np.zeros((1, columns.size), dtype=np.int64), np.zeros(1)
    for total in rows[:-2].tolist():
        used, weight = _with_row(used, weight, _compositions(total, columns.size), columns, log_factorial)
    last = _compositions(int(rows[-2]), columns.size) if rows.size > 1 else np.zeros((1, columns.size), dtype=np.int64)
    step = max(1, _CHUNK // len(last))
    sums = []
    for start in range(0, len(used), step):
        part = slice(start, start + step)
        filled, logs = _with_row(used[part], weight[part], last, columns, log_factorial)
        logs = logs - log_factorial[columns - filled].sum(axis=1)
        sums.append(np.exp(logs[logs <= observed + _EQUALLY_LIKELY] + constant).sum())
    return math.fsum(sums)


def _with_row(
    used: Counts, weight: Floats, ways: Counts, columns: Counts, log_factorial: Floats
) -> tuple[Counts, Floats]:
    """Every partial table with every way to fill one more row that the columns have room for."""
    filled = (used[:, None, :] + ways[None, :, :]).reshape(-1, columns.size)
    logs = (weight[:, None] - log_factorial[ways].sum(axis=1)[None, :]).ravel()
    fits = (filled <= columns).all(axis=1)
    return filled[fits], logs[fits]


def _compositions(total: int, parts: int) -> Counts:
    """All ways to write ``total`` as an ordered sum of ``parts`` counts, (n_ways, parts)."""
    if parts == 1:
        return np.array([[total]], dtype=np.int64)
    blocks = []
    for first in range(total + 1):
        rest = _compositions(total - first, parts - 1)
        blocks.append(np.column_stack([np.full(len(rest), first, dtype=np.int64), rest]))
    return np.concatenate(blocks)


def _monte_carlo(rows: Counts, columns: Counts, observed: float, random_state: int) -> float:
    draw = stats.random_table(rows, columns)
    rng = np.random.default_rng(random_state)
    extreme, left = 1, RANDOM_TABLES
    while left:
        size = min(left, max(1, _CHUNK // (rows.size * columns.size)))
        logs = -gammaln(draw.rvs(size=size, random_state=rng) + 1).sum(axis=(1, 2))
        extreme += int((logs <= observed + _EQUALLY_LIKELY).sum())
        left -= size
    return extreme / (RANDOM_TABLES + 1)
