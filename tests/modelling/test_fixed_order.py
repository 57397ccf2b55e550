from __future__ import annotations

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier

from deployed_models import NAMES, chain, fitted
from glottis.modelling.classifiers import positive_score
from glottis.modelling.fixed_order import weighted_sum

RNG = np.random.default_rng(3)
VALUES, WEIGHTS = RNG.standard_normal((67, 23)), RNG.standard_normal((23, 5))


def test_a_sum_of_products_is_the_matrix_product() -> None:
    exact = [[sum(Fraction(a) * Fraction(b) for a, b in zip(row, w, strict=True)) for w in WEIGHTS.T] for row in VALUES]
    np.testing.assert_allclose(weighted_sum(VALUES, WEIGHTS), np.array(exact, dtype=float), atol=1e-13, rtol=0)


def test_a_row_has_one_sum_whatever_the_other_rows_are() -> None:
    whole = weighted_sum(VALUES, WEIGHTS, 0.3)
    for size in (1, 2, 7, 66):
        np.testing.assert_array_equal(weighted_sum(VALUES[:size], WEIGHTS, 0.3), whole[:size])


def test_a_sum_of_no_columns_is_its_start() -> None:
    np.testing.assert_array_equal(weighted_sum(np.empty((2, 0)), np.empty((0, 3)), np.arange(3)), [[0, 1, 2]] * 2)


@pytest.mark.parametrize("name", NAMES)
def test_a_classifier_scores_a_row_alone_as_in_a_table(name: str) -> None:
    model = fitted(name).classifier_
    rows = np.random.default_rng(4).standard_normal((203, model.n_features_in_))
    given = chain(name)._spec()
    table = rows if not given.named else _named(rows, fitted(name).selected_)
    whole = positive_score(model, table)
    np.testing.assert_array_equal(whole, np.concatenate([positive_score(model, table[i : i + 1]) for i in range(203)]))


@pytest.mark.parametrize("name", ["logistic_regression", "mlp"])
def test_a_fixed_order_changes_no_more_than_the_last_bits(name: str) -> None:
    model = fitted(name).classifier_
    rows = _named(VALUES[:, : model.n_features_in_], fitted(name).selected_)
    np.testing.assert_allclose(positive_score(model, rows), model.predict_proba(rows)[:, 1], rtol=0, atol=1e-13)


@pytest.mark.parametrize("activation", ["identity", "logistic", "relu", "tanh"])
def test_every_activation_is_that_of_scikit_learn(activation: str) -> None:
    outcome = VALUES[:, 0] > 0
    model = MLPClassifier((6, 3), activation=activation, solver="lbfgs", random_state=0).fit(VALUES, outcome)
    np.testing.assert_allclose(positive_score(model, VALUES), model.predict_proba(VALUES)[:, 1], rtol=0, atol=1e-14)


@pytest.mark.parametrize("model", [GaussianNB(), LogisticRegression(fit_intercept=False)])
def test_a_classifier_from_outside_scores_a_row_alone_as_in_a_table(model: GaussianNB | LogisticRegression) -> None:
    model.fit(VALUES, VALUES[:, 0] > 0)
    whole = positive_score(model, VALUES)
    np.testing.assert_array_equal(whole, np.concatenate([positive_score(model, row[None]) for row in VALUES]))
    np.testing.assert_allclose(whole, model.predict_proba(VALUES)[:, 1], rtol=0, atol=1e-15)


def _named(rows: np.ndarray, names: list[str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=names)
