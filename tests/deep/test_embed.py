"""DeepFeatures: what training rows get knows nothing of their outcome, bar the published design."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tiny_networks import QUICK, auc, noise, seeded, squares

from glottis._errors import CohortError, SettingsError
from glottis.deep.embed import DeepFeatures
from glottis.deep.training import NetworkClassifier

MEMORISE = replace(QUICK, epochs=40, learning_rate=2e-2)
SEEDS = range(3)


def features(mode: str, settings=QUICK, **change: object) -> DeepFeatures:
    return DeepFeatures(NetworkClassifier(seeded, settings=settings), **{"mode": mode, "folds": 3, **change})


def cross_validated(columns: np.ndarray, y: np.ndarray) -> float:
    """AUC of a logistic regression on the columns, over five folds."""
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    return auc(y, cross_val_predict(model, columns, y, cv=5, method="predict_proba")[:, 1])


def on_fresh(deep: DeepFeatures, columns: np.ndarray, y: np.ndarray, seed: int) -> float:
    """AUC on 400 fresh images of a logistic regression on the columns."""
    X, truth = noise(400, seed)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)).fit(columns, y)
    return auc(truth, model.predict_proba(deep.transform(X))[:, 1])


@pytest.fixture(scope="module")
def shuffled() -> dict[str, np.ndarray]:
    """Mode to (seeds, 2) AUCs on the 80 training images and on 400 fresh ones, where nothing can be learnt."""
    found: dict[str, list[tuple[float, float]]] = {}
    for mode in ("frozen", "oof_score", "in_sample"):
        for seed in SEEDS:
            X, y = noise(80, seed)
            deep = features(mode, MEMORISE, random_state=seed)
            columns = deep.fit_transform(X, y)
            score = auc(y, columns[:, 0]) if mode == "oof_score" else cross_validated(columns, y)
            found.setdefault(mode, []).append((score, on_fresh(deep, columns, y, seed + 100)))
    return {mode: np.array(values) for mode, values in found.items()}


@pytest.mark.parametrize("mode", ["frozen", "oof_score"])
def test_honest_modes_see_nothing_in_shuffled_outcomes(shuffled, mode) -> None:
    # Standard error of an AUC of noise: sqrt((n + 1) / (12 n_pos n_neg)), .065 for 80 rows, .029 for 400; of the mean
    # of 3 seeds .038 and .017. The limits are 3.9 standard errors away: a failure by chance has p < 2e-4.
    train, fresh = shuffled[mode].mean(axis=0)
    assert abs(train - 0.5) < 0.15
    assert abs(fresh - 0.5) < 0.07


def test_in_sample_features_separate_shuffled_outcomes_and_fail_on_fresh_images(shuffled) -> None:
    train, fresh = shuffled["in_sample"].mean(axis=0)  # as above: p < 1e-4 for the second limit
    assert train > 0.9
    assert abs(fresh - 0.5) < 0.07


@pytest.mark.parametrize("mode", ["frozen", "oof_score", "oof_features", "in_sample"])
def test_every_mode_finds_the_square(mode) -> None:
    X, y = squares(60)
    deep = features(mode, replace(QUICK, epochs=10))
    columns = deep.fit_transform(X, y)
    fresh, truth = squares(60, seed=1)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(columns, y)
    assert auc(truth, model.predict_proba(deep.transform(fresh))[:, 1]) > 0.9 - 0.3 * (mode == "oof_features")


def test_a_row_out_of_fold_is_scored_by_a_network_that_never_saw_it() -> None:
    X, y = squares(30)
    deep = features("oof_score")
    before = deep.fit_transform(X, y)
    fold = deep.fold_.copy()
    marked = X.copy()
    marked[fold == 0] += 50  # planted: only networks of the other folds and the final one may notice
    train = np.flatnonzero(fold != 0)
    alone = NetworkClassifier(seeded, settings=QUICK).fit(marked[train], y[train])
    assert deep.fit_transform(marked, y)[fold == 0, 0] == pytest.approx(alone.predict_proba(marked[fold == 0])[:, 1])
    assert before[fold == 0, 0] == pytest.approx(alone.predict_proba(X[fold == 0])[:, 1])


def test_the_log_has_no_row_in_the_fit_of_its_own_fold() -> None:
    X, y = squares(30)
    groups = np.repeat(np.arange(10), 3)
    deep = features("oof_features", replace(QUICK, epochs=1)).fit(X, y, groups)
    assert [row[:2] for row in deep.fit_log_] == [("network", 0), ("network", 1), ("network", 2), ("network", "final")]
    for _, fold, rows in deep.fit_log_[:3]:
        assert set(rows) == set(np.flatnonzero(deep.fold_ != fold))
        assert not set(groups[list(rows)]) & set(groups[deep.fold_ == fold])
    assert deep.fit_log_[3][2] == tuple(range(30))


def test_training_rows_get_other_scores_than_the_final_network_gives() -> None:
    X, y = squares(30)
    deep = features("oof_score")
    columns = deep.fit_transform(X, y)
    assert not np.allclose(columns, deep.transform(X))
    assert np.array_equal(deep.transform(X)[:, 0], deep.network_.predict_proba(X)[:, 1])


def test_frozen_features_know_no_outcome() -> None:
    X, y = squares(30)
    columns = features("frozen").fit_transform(X, y)
    assert np.array_equal(columns, features("frozen").fit_transform(X, 1 - y))
    assert np.array_equal(columns, features("frozen").fit(X, y).transform(X))


def test_only_the_published_design_is_stamped_optimistic() -> None:
    X, y = squares(30)
    once = replace(QUICK, epochs=1)
    fitted = {mode: features(mode, once).fit(X, y) for mode in ("frozen", "oof_score", "oof_features", "in_sample")}
    assert [mode for mode, deep in fitted.items() if deep.optimistic_] == ["in_sample"]
    assert "looks better than it is" in fitted["in_sample"].note_
    assert "Feature k of one fold's network is not feature k" in fitted["oof_features"].note_
    assert fitted["frozen"].note_ == fitted["oof_score"].note_ == ""


def test_columns_have_names_layer_and_width() -> None:
    X, y = squares(30)
    deep = features("frozen").fit(X, y)
    assert (deep.layer_, deep.width_) == ("pooled output behind 'block2.0'", 16)
    assert list(deep.get_feature_names_out()) == [f"deep_{number:04d}" for number in range(16)]
    assert features("oof_score", replace(QUICK, epochs=1)).fit(X, y).names_ == ["deep_score"]


def test_components_are_those_of_the_training_rows() -> None:
    from sklearn.decomposition import PCA

    X, y = squares(30)
    fresh, _ = squares(10, seed=1)
    whole, reduced = features("frozen"), features("frozen", n_components=3)
    pca = PCA(3, svd_solver="full").fit(whole.fit_transform(X, y))
    assert reduced.fit_transform(X, y) == pytest.approx(pca.transform(whole.transform(X)))
    assert reduced.transform(fresh) == pytest.approx(pca.transform(whole.transform(fresh)))
    assert reduced.names_ == ["deep_pc_0000", "deep_pc_0001", "deep_pc_0002"]
    assert reduced.fit_log_ == (("pca", "final", tuple(range(30))),)


def test_progress_names_the_fold() -> None:
    X, y = squares(30)
    heard: list[str] = []
    features("oof_score", replace(QUICK, epochs=1)).fit(X, y, progress=lambda stage, *rest: heard.append(stage))
    folds = [f"training the network of fold {number}" for number in (1, 2, 3)]
    assert list(dict.fromkeys(heard)) == [*folds, "training the final network"]


def test_deep_features_can_be_cloned() -> None:
    deep = features("in_sample", n_components=2, random_state=7)
    copy = clone(deep)
    assert copy.get_params(deep=False).keys() == deep.get_params(deep=False).keys()
    assert (copy.mode, copy.n_components, copy.random_state, copy.network.settings) == ("in_sample", 2, 7, QUICK)


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"mode": "oof"}, SettingsError, "mode='oof' is not known"),
        ({"mode": "oof_score", "n_components": 2}, SettingsError, "n_components=2 with one score: leave it out"),
        ({"mode": "frozen", "n_components": 99}, SettingsError, "n_components=99 is out of range: give from 1 to 12"),
        ({"mode": "oof_score", "folds": 7}, CohortError, "the smaller class has 6: use fewer folds"),
        ({"mode": "oof_score", "folds": 1}, CohortError, "1 folds for the network: at least 2 are needed"),
    ],
)
def test_features_that_cannot_be_made_are_refused(change, error, says) -> None:
    X, y = squares(12)
    with pytest.raises(error, match=says):
        features(**change).fit(X, y)


def test_groups_too_large_for_the_folds_are_refused() -> None:
    X, y = squares(12)
    groups = [0, 1, 2, 2, 2, 0, 0, 0, 0, 4, 3, 3]
    with pytest.raises(CohortError, match="cannot all hold both classes: the groups are too large; use fewer folds"):
        features("oof_score").fit(X, y, groups)
