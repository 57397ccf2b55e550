"""A study with several classifiers, fusion, harmonisation and the way of papers, from a table of features."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from glottis._errors import SettingsError
from glottis.cli import run_command
from glottis.study.result import read_predictions
from glottis.study.spec import study_from_dict
from table_study import TableStudy, features_of

SMALL = {"random_forest": {"n_estimators": [5], "max_depth": [2]}, "logistic_regression": {"C": [0.1]}}
HELD_OUT = {"method": "random", "test_fraction": 0.4}


def made(tmp_path, *, table=None, **settings) -> TableStudy:
    study = TableStudy(tmp_path)
    study.table = features_of(n=60) if table is None else table
    study.settings = {**study.settings, "controls": {"permutations": 2}, **settings}
    return study


def results(study: TableStudy) -> dict:
    return json.loads((study.finish() / "results.json").read_text())


def two_classifiers(**more):
    return {"classifier": ["random_forest", "logistic_regression"], "folds": 2, "grid": SMALL, **more}


def two_blocks() -> dict:
    return {"table": "table.csv", "blocks": {"mr": "mr_*", "ct": "ct_*"}}


def paired_table(n=60) -> pd.DataFrame:
    return features_of(n=n, prefixes=("mr", "ct"))


def test_each_fold_chooses_its_classifier_by_inner_auc_alone(tmp_path):
    study = made(tmp_path, model=two_classifiers())
    stored = results(study)
    assert stored["primary_model"] == "features (chosen)"
    assert "best inner AUC" in stored["primary_reason"]
    for fold, fit in enumerate(stored["models"]["features (chosen)"]["fits"]):
        inner = {name: stored["models"][f"features {name}"]["fits"][fold]["inner_auc"] for name in SMALL}
        assert fit["inner_auc"] == max(inner.values())
        assert inner[fit["classifier"]] == fit["inner_auc"]


def test_the_scores_of_the_chosen_model_are_those_of_each_folds_classifier(tmp_path):
    study = made(tmp_path, model=two_classifiers())
    stored = results(study)
    frame = read_predictions(study.run / "predictions.csv").frame
    chosen = frame[frame["model"] == "features (chosen)"].set_index("patient")
    for fit in stored["models"]["features (chosen)"]["fits"]:
        own = frame[(frame["model"] == f"features {fit['classifier']}") & (frame["fold"] == fit["fold"])]
        assert (chosen.loc[own["patient"], "y_score"].to_numpy() == own["y_score"].to_numpy()).all()


def test_with_one_test_set_the_primary_classifier_has_the_best_inner_auc(tmp_path):
    stored = results(made(tmp_path, split=HELD_OUT, model=two_classifiers()))
    inner = {name: entry["inner_auc"] for name, entry in stored["models"].items()}
    assert stored["primary_model"] == max(inner, key=inner.get)
    assert set(stored["comparisons"]["internal"]["matrix"]["models"]) == set(inner)


def test_a_choice_by_test_auc_never_happens(tmp_path):
    """Test patients whose labels are turned change no choice."""
    study = made(tmp_path / "one", split=HELD_OUT, model=two_classifiers())
    first = results(study)
    held = json.loads((study.run / "split.json").read_text())["partitions"][0]["tests"]["internal"]
    given = ["internal" if patient in held else "training" for patient in study.table["ID"]]
    turned = [
        1 - y if patient in held else y for patient, y in zip(study.table["ID"], study.table["Target"], strict=True)
    ]
    split = {"method": "given", "column": "part"}
    table = study.table.assign(part=given)
    ours, theirs = (
        results(made(tmp_path / name, table=own, split=split, model=two_classifiers()))
        for name, own in (("kept", table), ("turned", table.assign(Target=turned)))
    )
    assert first["primary_model"] == ours["primary_model"] == theirs["primary_model"]
    assert [m["fits"] for m in ours["models"].values()] == [m["fits"] for m in theirs["models"].values()]


def test_early_and_late_fusion_stand_side_by_side(tmp_path):
    stored = results(made(tmp_path, table=paired_table(), features=two_blocks(), split=HELD_OUT, fusion="both"))
    assert list(stored["models"]) == sorted(["mr", "ct", "mr+ct", "mr+ct late"])
    late = stored["models"]["mr+ct late"]
    assert late["fusion"] == "late"
    assert sum(row["weight"] for row in late["blocks"]) == pytest.approx(1)
    assert {row["block"] for row in late["blocks"]} == {"mr", "ct"}
    assert stored["primary_model"] == "mr+ct"


def test_each_block_can_have_a_selection_of_its_own(tmp_path):
    selection = {"lasso": None, "n_features": 2, "per_block": True}
    stored = results(
        made(
            tmp_path,
            table=paired_table(),
            features=two_blocks(),
            split=HELD_OUT,
            selection=selection,
            combinations=[["mr", "ct"]],
        )
    )
    assert [row["n_selected"] for row in stored["models"]["mr+ct"]["blocks"]] == [2, 2]


def scanners() -> pd.DataFrame:
    table = features_of(n=60)
    table["scanner"] = ["AB"[number // 2 % 2] for number in range(60)]
    columns = [name for name in table if name.startswith("original")]
    table.loc[table["scanner"] == "B", columns] += 50
    return table


def test_combat_takes_the_scanner_out_and_the_report_is_told(tmp_path):
    features = {"table": "table.csv", "columns": "original_*"}
    stored = results(
        made(tmp_path, table=scanners(), features=features, split=HELD_OUT, harmonise={"batch": "scanner"})
    )
    effect = stored["harmonisation"]
    assert effect["before"]["auc"] > 0.95
    assert effect["after"]["auc"] < 0.75
    assert effect["tangled"]["warning"] == ""
    assert {row["step"] for row in stored["proof"]} >= {"combat"}


def with_new_scanner(tmp_path, unseen: str) -> TableStudy:
    """Training on scanners A and B, tested on the 24 patients of C."""
    table = scanners()
    table["scanner"] = ["C" if number >= 36 else name for number, name in enumerate(table["scanner"])]
    features = {"table": "table.csv", "columns": "original_*"}
    split = {"method": "centre", "external": ["C"]}
    harmonise = {"unseen": unseen}
    return made(tmp_path, table=table, features=features, centre="scanner", split=split, harmonise=harmonise)


def test_a_held_out_scanner_is_refused_by_default(tmp_path, capsys):
    study = with_new_scanner(tmp_path, "refuse")
    assert run_command(["run", str(study.write()), "--out", str(study.run)]) == 2
    said = capsys.readouterr().err
    assert "The external set has patients of batch 'C', which no training patient has" in said
    assert not (study.run / "features.parquet").exists()


@pytest.mark.parametrize(("unseen", "words"), [("reference", "left uncorrected"), ("transductive", "transductive")])
def test_what_was_done_with_a_held_out_scanner_is_noted(tmp_path, unseen, words):
    (fit,) = results(with_new_scanner(tmp_path, unseen))["models"]["features"]["fits"]
    assert any("batch 'C' (24 rows), unseen in training" in note and words in note for note in fit["notes"])


def test_the_outcome_is_no_batch_and_no_covariate():
    block = {"outcome": {"column": "y"}, "features": "t.csv", "harmonise": {"batch": "scanner", "covariates": ["y"]}}
    with pytest.raises(SettingsError, match="'y' is the outcome, which no correction may know"):
        study_from_dict(block)


def test_a_batch_column_that_is_not_there_is_named(tmp_path, capsys):
    study = made(tmp_path, split=HELD_OUT, harmonise={"batch": "scaner"})
    assert run_command(["run", str(study.write()), "--out", str(study.run)]) == 2
    assert "harmonise names the column 'scaner'" in capsys.readouterr().err


def test_the_way_of_papers_is_stamped_and_its_leak_is_counted(tmp_path):
    stored = results(made(tmp_path, split=HELD_OUT, as_published=["selection", "threshold"]))
    published = stored["as_published"]
    assert published["model"] == stored["primary_model"]
    leaks = {row["step"]: row["overlap"] for row in stored["proof"] if row["mode"] == "as_published"}
    assert leaks["spearman"] == stored["models"]["features"]["sets"]["internal"]["n"]
    assert stored["held_out_seen"] == 0
    assert all(row["overlap"] == 0 for row in stored["proof"] if row["mode"] != "as_published")


def test_the_way_of_papers_changes_no_honest_number(tmp_path):
    plain = results(made(tmp_path / "plain", split=HELD_OUT))
    both = results(made(tmp_path / "both", split=HELD_OUT, as_published=["selection"]))
    assert plain["models"] == both["models"]
    assert plain["controls"] == both["controls"]


def test_a_threshold_from_the_test_patients_is_at_least_as_good_there(tmp_path):
    stored = results(made(tmp_path, split=HELD_OUT, as_published=["threshold"]))
    honest = stored["models"]["features"]["sets"]["internal"]["metrics"]
    published = stored["as_published"]["sets"]["internal"]["metrics"]
    youden = [m["sensitivity"]["value"] + m["specificity"]["value"] for m in (published, honest)]
    assert youden[0] >= youden[1]


def test_repeated_splits_show_their_spread(tmp_path):
    stored = results(made(tmp_path, split={"method": "repeated", "repeats": 4, "test_fraction": 0.4}))
    entry = stored["models"]["features"]["sets"]["cross-validation"]["auc"]
    assert len(entry["fold_values"]) == entry["n_repeats"] == 4
    assert entry["sd_over_repeats"] == pytest.approx(np.std(entry["fold_values"], ddof=1))
    assert entry["interval"]["low"] < entry["value"] < entry["interval"]["high"]


def test_permutations_refit_the_selection_on_the_folds_of_one_repeat(tmp_path):
    stored = results(made(tmp_path, controls={"permutations": 3}))
    own = stored["controls"]["permutation"]
    assert own["n"] == len(own["sets"]["cross-validation"]["values"]) == 3


def test_code_from_outside_needs_leave(tmp_path, capsys):
    model = {"classifier": "sklearn.naive_bayes:GaussianNB", "folds": 2}
    study = made(tmp_path, split=HELD_OUT, model=model)
    assert run_command(["run", str(study.write()), "--out", str(study.run)]) == 2
    assert "--allow-code" in capsys.readouterr().err
    assert not study.run.exists()
    assert run_command(["run", str(study.write()), "--out", str(study.run), "--allow-code"]) == 0


def test_an_unknown_classifier_is_refused_with_the_nearest():
    with pytest.raises(SettingsError, match="unknown classifier 'xgbost'"):
        study_from_dict({"outcome": {"column": "y"}, "features": "t.csv", "model": {"classifier": "xgbost"}})


def test_several_classifiers_need_a_grid_each():
    model = {"classifier": ["svm", "mlp"], "grid": {"C": [1]}}
    with pytest.raises(SettingsError, match="it holds a grid for each"):
        study_from_dict({"outcome": {"column": "y"}, "features": "t.csv", "model": model})


def test_the_check_names_rare_batches_and_those_that_go_with_the_outcome(tmp_path, capsys):
    table = scanners()
    table["scanner"] = ["C" if number == 0 else "AB"[number % 2] for number in range(60)]
    features = {"table": "table.csv", "columns": "original_*"}
    study = made(tmp_path, table=table, features=features, split=HELD_OUT, harmonise={"batch": "scanner"})
    run_command(["check", str(study.write())])
    said = capsys.readouterr().out
    assert "Batch 'C' of the harmonisation has 1 patient" in said
    assert "Batch and outcome are tangled" in said


def test_a_volume_that_is_no_feature_is_refused(tmp_path, capsys):
    study = made(tmp_path, controls={"volume": "no_such"})
    assert run_command(["run", str(study.write()), "--out", str(study.run)]) == 2
    assert "controls.volume names 'no_such', which is no feature of the table." in capsys.readouterr().err
