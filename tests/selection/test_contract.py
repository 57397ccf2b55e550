"""scikit-learn's own contract, for the selectors that need no table of repeats."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from glottis.selection import (
    MRMR,
    Boruta,
    LassoSelector,
    RFESelector,
    SpearmanFilter,
    UnivariateFilter,
    VarianceFilter,
)

# these checks fit a logistic regression on raw random numbers and skip what a machine has not: not our warnings
pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning"),
]
SELECTORS = [
    VarianceFilter(),
    SpearmanFilter(),
    LassoSelector(n_alphas=10),
    LassoSelector(n_alphas=10, alpha=0.01),
    RFESelector(n_features=2, step=0.5),
    RFESelector(n_features="cv", step=0.5, folds=2),
    *(UnivariateFilter(test) for test in ("t", "welch", "mann-whitney")),
    UnivariateFilter("anova", adjust="holm"),
    MRMR(n_features=2),
]
if find_spec("boruta"):
    SELECTORS.append(Boruta(n_trees=5, max_rounds=5))


def _expected(selector: Any) -> dict[str, str]:
    holed = "every feature of its data has a missing value: the variance filter drops them, the others refuse them"
    return {"check_estimators_pickle": holed}


@parametrize_with_checks(SELECTORS, expected_failed_checks=_expected)
def test_selector_keeps_the_contract_of_scikit_learn(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)
