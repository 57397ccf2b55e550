"""The standard order of the radiomics selectors."""

from __future__ import annotations

from typing import Any, Literal

from sklearn.preprocessing import StandardScaler

from glottis.selection.lasso import LassoSelector
from glottis.selection.redundancy import SpearmanFilter
from glottis.selection.reproducibility import ICCFilter
from glottis.selection.rfe import RFESelector
from glottis.selection.variance import VarianceFilter


def radiomics_chain(
    icc: ICCFilter | None = None,
    *,
    spearman: float | None = 0.9,
    lasso_folds: int | None = 5,
    rule: Literal["min", "1se"] = "min",
    n_features: int | None = 15,
    random_state: int = 0,
) -> list[tuple[str, Any]]:
    """Unfitted steps: variance, ICC, Spearman, z-score, LASSO, recursive elimination.

    Args:
        icc: the reproducibility filter, where there are repeated delineations.
        spearman: a pair with a higher absolute rank correlation is redundant; None leaves the step out.
        lasso_folds: folds for LASSO's penalty; None leaves the step out.
        rule: penalty at the lowest error, or by the one-standard-error rule.
        n_features: features left at the end; None leaves recursive elimination out.
        random_state: seed of LASSO's folds.
    """
    steps: list[tuple[str, Any]] = [("variance", VarianceFilter())]
    if icc is not None:
        steps.append(("icc", icc))
    if spearman is not None:
        steps.append(("spearman", SpearmanFilter(threshold=spearman)))
    steps.append(("z-score", StandardScaler().set_output(transform="pandas")))
    if lasso_folds is not None:
        steps.append(("lasso", LassoSelector(folds=lasso_folds, rule=rule, random_state=random_state)))
    if n_features is not None:
        steps.append(("rfe", RFESelector(n_features=n_features)))
    return steps
