from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from glottis.evaluation import benjamini_hochberg
from glottis.modelling import ComBat, batch_effect

RNG = np.random.default_rng(3)
ROWS = pd.Index([f"P{i:03d}" for i in range(120)])
BATCH = pd.Series(np.repeat(["north", "south", "west"], [50, 40, 30]), index=ROWS)
NOISE = pd.DataFrame(RNG.standard_normal((120, 8)), index=ROWS, columns=list("abcdefgh"))
SHIFTED = NOISE.add(BATCH.map({"north": 0.0, "south": 1.0, "west": -0.7}), axis=0)
BEFORE = batch_effect(SHIFTED, BATCH)
AFTER = batch_effect(SHIFTED, BATCH, combat=ComBat(BATCH))


def test_eta_squared_and_p_are_those_of_the_analysis_of_variance() -> None:
    parts = [[SHIFTED.loc[name == BATCH, feature] for name in ("north", "south", "west")] for feature in SHIFTED]
    p = [stats.f_oneway(*part).pvalue for part in parts]
    between = [
        sum(len(x) * (x.mean() - SHIFTED[f].mean()) ** 2 for x in part) for f, part in zip(SHIFTED, parts, strict=True)
    ]
    np.testing.assert_allclose(list(BEFORE.p_adjusted.values()), benjamini_hochberg(p))
    expected = np.array(between) / (SHIFTED.var(ddof=0) * 120)
    np.testing.assert_allclose(list(BEFORE.eta_squared.values()), expected)
    assert pytest.approx(np.median(expected)) == BEFORE.eta_squared_median


def test_a_shift_shows_in_every_measure_and_combat_takes_it_off_held_out_rows() -> None:
    assert BEFORE.share_significant == 1.0
    assert BEFORE.auc > 0.8
    assert BEFORE.components[0].eta_squared > 0.5
    assert AFTER.share_significant == 0.0
    assert abs(AFTER.auc - AFTER.chance) < 3 * AFTER.chance_sd
    assert max(part.eta_squared for part in AFTER.components) < 0.1
    assert (BEFORE.harmonised, AFTER.harmonised) == (False, True)


def test_the_shares_of_all_components_are_those_of_the_covariance() -> None:
    values = np.linalg.eigvalsh(np.corrcoef(SHIFTED, rowvar=False))[::-1]
    np.testing.assert_allclose([part.variance_share for part in BEFORE.components], values[:5] / values.sum())


def test_two_batches_without_effect_are_told_at_chance() -> None:
    aucs = [
        batch_effect(NOISE, pd.Series(np.random.default_rng(i).permutation(np.arange(120) % 2), index=ROWS)).auc
        for i in range(40)
    ]
    # 40 tables; a fold's null AUC has sd .121, so the mean of 200 folds .0086 if independent: 5 sd allow for dependence
    assert abs(np.mean(aucs) - 0.5) < 0.043


def test_taking_noise_for_a_batch_effect_is_said() -> None:
    wide = pd.DataFrame(np.random.default_rng(4).standard_normal((120, 600)), index=ROWS).add_prefix("f")
    assert batch_effect(wide, BATCH).note == ""
    noisy = batch_effect(wide, BATCH, combat=ComBat(BATCH))
    assert noisy.auc < 0.2
    assert noisy.note == "the AUC is below chance: ComBat took noise of its training rows off the held-out ones"


def test_the_null_deviation_is_that_of_the_formula() -> None:
    halves = pd.Series(np.arange(120) % 2, index=ROWS)
    assert batch_effect(NOISE, halves).chance_sd == pytest.approx(np.sqrt(25 / (12 * 12 * 12) / 5))


def test_a_small_batch_is_left_out_and_named() -> None:
    few = BATCH.where(~BATCH.index.isin(ROWS[:3]), "mobile")
    effect = batch_effect(SHIFTED, few)
    assert effect.batches == {"north": 47, "south": 40, "west": 30}
    assert effect.note == "left out, with fewer rows than folds: 'mobile'"


def test_a_constant_feature_has_no_share_and_is_counted() -> None:
    effect = batch_effect(SHIFTED.assign(flat=1.0), BATCH)
    assert effect.note == "1 features do not vary"
    assert effect.to_dict()["eta_squared"]["flat"] is None
    assert effect.eta_squared_median == pytest.approx(BEFORE.eta_squared_median)


def test_the_order_of_rows_does_not_matter() -> None:
    mixed = SHIFTED.sample(frac=1, random_state=1)
    assert batch_effect(mixed, BATCH, combat=ComBat(BATCH)) == AFTER


def test_combat_learns_from_no_row_that_it_is_judged_on(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[set[str], set[str]]] = []
    fit, transform = ComBat.fit, ComBat.transform
    monkeypatch.setattr(ComBat, "fit", lambda self, X, y=None: seen.append((set(X.index), set())) or fit(self, X))
    monkeypatch.setattr(ComBat, "transform", lambda self, X: seen[-1][1].update(X.index) or transform(self, X))
    batch_effect(SHIFTED, BATCH, combat=ComBat(BATCH))
    assert len(seen) == 5
    assert all(len(fitted) == 96 and applied == set(ROWS) for fitted, applied in seen)


def test_rows_of_one_patient_stay_together() -> None:
    # each patient's rows are copies; were they split, the site would be told by recognising patients
    patient = pd.Series([f"Q{i // 4}" for i in range(120)], index=ROWS)
    copies = NOISE.iloc[np.arange(120) // 4 * 4].set_axis(ROWS)
    site = pd.Series([f"s{i // 4 % 2}" for i in range(120)], index=ROWS)
    assert batch_effect(copies, site, groups=patient).auc < batch_effect(copies, site).auc - 0.1


def test_a_result_is_plain_json() -> None:
    assert json.loads(json.dumps(AFTER.to_dict()))["components"][0]["number"] == 1


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"batch": BATCH.replace("south", "north").replace("west", "north")}, "got 5 folds and 1 such batches of 1"),
        ({"folds": 45}, "got 45 folds and 1 such batches of 3: use fewer folds"),
        ({"X": NOISE.assign(a=np.nan)}, "Feature 'a' of 'P000' is not finite"),
        ({"X": NOISE * 0}, "None of the 8 features varies over the 120 rows"),
        ({"groups": pd.Series("one", index=ROWS)}, "0 such batches of 3"),
    ],
)
def test_what_cannot_be_measured_is_refused(change: dict[str, Any], match: str) -> None:
    given = {"X": NOISE, "batch": BATCH} | change
    with pytest.raises(ValueError, match=match):
        batch_effect(given.pop("X"), given.pop("batch"), **given)
