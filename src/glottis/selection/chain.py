"""The standard order of the radiomics selectors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import pandas as pd
from sklearn.preprocessing import StandardScaler

from glottis.selection.lasso import LassoSelector
from glottis.selection.redundancy import SpearmanFilter
from glottis.selection.reproducibility import ICCFilter
from glottis.selection.rfe import RFESelector
from glottis.selection.variance import VarianceFilter


def radiomics_chain(
    repeats: Mapping[str, pd.DataFrame] | None = None,
    *,
    icc_threshold: float = 0.75,
    spearman: float = 0.9,
    folds: int = 5,
    rule: Literal["min", "1se"] = "min",
    n_features: int = 15,
    random_state: int = 0,
) -> list[tuple[str, Any]]:
    """Unfitted steps: variance, ICC (only with repeats), Spearman, z-score, LASSO, recursive elimination.

    Args:
        repeats: tables of second delineations by kind, see `ICCFilter`; none or empty leaves the ICC filter out.
        icc_threshold: an ICC must exceed this.
        spearman: a pair with a higher absolute rank correlation is redundant.
        folds: folds for LASSO's penalty.
        rule: penalty at the lowest error, or by the one-standard-error rule.
        n_features: features left at the end.
        random_state: seed of LASSO's folds.
    """
    steps: list[tuple[str, Any]] = [("variance", VarianceFilter())]
    if repeats:
        steps.append(("icc", ICCFilter(repeats, threshold=icc_threshold)))
    return [
        *steps,
        ("spearman", SpearmanFilter(threshold=spearman)),
        ("z-score", StandardScaler().set_output(transform="pandas")),
        ("lasso", LassoSelector(folds=folds, rule=rule, random_state=random_state)),
        ("rfe", RFESelector(n_features=n_features)),
    ]
