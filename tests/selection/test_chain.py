from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline

from glottis.selection import MRMR, Boruta, ICCFilter, MoreSteps, PerturbationFilter, UnivariateFilter, radiomics_chain

RNG = np.random.default_rng(12)
X = pd.DataFrame(RNG.standard_normal((60, 20)), columns=[f"f{i}" for i in range(20)])
Y = (X["f0"] - X["f1"] + 0.5 * RNG.logistic(size=60) > 0).astype(int)
REPEATS = {"noisy": X + 0.1 * RNG.standard_normal(X.shape)}
ALL = MoreSteps(
    perturbation=PerturbationFilter(REPEATS), univariate=UnivariateFilter(p=0.5), boruta=Boruta(), mrmr=MRMR(8)
)


def test_the_standard_chain_has_its_steps_in_order() -> None:
    steps = radiomics_chain(ICCFilter(REPEATS))
    assert [name for name, _ in steps] == ["variance", "icc", "spearman", "z-score", "lasso", "rfe"]
    assert dict(steps)["rfe"].n_features == 15


def test_steps_on_request_come_where_their_docstring_says() -> None:
    names = [name for name, _ in radiomics_chain(ICCFilter(REPEATS), more=ALL, lasso_folds=None, n_features=None)]
    assert names == ["variance", "perturbation", "icc", "univariate", "spearman", "z-score", "boruta", "mrmr"]


def test_the_chain_runs_in_a_pipeline_from_table_to_table() -> None:
    more = MoreSteps(perturbation=ALL.perturbation, univariate=ALL.univariate, mrmr=ALL.mrmr)
    pipeline = Pipeline(radiomics_chain(more=more, n_features="cv")).fit(X, Y)
    selected = pipeline.transform(X)
    assert selected.columns.tolist() == pipeline.get_feature_names_out().tolist()
    assert {"f0", "f1"} <= set(selected.columns)


@pytest.mark.parametrize("name", ["lasso", "rfe"])
def test_the_seed_reaches_every_step_with_folds(name: str) -> None:
    assert dict(radiomics_chain(random_state=7))[name].random_state == 7
