from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.inspection import permutation_importance as of_sklearn
from sklearn.linear_model import LogisticRegression

from glottis._errors import StatisticsError
from glottis.evaluation import permutation_importance, roc_auc
from glottis.evaluation.permuted import over_shuffles

RNG = np.random.default_rng(0)
X = pd.DataFrame(RNG.standard_normal((150, 5)), columns=["a", "b", "copy", "noise", "constant"])
X["copy"], X["constant"] = X["a"] + 0.05 * X["copy"], 2.0
Y = (X["a"] + 0.5 * X["b"] + RNG.logistic(size=150) > 0).to_numpy().astype(int)
MODEL = LogisticRegression().fit(X[:75], Y[:75])
HELD, TRUTH = X[75:], Y[75:]


def predict(table: pd.DataFrame) -> np.ndarray:
    return MODEL.predict_proba(table)[:, 1]


def test_the_same_shuffles_give_scikit_learns_importances() -> None:
    """Its code shuffles each column on top of the last shuffle, from the same seed for every column."""
    state = np.random.RandomState(np.random.RandomState(7).randint(np.iinfo(np.int32).max + 1))
    places, shuffles = np.arange(75), [np.arange(75)]
    for _ in range(12):
        state.shuffle(places)
        shuffles.append(shuffles[-1][places])
    wanted = of_sklearn(MODEL, HELD, TRUTH, scoring="roc_auc", n_repeats=12, random_state=7)
    found = over_shuffles(predict, HELD, TRUTH, None, np.array(shuffles[1:]))
    assert np.array([part.drops for part in found.parts]) == pytest.approx(wanted.importances, abs=1e-12)


def test_other_shuffles_agree_with_scikit_learn_within_their_error() -> None:
    forest = RandomForestClassifier(30, random_state=0).fit(X[:75], Y[:75])
    wanted = of_sklearn(forest, HELD, TRUTH, scoring="roc_auc", n_repeats=100, random_state=0)
    found = permutation_importance(lambda table: forest.predict_proba(table)[:, 1], HELD, TRUTH, repeats=100)
    for part, mean, sd in zip(found.parts, wanted.importances_mean, wanted.importances_std, strict=True):
        assert abs(part.value - mean) < 4 * np.hypot(sd, part.sd) / 10 + 1e-12
        assert part.sd == pytest.approx(sd, rel=0.4, abs=1e-12)


def test_a_column_that_the_model_does_not_read_costs_nothing() -> None:
    found = permutation_importance(lambda table: table["a"], HELD, TRUTH)
    assert [part.value for part in found.parts[1:]] == [0.0] * 4
    assert found.parts[0].value > 0.1


def test_shuffling_all_columns_leaves_an_auc_of_a_half() -> None:
    found = permutation_importance(predict, HELD, TRUTH, repeats=200, groups_of_columns={"all": list(X)})
    assert found.auc - found.parts[0].value == pytest.approx(0.5, abs=0.02)
    assert found.auc == roc_auc(TRUTH, predict(HELD)).value


def test_a_group_moves_together_and_shows_what_its_columns_share() -> None:
    single = permutation_importance(predict, HELD, TRUTH).parts
    (group,) = permutation_importance(predict, HELD, TRUTH, groups_of_columns={"T2": ["a", "copy"]}).parts
    assert group.columns == ("a", "copy")
    assert group.value > single[0].value + single[2].value


def test_columns_of_a_group_keep_their_pairs() -> None:
    found = permutation_importance(
        lambda t: t["a"] - t["b"] + t["noise"], HELD.assign(b=HELD["a"]), TRUTH, groups_of_columns={"pair": ["a", "b"]}
    )
    assert np.abs(found.parts[0].drops).max() == 0


def test_many_calls_give_what_one_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = permutation_importance(predict, HELD, TRUTH).to_dict()
    monkeypatch.setattr("glottis.evaluation.permuted._MOST_CELLS", 800)
    assert permutation_importance(predict, HELD, TRUTH).to_dict() == whole


def test_mean_and_sd_are_those_of_the_drops() -> None:
    part = permutation_importance(predict, HELD, TRUTH, repeats=7).parts[0]
    assert len(part.drops) == 7
    assert (part.value, part.sd) == pytest.approx((np.mean(part.drops), np.std(part.drops, ddof=1)))


def test_the_table_given_stays_as_it_was() -> None:
    before = HELD.copy()
    permutation_importance(predict, HELD, TRUTH)
    pd.testing.assert_frame_equal(HELD, before)


def test_the_result_is_stored_as_plain_values() -> None:
    stored = json.loads(json.dumps(permutation_importance(predict, HELD, TRUTH, repeats=3).to_dict()))
    assert [part["name"] for part in stored["parts"]] == list(X)
    assert stored["n_positive"] + stored["n_negative"] == 75


def test_one_class_is_refused() -> None:
    with pytest.raises(StatisticsError, match="must hold both classes"):
        permutation_importance(predict, HELD, np.ones(75))


def test_one_repeat_is_refused() -> None:
    with pytest.raises(StatisticsError, match="at least 2 repeats; got 1: 30 is usual"):
        permutation_importance(predict, HELD, TRUTH, repeats=1)


def test_an_unknown_column_is_refused() -> None:
    with pytest.raises(StatisticsError, match="Group 'T2' names column 'x', which the table has not: give columns"):
        permutation_importance(predict, HELD, TRUTH, groups_of_columns={"T2": ["a", "x"]})


@pytest.mark.parametrize("columns", [[], ["a", "a"]])
def test_an_empty_or_doubled_group_is_refused(columns: list[str]) -> None:
    with pytest.raises(StatisticsError, match="Group 'T2' names no column or one twice: give columns"):
        permutation_importance(predict, HELD, TRUTH, groups_of_columns={"T2": columns})


def test_a_table_without_columns_is_refused() -> None:
    with pytest.raises(StatisticsError, match="no column to shuffle: give a table with columns"):
        permutation_importance(predict, HELD[[]], TRUTH)


def test_two_columns_of_one_name_are_refused() -> None:
    with pytest.raises(StatisticsError, match="Column 'a' is there twice: give every column one name"):
        permutation_importance(predict, HELD.set_axis(["a", "a", "c", "d", "e"], axis=1), TRUTH)
