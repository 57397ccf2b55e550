"""Odds ratios: of a logistic coefficient, and of a 2x2 table."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from glottis._errors import StatisticsError
from glottis.evaluation.interval import Interval, check_level, plain
from glottis.evaluation.limits import ratio_limits

WALD = "Wald"
WOOLF = "Woolf"


@dataclass(frozen=True)
class OddsRatio:
    """Odds ratio of one column.

    Attributes:
        ratio: above 1, the outcome is likelier; of a unit of a number. None where the classes are separated.
        coefficient: its logarithm.
        se: standard error of the coefficient.
        p_value: Wald's.
    """

    ratio: Interval
    coefficient: float | None
    se: float | None
    p_value: float | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


def odds_ratio(table: ArrayLike, *, level: float = 0.95, added: float = 0.0) -> OddsRatio:
    """Odds ratio of a 2x2 table: odds of the first row over those of the second, with Woolf's limits and Wald's p.

    Args:
        table: counts, a row a level, first column with the outcome, second without.
        level: confidence level.
        added: to every cell; 0.5 (Haldane 1956) gives a ratio where a cell is 0.

    Raises:
        ValueError: not a 2x2 table of counts, or a negative number to add.

    >>> round(odds_ratio([[69, 32], [25, 109]]).ratio.value, 3)
    9.401
    """
    counts = np.asarray(table, dtype=np.float64)
    check_level(level)
    whole = np.isfinite(counts).all() and (counts >= 0).all() and (counts == counts.round()).all()
    if counts.shape != (2, 2) or not whole or not added >= 0:
        message = (
            f"An odds ratio needs a 2x2 table of counts, and nothing negative added to them; got "
            f"{np.asarray(table).tolist()} and {added:g}: check the numbers."
        )
        raise StatisticsError(message)
    cells = counts + added
    if (cells == 0).any():
        return no_odds_ratio(WOOLF, level, "a cell of the table is 0")
    coefficient = math.log(cells[0, 0] * cells[1, 1] / (cells[0, 1] * cells[1, 0]))
    method = f"{WOOLF}, {added:g} added to each cell" if added else WOOLF
    return odds_ratio_of(coefficient, math.sqrt(float((1 / cells).sum())), method, level)


def odds_ratio_of(coefficient: float, se: float, method: str, level: float) -> OddsRatio:
    """The odds ratio of a coefficient with its standard error."""
    p = float(2 * stats.norm.sf(abs(coefficient / se)))
    return OddsRatio(ratio_limits(coefficient, se, level, method), coefficient, se, p)


def no_odds_ratio(method: str, level: float, why: str) -> OddsRatio:
    """None, and why."""
    return OddsRatio(Interval(None, None, None, method, level, f"not estimable: {why}"), None, None, None)
