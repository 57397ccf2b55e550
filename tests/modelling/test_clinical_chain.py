from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from clinical_tables import STAGES, clinical
from sklearn.base import clone
from sklearn.utils.estimator_checks import estimator_checks_generator

from glottis.evaluation.discrimination import area
from glottis.modelling import ClinicalChain, FixedClinical
from glottis.modelling.terms import LinearPredictor

ORDER = {"stage": STAGES}


def _fitted(*, gaps: bool = True, **arguments: Any) -> ClinicalChain:
    return ClinicalChain(**{"screen": None, "ordinal": ORDER} | arguments).fit(*clinical(gaps=gaps))


@pytest.fixture(scope="module")
def chain() -> ClinicalChain:
    return _fitted()


def test_each_column_has_its_kind_of_term(chain: ClinicalChain) -> None:
    age, size, stage, site = chain.model_.terms
    assert (age.levels, size.levels) == (None, None)
    assert stage.levels == STAGES
    assert np.diff((0.0, *stage.coefficients)) == pytest.approx(stage.coefficients[0])
    assert (site.levels, site.ordered, len(site.coefficients)) == (("a", "b", "c"), False, 2)


def test_coefficients_and_covariance_have_the_same_names_and_the_models_values(chain: ClinicalChain) -> None:
    names = ["(intercept)", "age", "size", "stage: per step", "site: b", "site: c"]
    assert list(chain.coefficients_.index) == names
    assert list(chain.covariance_.index) == list(chain.covariance_.columns) == names
    assert chain.model_.intercept == chain.coefficients_.iloc[0]
    X, _ = clinical()
    assert (chain.design(X) @ chain.coefficients_).to_numpy() == pytest.approx(chain.model_(X), abs=1e-12)


def test_the_table_tells_the_pooled_coefficients(chain: ClinicalChain) -> None:
    ratios = [row.multivariable for row in chain.table_.rows]
    assert [ratio.coefficient for ratio in ratios] == chain.coefficients_.iloc[1:].tolist()
    assert [ratio.se for ratio in ratios] == pytest.approx(np.sqrt(np.diag(chain.covariance_))[1:])
    assert all("5 imputations pooled" in ratio.ratio.method for ratio in ratios)
    assert chain.table_.rows[0].univariable.ratio.method == "Wald"


def test_fill_and_range_are_those_of_the_training_rows(chain: ClinicalChain) -> None:
    X, _ = clinical()
    _, size, _, site = chain.model_.terms
    assert (size.low, size.high, size.fill) == (X["size"].min(), X["size"].max(), X["size"].median())
    assert site.fill == X["site"].value_counts().idxmax()


def test_the_order_of_rows_changes_nothing(chain: ClinicalChain) -> None:
    X, y = clinical()
    again = clone(chain).fit(X.sample(frac=1, random_state=3), y)
    assert again.coefficients_.equals(chain.coefficients_)
    assert again.out_of_fold_.equals(chain.out_of_fold_)
    assert again.table_ == chain.table_


def test_a_row_scores_alone_as_in_the_table_to_the_last_bit(chain: ClinicalChain) -> None:
    X, _ = clinical(7)
    whole = chain.predict_proba(X)
    alone = np.concatenate([chain.predict_proba(X.iloc[[place]]) for place in range(len(X))])
    assert whole.tobytes() == alone.tobytes()


def test_a_marked_row_changes_no_score_of_its_own_fold(chain: ClinicalChain) -> None:
    X, y = clinical()
    marked = chain.fold_.index[0]
    changed = clone(chain).fit(X.assign(age=X["age"].where(X.index != marked, 8.0)), y)
    own = chain.fold_ == chain.fold_[marked]
    same = changed.out_of_fold_ == chain.out_of_fold_
    assert same[own & (own.index != marked)].all()
    assert not same[~own].any()


def test_each_fold_learns_from_its_training_rows_alone(chain: ClinicalChain) -> None:
    folds = {record.fold for record in chain.fit_log_}
    assert folds == {0, 1, 2, 3, 4, "final"}
    for record in chain.fit_log_:
        expected = chain.fold_.index if record.fold == "final" else chain.fold_.index[chain.fold_ != record.fold]
        assert set(record.rows) == set(expected)
    assert [r.step for r in chain.fit_log_[-4:]] == ["imputation", "univariable", "regression", "threshold"]


def test_inner_auc_and_threshold_come_from_the_out_of_fold_scores(chain: ClinicalChain) -> None:
    _, y = clinical()
    areas = [area(y[own].astype(bool), chain.out_of_fold_[own]) for own in (chain.fold_ == k for k in range(5))]
    assert chain.inner_auc_ == pytest.approx(np.mean(areas))
    positive = chain.out_of_fold_ >= chain.threshold_
    assert positive[y == 1].mean() == chain.youden_.sensitivity


def test_groups_stay_in_one_fold() -> None:
    X, y = clinical()
    groups = pd.Series(np.arange(len(X)) // 2, index=X.index)
    fold = ClinicalChain(screen=None, ordinal=ORDER).fit(X, y, groups=groups).fold_
    assert (fold.groupby(groups).nunique() == 1).all()


def test_the_model_is_plain_values_without_a_patient(chain: ClinicalChain) -> None:
    text = json.dumps(chain.model_.to_dict())
    assert not any(patient in text for patient in chain.fold_.index)
    X, _ = clinical()
    assert LinearPredictor.from_dict(json.loads(text))(X).tobytes() == chain.model_(X).tobytes()


def test_missing_values_are_filled_and_told(chain: ClinicalChain) -> None:
    X, _ = clinical()
    assert chain.filled(X).equals(X.isna())
    filled = X.fillna({term.column: term.fill for term in chain.model_.terms})
    assert chain.predict_proba(X).tobytes() == chain.predict_proba(filled).tobytes()
    assert chain.missing_.to_dict() == X.isna().sum().to_dict()


def test_rows_with_unknown_levels_are_told_and_refused(chain: ClinicalChain) -> None:
    X, _ = clinical()
    strange = X.assign(site=X["site"].where(X.index != "P003", "nowhere"))
    assert X.index[~chain.scorable(strange)].tolist() == ["P003"]
    with pytest.raises(ValueError, match="'nowhere', which no training patient had"):
        chain.predict_proba(strange)


def test_the_light_model_is_the_chains_final_one(chain: ClinicalChain) -> None:
    X, y = clinical()
    light = chain.as_tuned().fit(X, y)
    assert isinstance(light, FixedClinical)
    assert light.predict_proba(X).tobytes() == chain.predict_proba(X).tobytes()
    assert not hasattr(light, "threshold_")


def test_a_forced_column_enters_whatever_its_p() -> None:
    X, y = clinical()
    noise = X.assign(noise=np.random.default_rng(99).standard_normal(len(X)))
    plain = ClinicalChain(ordinal=ORDER).fit(noise, y)
    forced = ClinicalChain(ordinal=ORDER, forced=("noise",)).fit(noise, y)
    assert "noise" not in plain.selected_
    assert forced.selected_ == [*plain.selected_, "noise"]
    assert forced.table_.rule == "univariable p < 0.05 of any level; always noise"


def test_without_a_passing_column_the_model_is_the_intercept() -> None:
    _, y = clinical()
    noise = pd.DataFrame({"noise": np.random.default_rng(1).standard_normal(len(y))}, index=y.index)
    chain = ClinicalChain(screen=0.0001).fit(noise, y)
    assert chain.selected_ == []
    assert chain.predict_proba(noise)[:, 1] == pytest.approx(y.mean())
    assert "the model is the intercept alone" in chain.note_


def test_reference_turns_the_ratio_over() -> None:
    first, second = (_fitted(gaps=False, reference={"site": level}).coefficients_ for level in "ab")
    assert first["site: b"] == pytest.approx(-second["site: a"], rel=1e-6)


def test_another_classs_names_are_kept() -> None:
    X, y = clinical()
    named = ClinicalChain(screen=None, ordinal=ORDER).fit(X, y.map({0: "benign", 1: "malignant"}))
    assert set(named.predict(X)) == set(named.classes_) == {"benign", "malignant"}


PARAMETERS = {
    "check_estimator_cloneable",
    "check_no_attributes_set_in_init",
    "check_get_params_invariance",
    "check_set_params",
    "check_estimator_repr",
    "check_valid_tag_types",
    "check_do_not_raise_errors_in_init_or_set_params",
}  # the others give arrays, and the chain needs named columns
CHECKS = [check for _, check in estimator_checks_generator(ClinicalChain()) if check.func.__name__ in PARAMETERS]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.func.__name__)
def test_its_parameters_keep_the_contract_of_scikit_learn(check: Any) -> None:
    assert len(CHECKS) == len(PARAMETERS)
    check(ClinicalChain())
