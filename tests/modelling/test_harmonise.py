from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from glottis.modelling import ComBat, TunedChain
from stored import reference

SVA = reference("combat")
ROWS = pd.Index([f"P{i:02d}" for i in range(len(SVA["batch"]))])
FEATURES = pd.DataFrame(np.array(SVA["features"]).T, index=ROWS, columns=list("uvwxyz"))
BATCH = pd.Series(SVA["batch"], index=ROWS)
COVARIATES = pd.DataFrame({"age": SVA["age"], "sex": SVA["sex"]}, index=ROWS)
AB = ROWS[BATCH.isin(["a", "b"])]
TOLERANCE = {"rtol": 0, "atol": 1e-10}


@pytest.mark.parametrize("case", SVA["cases"], ids=range(len(SVA["cases"])))
def test_every_variant_equals_sva(case: dict[str, Any]) -> None:
    combat = ComBat(BATCH, COVARIATES if case["covariates"] else None, **case["settings"])
    corrected = combat.fit_transform(FEATURES.iloc[: case.get("rows")])
    np.testing.assert_allclose(corrected, np.array(case["expected"]).T, **TOLERANCE)


def _neurocombat(shared_data: Path) -> tuple[pd.DataFrame, pd.Series[Any], pd.DataFrame]:
    """Ten images, features as columns; batch and the covariate are those of its own tests (Testing/norm_r.R)."""
    table = pd.read_csv(shared_data / "combat_ComBatHarmonization" / "inputData" / "testdata.csv").T
    batch = pd.Series(np.repeat(["1", "2"], 5), index=table.index)
    return table, batch, pd.DataFrame({"pheno": [1.0, 0.0] * 5}, index=table.index)


STEMS = [
    f"{prior}_{adjusted}{shrunk}{mean}{ref}"
    for prior in ("parametric", "nonparametric")
    for adjusted in ("adjusted", "unadjusted")
    for shrunk in ("", "_noeb")
    for mean in ("", "_meanonly")
    for ref in ("", "_batchref")
]


@pytest.mark.parametrize("language", ["r", "python"])
@pytest.mark.parametrize("stem", STEMS)
def test_every_variant_equals_neurocombat(shared_data: Path, stem: str, language: str) -> None:
    table, batch, covariates = _neurocombat(shared_data)
    combat = ComBat(
        batch,
        covariates if "_adjusted" in stem else None,
        prior="none" if "noeb" in stem else stem.split("_")[0],
        mean_only="meanonly" in stem,
        reference="1" if "batchref" in stem else None,
    )
    path = shared_data / "combat_ComBatHarmonization" / "outputData" / f"testdata_combat_{stem}_{language}.csv"
    expected = pd.read_csv(path, header=0 if language == "r" else None).T
    np.testing.assert_allclose(combat.fit_transform(table), expected, **TOLERANCE)


def test_new_rows_of_known_batches_equal_neurocombats_from_training(shared_data: Path) -> None:
    table, batch, covariates = _neurocombat(shared_data)
    new = table.iloc[[0, 1, 5, 6]].set_axis(["N1", "N2", "N3", "N4"])  # there, of the training rows' mean covariate
    batch = pd.concat([batch, pd.Series(["1", "1", "2", "2"], index=new.index)])
    covariates = pd.concat([covariates, pd.DataFrame({"pheno": 0.5}, index=new.index)])
    corrected = ComBat(batch, covariates).fit(table).transform(new)
    expected = pd.read_csv(shared_data / "combat_ComBatHarmonization" / "outputData" / "training_test_scenario2_r.csv")
    np.testing.assert_allclose(corrected, expected.T, **TOLERANCE)


def test_a_reference_batch_is_not_changed_by_a_bit() -> None:
    corrected = ComBat(BATCH, COVARIATES, reference="b").fit_transform(FEATURES)
    pd.testing.assert_frame_equal(corrected[BATCH == "b"], FEATURES[BATCH == "b"])
    assert (corrected[BATCH == "a"] != FEATURES[BATCH == "a"]).to_numpy().all()


def test_without_shrinkage_every_batch_gets_the_common_mean_and_spread() -> None:
    corrected = ComBat(BATCH, prior="none").fit_transform(FEATURES)
    by_batch = corrected.groupby(BATCH)
    np.testing.assert_allclose(by_batch.mean(), np.tile(FEATURES.mean(), (3, 1)))
    np.testing.assert_allclose(by_batch.std() / by_batch.std().iloc[0], 1.0)


def test_scaling_a_feature_scales_its_corrected_values() -> None:
    plain, scaled = (ComBat(BATCH, COVARIATES).fit_transform(FEATURES * factor) for factor in (1.0, 1e6))
    np.testing.assert_allclose(scaled, plain * 1e6, rtol=1e-9)


def test_the_order_of_rows_does_not_matter() -> None:
    mixed = FEATURES.sample(frac=1, random_state=0)
    one, two = (ComBat(BATCH, COVARIATES).fit_transform(table) for table in (FEATURES, mixed))
    pd.testing.assert_frame_equal(one, two.loc[ROWS], rtol=1e-9)


def test_a_new_row_gets_the_value_it_gets_among_others() -> None:
    fitted = ComBat(BATCH, COVARIATES).fit(FEATURES)
    among = fitted.transform(FEATURES)
    for row in ROWS:
        pd.testing.assert_frame_equal(fitted.transform(FEATURES.loc[[row]]), among.loc[[row]])


def test_a_batch_of_one_row_is_refused_unless_the_mean_alone_is_corrected() -> None:
    rows = [*AB, BATCH.index[BATCH == "c"][0]]
    with pytest.raises(ValueError, match="'c' has 1 training row, so its spread cannot be estimated: set mean_only"):
        ComBat(BATCH).fit(FEATURES.loc[rows])
    corrected = ComBat(BATCH, mean_only=True, prior="none").fit_transform(FEATURES.loc[rows])
    np.testing.assert_allclose(corrected.iloc[-1], FEATURES.loc[rows].mean())


def test_one_training_batch_changes_nothing_and_says_so() -> None:
    only_a = FEATURES[BATCH == "a"]
    combat = ComBat(BATCH, unseen="reference").fit(only_a)
    assert combat.note_ == "one training batch ('a'): its rows are not changed"
    pd.testing.assert_frame_equal(combat.transform(only_a), only_a)


def test_a_feature_constant_within_a_batch_is_left_as_it_is() -> None:
    flat = FEATURES.assign(w=FEATURES["w"].where(BATCH != "a", 3.0), flat=1.0)
    combat = ComBat(BATCH).fit(flat)
    corrected = combat.transform(flat)
    assert combat.unadjusted_ == ["w", "flat"]
    assert "2 features constant within a batch are left as they are (first: w)" in combat.note_
    pd.testing.assert_frame_equal(corrected[["w", "flat"]], flat[["w", "flat"]])
    pd.testing.assert_frame_equal(corrected[list("uvxyz")], ComBat(BATCH).fit_transform(FEATURES[list("uvxyz")]))


def test_a_missing_value_of_a_new_row_stays_missing_and_moves_no_other() -> None:
    fitted = ComBat(BATCH).fit(FEATURES)
    holed = FEATURES.copy()
    holed.loc["P03", "v"] = np.nan
    corrected = fitted.transform(holed)
    expected = fitted.transform(FEATURES)
    expected.loc["P03", "v"] = np.nan
    pd.testing.assert_frame_equal(corrected, expected)


def test_an_unseen_batch_is_refused_by_default() -> None:
    fitted = ComBat(BATCH).fit(FEATURES.loc[AB])
    with pytest.raises(ValueError, match=r"Batch 'c' \(5 rows\) is not among the training batches 'a', 'b': train"):
        fitted.transform(FEATURES)


def test_an_unseen_batch_is_left_uncorrected_as_reference_and_said_so() -> None:
    fitted = ComBat(BATCH, unseen="reference").fit(FEATURES.loc[AB])
    assert fitted.note_ == ""
    corrected = fitted.transform(FEATURES)
    pd.testing.assert_frame_equal(corrected[BATCH == "c"], FEATURES[BATCH == "c"])
    pd.testing.assert_frame_equal(corrected.loc[AB], fitted.transform(FEATURES.loc[AB]))
    fitted.transform(FEATURES)
    assert fitted.note_ == "batch 'c' (5 rows), unseen in training, left uncorrected, as if it were the reference"


def test_an_unseen_batch_is_estimated_from_its_own_rows_when_asked() -> None:
    fitted = ComBat(BATCH, prior="none", unseen="transductive", minimum_rows=5).fit(FEATURES.loc[AB])
    corrected = fitted.transform(FEATURES)
    of_c = corrected[BATCH == "c"]
    np.testing.assert_allclose(of_c.mean(), fitted.scale_.mean)
    np.testing.assert_allclose(of_c.std(), fitted.scale_.sd)
    assert fitted.note_ == (
        "batch 'c' (5 rows), unseen in training, transductive: estimated from its own rows, without outcomes"
    )


def test_the_estimate_of_an_unseen_batch_is_that_of_a_seen_one_on_the_same_scale() -> None:
    seen = ComBat(BATCH, reference="a").fit(FEATURES).transform(FEATURES)
    unseen = (
        ComBat(BATCH, reference="a", unseen="transductive", minimum_rows=5).fit(FEATURES.loc[AB]).transform(FEATURES)
    )
    pd.testing.assert_frame_equal(seen, unseen)  # with a reference, the common scale is that batch's alone


def test_too_few_rows_of_an_unseen_batch_are_not_estimated() -> None:
    fitted = ComBat(BATCH, unseen="transductive").fit(FEATURES.loc[AB])
    with pytest.raises(ValueError, match="Unseen batch 'c' has 5 rows; 10 are needed to estimate it: give more"):
        fitted.transform(FEATURES)


def test_a_feature_constant_in_an_unseen_batch_is_finite() -> None:
    flat = FEATURES.assign(w=FEATURES["w"].where(BATCH != "c", 3.0))
    fitted = ComBat(BATCH, unseen="transductive", minimum_rows=5).fit(flat.loc[AB])
    assert np.isfinite(fitted.transform(flat)).all(axis=None)
    np.testing.assert_allclose(fitted.transform(flat).loc[BATCH == "c", "w"], 3.0)


def test_it_works_in_a_pipeline_and_can_be_cloned() -> None:
    pipeline = make_pipeline(ComBat(BATCH, COVARIATES), StandardScaler().set_output(transform="pandas"))
    out = clone(pipeline).fit(FEATURES.loc[AB]).transform(FEATURES.loc[AB])
    assert list(pipeline[0].fit(FEATURES).get_feature_names_out()) == list(out.columns) == list("uvwxyz")
    np.testing.assert_allclose(out.mean(), 0, atol=1e-12)


def test_columns_may_come_in_any_order_later() -> None:
    fitted = ComBat(BATCH).fit(FEATURES)
    pd.testing.assert_frame_equal(fitted.transform(FEATURES[FEATURES.columns[::-1]]), fitted.transform(FEATURES))


@pytest.mark.parametrize(
    ("settings", "change", "match"),
    [
        ({"prior": "bayes"}, {}, "prior='bayes' is not known: give one of 'parametric', 'nonparametric', 'none'"),
        ({"unseen": "guess"}, {}, "unseen='guess' is not known"),
        ({"reference": "d"}, {}, "The reference batch 'd' has no training row: use one of 'a', 'b', 'c'"),
        ({}, {"X": FEATURES.assign(u=np.nan)}, r"Feature 'u' of 'P00' is not finite \(21 rows concerned\)"),
        ({}, {"X": FEATURES.assign(site="x")}, "Columns 'site' hold no numbers: harmonise features alone"),
        ({}, {"X": FEATURES[["u"]]}, "learns from the spread over features; 1 can be corrected, 2 are needed"),
        ({}, {"X": FEATURES.iloc[[0, 0, 1]]}, "The row label 'P00' occurs twice"),
        ({"batch": BATCH.iloc[:-2]}, {}, "2 of 21 rows are not in the batch, for example 'P19'"),
        ({"batch": BATCH.where(BATCH != "a")}, {}, r"'P00' has no batch \(7 rows concerned\): fill in the column"),
        ({"covariates": COVARIATES.iloc[5:]}, {}, "5 of 21 rows are not in the covariates"),
        ({"covariates": COVARIATES.assign(age=np.nan)}, {}, "Covariate 'age' of 'P00' is missing"),
        ({"covariates": COVARIATES.assign(sex="f")}, {}, "Column 'sex' does not vary"),
        (
            {"covariates": pd.DataFrame(np.random.default_rng(0).random((21, 18)), index=ROWS)},
            {},
            "explain a feature of the 21 training rows completely",
        ),
        ({"covariates": BATCH.to_frame("site")}, {}, "Covariate site .b against a. follows from the batch in the 21"),
        (
            {"covariates": COVARIATES.assign(dose=COVARIATES["age"] + BATCH.map({"a": 1.0, "b": 2.0, "c": 7.0}))},
            {},
            "Covariate dose follows from the batch",
        ),
    ],
)
def test_what_cannot_be_harmonised_is_refused(settings: dict[str, Any], change: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        ComBat(**{"batch": BATCH} | settings).fit(change.get("X", FEATURES))


@pytest.mark.parametrize(
    ("settings", "what"), [({}, "Features must be a DataFrame"), ({"batch": list("ab")}, "The batch must")]
)
def test_what_has_no_labels_is_refused(settings: dict[str, Any], what: str) -> None:
    with pytest.raises(TypeError, match=what):
        ComBat(**{"batch": BATCH} | settings).fit(FEATURES.to_numpy() if not settings else FEATURES)


def test_a_category_that_training_never_saw_is_named() -> None:
    new = COVARIATES.assign(sex=COVARIATES["sex"].where(COVARIATES.index != "P04", "other"))
    fitted = ComBat(BATCH, new).fit(FEATURES.drop(index="P04"))
    with pytest.raises(
        ValueError, match="Covariate 'sex' of 'P04' is 'other', which no training row has: join it with"
    ):
        fitted.transform(FEATURES)


def test_a_missing_feature_is_named() -> None:
    with pytest.raises(ValueError, match="1 features of the training table are missing, for example 'v'"):
        ComBat(BATCH).fit(FEATURES).transform(FEATURES.drop(columns="v"))


def _marked(rows: pd.Index[Any]) -> tuple[pd.DataFrame, pd.Series[Any], pd.DataFrame]:
    """Wild features, batches and covariates in some rows."""
    X, batch, covariates = FEATURES.copy(), BATCH.copy(), COVARIATES.copy()
    X.loc[rows], batch.loc[rows], covariates.loc[rows, "age"] = 1e9, "elsewhere", np.nan
    covariates.loc[rows, "sex"] = "marked"
    return X, batch, covariates


@pytest.mark.parametrize("held_out", [ROWS[:2], ROWS[10:12], ROWS[-1:]], ids=str)
def test_a_held_out_row_never_changes_what_combat_learns(held_out: pd.Index[Any]) -> None:
    training = ROWS.difference(held_out)
    X, batch, covariates = _marked(held_out)
    clean = ComBat(BATCH, COVARIATES).fit(FEATURES.loc[training])
    marked = ComBat(batch, covariates).fit(X.loc[training])
    pd.testing.assert_frame_equal(clean.shift_, marked.shift_)
    pd.testing.assert_frame_equal(clean.spread_, marked.spread_)
    pd.testing.assert_frame_equal(clean.transform(FEATURES.loc[training]), marked.transform(X.loc[training]))


def test_held_out_rows_change_no_chain_with_combat_in_it() -> None:
    held_out = AB[[0, 8]]
    training = AB.difference(held_out)
    _, batch, covariates = _marked(held_out)
    y = pd.Series(np.arange(21) % 2, index=ROWS)
    clean, marked = (
        TunedChain([("combat", ComBat(*tables))], grid={"n_estimators": [5]}, folds=2).fit(FEATURES.loc[training], y)
        for tables in ((BATCH, COVARIATES[["age"]]), (batch, covariates[["age"]]))
    )
    pd.testing.assert_series_equal(clean.out_of_fold_, marked.out_of_fold_)
    np.testing.assert_array_equal(*(c.predict_proba(FEATURES.loc[training]) for c in (clean, marked)))
    assert [len(r.rows) for r in clean.fit_log_ if r.step == "combat"] == [7, 7, 14]


def test_a_marked_training_row_does_change_it() -> None:
    X, _, _ = _marked(ROWS[:1])
    clean, marked = ComBat(BATCH).fit(FEATURES), ComBat(BATCH).fit(X)
    assert (clean.shift_ != marked.shift_).all(axis=None)
