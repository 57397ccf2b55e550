"""What a fitted clinical model makes of rows: a fold's other rows, and the columns behind the log odds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from glottis.evaluation.discrimination import area
from glottis.evaluation.interval import Bools, Floats
from glottis.modelling.clinical_columns import column_of, known_rows
from glottis.modelling.clinical_fit import ClinicalFit
from glottis.modelling.terms import LinearPredictor


def design_of(model: LinearPredictor, X: pd.DataFrame) -> pd.DataFrame:
    """(n, 1 + coefficients) ones, then the columns of every term, gaps filled."""
    columns: list[Floats] = [np.ones(len(X))]
    for term in model.terms:
        values = column_of(X, term.column)
        filled = values.astype(object).where(values.notna(), term.fill)
        if term.levels is None:
            columns.append(filled.to_numpy(dtype=np.float64))
        elif term.ordered:
            columns.append(np.array([term.levels.index(level) for level in filled], dtype=np.float64))
        else:
            columns += [np.asarray(filled == level, dtype=np.float64) for level in term.levels[1:]]
    return pd.DataFrame(np.column_stack(columns), index=X.index)


def score_fold(fit: ClinicalFit, table: pd.DataFrame) -> tuple[Floats, list[str]]:
    """Probabilities of a fold's other rows; a level that the fold's training rows lack counts as a gap."""
    known = known_rows(fit.model, table)
    notes = [
        f"{int((~known[name]).sum())} scored as if {name!r} were missing: no other row has their level"
        for name in known.columns
        if not known[name].all()
    ]
    usable = table[list(known.columns)].astype(object).where(known, None)
    return np.asarray(expit(fit.model(usable))), notes


def mean_area(truth: Bools, scores: Floats, held: Sequence[NDArray[np.intp]]) -> float:
    """Mean AUC of the folds that hold both classes.

    Raises:
        ValueError: none does.
    """
    areas = [area(truth[rows], scores[rows]) for rows in held if 0 < truth[rows].sum() < rows.size]
    if not areas:
        message = (
            f"None of the {len(held)} inner folds has both classes among its validation rows: use fewer folds, or "
            "check the group column."
        )
        raise ValueError(message)
    return float(np.mean(areas))
