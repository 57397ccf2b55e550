"""What the clinical chain refuses, leaves out or notes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from clinical_tables import STAGES, clinical

from glottis.modelling import ClinicalChain

ORDER = {"stage": STAGES}
X, Y = clinical()
COMPLETE = clinical(gaps=False)[0]


def _fit(table: pd.DataFrame, **arguments: Any) -> ClinicalChain:
    order = {name: levels for name, levels in ORDER.items() if name in table.columns}
    return ClinicalChain(**{"screen": None, "ordinal": order} | arguments).fit(table, Y)


def test_a_constant_column_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"'consensus' is 'False' throughout in the 200 .*placeholder"):
        _fit(X.assign(consensus=pd.Series("False", index=X.index, dtype=object)))


def test_a_column_without_a_value_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'empty' is without any value in the 200 training patients"):
        _fit(X.assign(empty=np.nan))


def test_a_column_constant_in_a_fold_is_left_out_there() -> None:
    rare = pd.Series("no", index=X.index, dtype=object)
    rare[Y.index[(Y == 1).to_numpy()][0]] = rare[Y.index[(Y == 0).to_numpy()][0]] = "yes"
    notes = [_fit(COMPLETE.assign(rare=rare), random_state=seed).note_ for seed in range(12)]
    assert any("'rare' is left out: it is constant in the training rows" in note for note in notes)


def test_a_separating_column_is_left_out_with_a_note() -> None:
    chain = _fit(COMPLETE.assign(score=Y + 0.1 * np.random.default_rng(0).random(len(Y))))
    assert "score" not in chain.selected_
    assert chain.note_.splitlines()[0] == "'score' is left out: it separates the classes"
    assert "score alone separates the classes: no odds ratio" in chain.table_.notes


def test_a_forced_separating_score_is_refused() -> None:
    score = Y + 0.1 * np.random.default_rng(0).random(len(Y))
    with pytest.raises(ValueError, match=r"'score' separates the classes completely.*nomogram.*use out-of-fold scores"):
        _fit(COMPLETE.assign(score=score), forced=("score",))


def test_columns_that_separate_together_lose_the_later() -> None:
    rng = np.random.default_rng(0)
    first = rng.standard_normal(len(Y))
    second = np.where(Y == 1, 0.2, -0.2) * (1 + rng.random(len(Y))) - first
    chain = _fit(pd.DataFrame({"first": first, "second": second}, index=Y.index))
    assert chain.selected_ == ["first"]
    assert "'second' is left out: it separates the classes together with first" in chain.note_


def test_of_columns_that_separate_together_the_forced_one_stays() -> None:
    rng = np.random.default_rng(0)
    first = rng.standard_normal(len(Y))
    second = np.where(Y == 1, 0.2, -0.2) * (1 + rng.random(len(Y))) - first
    assert _fit(pd.DataFrame({"first": first, "second": second}, index=Y.index), forced=("second",)).selected_ == [
        "second"
    ]


def test_a_level_of_one_class_is_named() -> None:
    site = COMPLETE["site"].where(~COMPLETE.index.isin(Y.index[(Y == 0).to_numpy()][:6]), "d")
    chain = _fit(COMPLETE.assign(site=site))
    assert "'site' is left out: it separates the classes (the 6 with 'd' have one outcome: join levels)" in chain.note_


def test_of_columns_that_say_the_same_the_later_is_left_out() -> None:
    chain = _fit(COMPLETE.assign(months=12 * COMPLETE["age"]))
    assert "months" not in chain.selected_
    assert "'months' is left out: it follows from 'age'" in chain.note_


def test_a_sum_of_others_is_left_out() -> None:
    chain = _fit(COMPLETE.assign(sum=COMPLETE["age"] + COMPLETE["size"]))
    assert "'sum' is left out: it follows from 'age', 'size', 'stage', 'site' together" in chain.note_


def test_two_forced_columns_that_say_the_same_are_refused() -> None:
    with pytest.raises(ValueError, match="Forced column 'months' follows from 'age'"):
        _fit(COMPLETE.assign(months=12 * COMPLETE["age"]), forced=("age", "months"))


def test_a_level_that_a_fold_lacks_is_scored_as_a_gap() -> None:
    site = COMPLETE["site"].copy()
    site[[Y.index[(Y == 1).to_numpy()][0], Y.index[(Y == 0).to_numpy()][0]]] = "rare"
    chains = [_fit(COMPLETE.assign(site=site), random_state=seed) for seed in range(12)]
    assert any("scored as if 'site' were missing: no other row has their level" in chain.note_ for chain in chains)
    assert all(chain.out_of_fold_.notna().all() for chain in chains)
    assert "2 training patients have 'rare' in 'site'" in chains[0].note_


def test_a_level_of_the_order_without_a_patient_is_told() -> None:
    chain = _fit(COMPLETE, ordinal={"stage": (*STAGES, "five")})
    assert "no training patient has 'five' in 'stage'" in chain.note_
    assert chain.model_.terms[2].levels == (*STAGES, "five")


def test_what_was_imputed_is_told() -> None:
    counts = ", ".join(f"{name} {n}" for name, n in X.isna().sum().items() if n)
    assert f"gaps of 200 patients imputed 3 times: {counts}" in _fit(X, imputations=3).note_


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"screen": 5}, "screen=5 is no p value: give one above 0 and up to 1"),
        ({"imputations": 1}, "imputations=1: pooling needs at least 2"),
        ({"forced": ("score",)}, "no column 'score' to force: the table has age"),
        ({"reference": {"Site": "a"}}, "There is no column 'Site': did you mean 'site'"),
        ({"reference": {"site": "z"}}, "'site' has no level 'z' to serve as reference"),
        ({"reference": {"age": "a"}}, "'age' holds numbers, which enter with one coefficient a unit"),
        ({"reference": {"stage": "two"}}, "'stage' has an order, so its first level 'one' is the reference"),
        ({"ordinal": {"stage": STAGES[:3]}}, "'stage' holds 'four', which its order .* lacks: add it"),
        ({"ordinal": {"stage": ("one", "one")}}, "order of 'stage' needs two different levels or more, each once"),
        ({"folds": 1}, "1 inner folds: at least 2 are needed"),
    ],
)
def test_arguments_that_cannot_be_used_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _fit(X, **arguments)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ([True, False] * 100, "holds booleans: write them as the words 'True' and 'False'"),
        (["x", 1.0] * 100, "mixes words with 1.0: write all its values as words, or all as numbers"),
        ([1.0, np.inf] * 100, "of 'P001' is infinite: correct it, or empty it"),
    ],
)
def test_columns_that_cannot_be_used_are_refused(column: list[Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _fit(X.assign(odd=column))


def test_a_table_that_is_none_is_refused() -> None:
    chain = _fit(COMPLETE)
    with pytest.raises(TypeError, match="DataFrame"):
        chain.predict_proba(COMPLETE.to_numpy())
    with pytest.raises(ValueError, match="has no column 'site', which the model reads"):
        chain.predict_proba(COMPLETE.drop(columns="site"))
    with pytest.raises(ValueError, match="no column to learn from"):
        ClinicalChain().fit(COMPLETE[[]], Y)
