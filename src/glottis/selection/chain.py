"""The standard order of the radiomics selectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from sklearn.preprocessing import StandardScaler

from glottis.selection.boruta import Boruta
from glottis.selection.lasso import LassoSelector
from glottis.selection.mrmr import MRMR
from glottis.selection.perturbation import PerturbationFilter
from glottis.selection.redundancy import SpearmanFilter
from glottis.selection.reproducibility import ICCFilter
from glottis.selection.rfe import RFESelector
from glottis.selection.univariate import UnivariateFilter
from glottis.selection.variance import VarianceFilter


@dataclass(frozen=True, kw_only=True)
class MoreSteps:
    """Steps that a chain has on request; None leaves a step out.

    Attributes:
        perturbation: features that perturbations leave as they are, after the variance filter.
        univariate: test of each feature alone, before the Spearman filter.
        boruta: features more important than shuffled ones, after the z-score.
        mrmr: relevant features that do not repeat one another, after Boruta.
    """

    perturbation: PerturbationFilter | None = None
    univariate: UnivariateFilter | None = None
    boruta: Boruta | None = None
    mrmr: MRMR | None = None


def radiomics_chain(
    icc: ICCFilter | None = None,
    *,
    spearman: float | None = 0.9,
    lasso_folds: int | None = 5,
    rule: Literal["min", "1se"] = "min",
    n_features: int | Literal["cv"] | None = 15,
    random_state: int = 0,
    more: MoreSteps | None = None,
) -> list[tuple[str, Any]]:
    """Unfitted steps: variance, ICC, Spearman, z-score, LASSO, recursive elimination, and those of ``more``.

    Args:
        icc: the reproducibility filter, where there are repeated delineations.
        spearman: a pair with a higher absolute rank correlation is redundant; None leaves the step out.
        lasso_folds: folds for LASSO's penalty; None leaves the step out.
        rule: penalty at the lowest error, or by the one-standard-error rule.
        n_features: features left at the end; ``"cv"`` chooses their number by cross-validation; None leaves recursive
            elimination out.
        random_state: seed of the folds of LASSO and of the elimination.
        more: steps that the standard chain has not.

    >>> steps = radiomics_chain(more=MoreSteps(univariate=UnivariateFilter("mann-whitney")), n_features="cv")
    >>> [name for name, _ in steps]
    ['variance', 'univariate', 'spearman', 'z-score', 'lasso', 'rfe']
    """
    more = more or MoreSteps()
    lasso = None if lasso_folds is None else LassoSelector(folds=lasso_folds, rule=rule, random_state=random_state)
    rfe = None if n_features is None else RFESelector(n_features=n_features, random_state=random_state)
    steps = [
        ("variance", VarianceFilter()),
        ("perturbation", more.perturbation),
        ("icc", icc),
        ("univariate", more.univariate),
        ("spearman", None if spearman is None else SpearmanFilter(threshold=spearman)),
        ("z-score", StandardScaler().set_output(transform="pandas")),
        ("boruta", more.boruta),
        ("mrmr", more.mrmr),
        ("lasso", lasso),
        ("rfe", rfe),
    ]
    return [(name, step) for name, step in steps if step is not None]
