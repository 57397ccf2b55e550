"""SHAP against a slow enumeration of orderings, and the laws that Shapley values keep."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from modelling_cohorts import cohort
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

from glottis._errors import MissingExtraError, StatisticsError
from glottis.modelling import CLASSIFIERS, Explanation, background_of, explain
from glottis.modelling.classifiers import positive_score
from glottis.modelling.shapley import enumerated, orderings, sampled

X, Y = cohort(3, n=120, n_features=4)
BACKGROUND = background_of(X, n=7)
TREES = ["random_forest", "extra_trees", "xgboost", "lightgbm"]
TOLERANCE = {"xgboost": 2e-6}  # its margins are single precision


def fitted(name: str, X: pd.DataFrame = X, y: pd.Series = Y, **parameters: Any) -> Any:
    spec = CLASSIFIERS[name]
    return spec.make(0).set_params(**parameters).fit(spec.given(X), y)


def output(name: str, classifier: Any, table: pd.DataFrame) -> Any:
    """On the scale of the explanation, by the library's own prediction."""
    if name == "logistic_regression":
        return classifier.decision_function(table)
    if name == "xgboost":
        return classifier.predict(table.to_numpy(), output_margin=True)
    if name == "lightgbm":
        return classifier.predict(table.to_numpy(), raw_score=True)
    return positive_score(classifier, table)


def slow(score: Any, row: pd.Series, background: pd.DataFrame) -> list[float]:
    """Shapley values by their definition: the mean over all orderings of what a feature adds when it joins."""
    total = dict.fromkeys(background.columns, 0.0)
    orders = list(permutations(background.columns))
    for order in orders:
        mixed = background.copy()
        before = np.mean(score(mixed))
        for name in order:
            mixed[name] = row[name]
            after = np.mean(score(mixed))
            total[name] += (after - before) / len(orders)
            before = after
    return list(total.values())


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_shap_is_the_mean_over_all_orderings(name: str) -> None:
    small = {"n_estimators": 12} if name in TREES else {}
    classifier = fitted(name, **small)
    found = explain(classifier, X.iloc[:3], BACKGROUND)
    for place in range(3):
        wanted = slow(lambda table: output(name, classifier, table), X.iloc[place], BACKGROUND)
        assert found.values[place] == pytest.approx(wanted, abs=TOLERANCE.get(name, 1e-7))


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_base_and_values_sum_to_the_models_output(name: str) -> None:
    classifier = fitted(name)
    found = explain(classifier, X.iloc[:20], BACKGROUND)
    wanted = output(name, classifier, X.iloc[:20])
    assert found.output == pytest.approx(wanted, abs=TOLERANCE.get(name, 1e-7))
    assert found.base == pytest.approx(np.mean(output(name, classifier, BACKGROUND)), abs=TOLERANCE.get(name, 1e-7))
    assert found.scale == ("log-odds" if name in ("logistic_regression", "xgboost", "lightgbm") else "probability")


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_rows_values_depend_on_no_other_row(name: str) -> None:
    classifier = fitted(name)
    rows = X.iloc[:6]
    together, turned = explain(classifier, rows, BACKGROUND), explain(classifier, rows[::-1], BACKGROUND)
    alone = explain(classifier, rows.iloc[[4]], BACKGROUND)
    assert together.values.tolist() == turned.values[::-1].tolist()
    assert alone.values[0].tolist() == together.values[4].tolist()


def test_linear_shap_is_coefficient_times_distance_from_the_mean() -> None:
    classifier = fitted("logistic_regression")
    found = explain(classifier, X, BACKGROUND)
    assert found.values == pytest.approx(classifier.coef_ * (X - BACKGROUND.mean()).to_numpy(), abs=1e-12)


@pytest.mark.parametrize("name", TREES)
def test_a_feature_that_no_tree_uses_gets_nothing(name: str) -> None:
    table = X.assign(constant=2.0)
    found = explain(fitted(name, table), table.iloc[:5] + 1, background_of(table, n=7))
    assert found.values[:, -1].tolist() == [0.0] * 5
    assert np.abs(found.values[:, :-1]).sum() > 0


@pytest.mark.parametrize("name", ["svm", "mlp"])
def test_a_feature_at_the_backgrounds_own_value_gets_nothing(name: str) -> None:
    found = explain(fitted(name), X.iloc[:5].assign(**{X.columns[2]: 1.0}), BACKGROUND.assign(**{X.columns[2]: 1.0}))
    assert np.abs(found.values[:, 2]).max() < 1e-12


def product(rows: Any) -> Any:
    return rows[:, 0] * rows[:, 1] + rows[:, 2]


def test_features_of_equal_part_get_equal_credit() -> None:
    row, background = np.array([2.0, 2.0, 5.0]), np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    assert enumerated(product, row, background) == pytest.approx([1.75, 1.75, 4.5])
    values, _ = sampled(product, row, background, orderings(3, 2, 0))
    assert values == pytest.approx([1.75, 1.75, 4.5])  # a product of two: one ordering and its reverse are enough


def threes(rows: Any) -> Any:
    return rows[:, 0] * rows[:, 1] * rows[:, 2] + np.tanh(rows).prod(axis=1)


def test_drawn_orderings_miss_all_coalitions_by_their_own_standard_error() -> None:
    data = np.random.default_rng(1).standard_normal((30, 5))
    row, background = data[0], data[1:]
    found = [sampled(threes, row, background, orderings(5, 20, seed)) for seed in range(200)]
    missed = np.array([values for values, _ in found]) - enumerated(threes, row, background)
    expected = np.mean([error**2 for _, error in found], axis=0)
    assert np.abs(missed.sum(axis=1)).max() < 1e-12
    assert (np.abs(missed.mean(axis=0)) < 4 * np.sqrt(expected / 200)).all()
    assert np.square(missed).mean(axis=0) == pytest.approx(expected, rel=0.4)


def test_many_features_are_explained_by_sampling_that_sums_and_repeats() -> None:
    table, outcome = cohort(5, n=80, n_features=13)
    classifier, background = fitted("mlp", table, outcome), background_of(table, n=5)
    found = explain(classifier, table, background, max_rows=4, random_state=2)
    again = explain(classifier, table.sample(frac=1, random_state=1), background, max_rows=4, random_state=2)
    assert found.how == "128 orderings of 13 features, sampled, 5 background rows, 4 of 80 rows"
    assert (found.rows, found.values.tolist()) == (again.rows, again.values.tolist())
    assert found.output == pytest.approx(positive_score(classifier, table.loc[list(found.rows)]), abs=1e-12)
    assert found.error is not None
    assert 0 < found.error.mean() < 0.05


def test_a_background_of_more_than_a_hundred_rows_is_used_whole() -> None:
    classifier = fitted("random_forest", n_estimators=5)
    wanted = classifier.predict_proba(X)[:, 1].mean()
    assert explain(classifier, X.iloc[:1], X).base == pytest.approx(wanted, abs=1e-7)


@pytest.mark.parametrize(
    "model",
    [DecisionTreeClassifier(max_depth=3), GradientBoostingClassifier(), HistGradientBoostingClassifier(max_iter=5)],
)
def test_other_trees_of_scikit_learn_are_exact_too(model: Any) -> None:
    classifier = model.set_params(random_state=0).fit(X, Y)
    found = explain(classifier, X.iloc[:2], BACKGROUND)
    score = classifier.decision_function if found.scale == "log-odds" else lambda t: classifier.predict_proba(t)[:, 1]
    assert found.how.startswith("TreeSHAP")
    assert found.values[1] == pytest.approx(slow(score, X.iloc[1], BACKGROUND), abs=1e-6)


@pytest.mark.parametrize("name", ["xgboost", "lightgbm"])
def test_a_bare_booster_is_explained_as_its_classifier(name: str) -> None:
    classifier = fitted(name, n_estimators=10)
    booster = classifier.get_booster() if name == "xgboost" else classifier.booster_
    whole, bare = (explain(model, X.iloc[:4], BACKGROUND) for model in (classifier, booster))
    assert bare.values.tolist() == whole.values.tolist()
    assert (bare.base, bare.scale) == (whole.base, "log-odds")


def test_a_booster_fitted_with_names_is_explained() -> None:
    named = X.set_axis(list("abcd"), axis=1)
    classifier = CLASSIFIERS["xgboost"].make(0).fit(named, Y)
    booster = classifier.get_booster()
    background = BACKGROUND.set_axis(list("abcd"), axis=1)
    assert explain(booster, named.iloc[:2], background).base == explain(classifier, named.iloc[:2], background).base


def test_any_classifier_of_scikit_learn_is_explained() -> None:
    classifier = KNeighborsClassifier(7).fit(X, Y)
    found = explain(classifier, X.iloc[:2], BACKGROUND)
    assert found.how == "all 16 coalitions, exact, 7 background rows, 2 of 2 rows"
    assert found.output == pytest.approx(classifier.predict_proba(X.iloc[:2])[:, 1], abs=1e-12)


def test_a_forest_explains_a_patient_with_a_missing_value() -> None:
    classifier, row = fitted("random_forest"), X.iloc[[0]].copy()
    row.iloc[0, 0] = np.nan
    assert explain(classifier, row, BACKGROUND).output == pytest.approx(classifier.predict_proba(row)[:, 1], abs=1e-7)


def test_trees_that_do_not_split_explain_nothing() -> None:
    few = X.iloc[:10]
    classifier = fitted("lightgbm", few, Y[:10], min_child_samples=20)
    assert explain(classifier, few, BACKGROUND).values.tolist() == np.zeros((10, 4)).tolist()


def test_an_explanation_is_stored_as_plain_values() -> None:
    found = explain(fitted("logistic_regression"), X.iloc[:3], BACKGROUND)
    stored = json.loads(json.dumps(found.to_dict()))
    back = Explanation.from_dict(stored)
    assert back.to_dict() == found.to_dict()
    assert back.output.tolist() == found.output.tolist()


def test_values_before_the_z_score_take_the_place_of_those_the_classifier_saw() -> None:
    found = explain(fitted("logistic_regression"), X.iloc[:3], BACKGROUND).shown_as(X * 10 + 5)
    assert found.data == pytest.approx(X.iloc[:3].to_numpy() * 10 + 5)


@pytest.mark.parametrize("name", TREES)
def test_without_shap_the_extra_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    classifier = fitted(name, n_estimators=2)
    monkeypatch.setitem(sys.modules, "shap", None)
    with pytest.raises(MissingExtraError, match=r"needs 'shap', which is not installed.*glottis\[explain\]"):
        explain(classifier, X, BACKGROUND)


def test_a_linear_model_is_explained_without_shap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "shap", None)
    assert explain(fitted("logistic_regression"), X, BACKGROUND).values.shape == (120, 4)


def test_importing_the_models_loads_no_shap() -> None:
    code = "import sys, glottis.modelling; print('shap' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_shap_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    for name in CLASSIFIERS:
        explain(fitted(name), X.iloc[:2], BACKGROUND)
    assert capfd.readouterr() == ("", "")


def test_a_tree_model_that_shap_misreads_is_refused() -> None:
    classifier, row = fitted("lightgbm"), X.iloc[[0]]
    classifier.predict = lambda table, raw_score: np.array([9.0])
    with pytest.raises(StatisticsError, match=r"shap reads LGBMClassifier otherwise .* outputs differ by .*; install"):
        explain(classifier, row, BACKGROUND)


def test_other_columns_in_the_background_are_refused() -> None:
    with pytest.raises(StatisticsError, match="same columns in the same order; got 4 and 3: make the background"):
        explain(fitted("svm"), X, BACKGROUND.iloc[:, :3])


def test_no_row_is_refused() -> None:
    with pytest.raises(StatisticsError, match=r"got 0 rows, 7 of background and max_rows=100: give background_of"):
        explain(fitted("svm"), X.iloc[:0], BACKGROUND)


@pytest.mark.parametrize("name", ["svm", "lightgbm"])
def test_a_missing_value_is_refused(name: str) -> None:
    with pytest.raises(StatisticsError, match=r"of the rows has a value that is not finite: impute it"):
        explain(fitted(name), X.where(X > 0), BACKGROUND)


def test_three_classes_are_refused() -> None:
    classifier = DecisionTreeClassifier().fit(X, np.arange(120) % 3)
    with pytest.raises(StatisticsError, match="for two classes; the classifier has 3: explain one class"):
        explain(classifier, X, BACKGROUND)
