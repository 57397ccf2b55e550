"""Whole studies: nothing fitted knows a held-out patient, no order matters, and every design comes out as stated."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from glottis.io.images import write_volume
from glottis.study.result import read_predictions
from glottis.study.run import run
from glottis.study.spec import read_study
from tiny_study import SEQUENCES, TinyStudy, contents, image, mask

NUMBERS = ("features.parquet", "predictions.csv", "results.json", "flow.json", "fit_log.jsonl")
NYUL = {"n4": None, "resample": None, "normalise": {"method": "nyul", "scale": 100}, "bins": {"width": 5}}


def stored(folder: Path, name: str) -> Any:
    return json.loads((folder / name).read_text(encoding="utf-8"))


def test_two_workers_give_the_numbers_of_one(tiny: TinyStudy, computed: TinyStudy):
    assert contents(tiny.compute(jobs=2), *NUMBERS) == contents(computed.run, *NUMBERS)


def test_the_order_of_the_manifest_changes_no_number(tiny: TinyStudy, computed: TinyStudy):
    tiny.table = tiny.table.sample(frac=1, random_state=3)
    assert contents(tiny.compute(), *NUMBERS) == contents(computed.run, *NUMBERS)
    assert (tiny.run / "identity.json").read_bytes() != (computed.run / "identity.json").read_bytes()


def test_held_out_images_change_nothing_that_is_fitted(make_tiny: Callable[[str], TinyStudy]):
    """Nyul's landmarks included: every held-out patient gets other, much brighter images and other second masks."""
    clean, marked = make_tiny("clean"), make_tiny("marked")
    for study in (clean, marked):
        study.settings["preprocessing"] = {"MR": NYUL}
        study.settings["combinations"] = "single"
    (part,) = stored(clean.compute(), "split.json")["partitions"]
    held_out = [patient for patients in part["tests"].values() for patient in patients]
    for number, patient in enumerate(held_out):
        for offset, name in enumerate(SEQUENCES):
            other = image(1000 + 2 * number + offset)
            write_volume(other.with_voxels(3 * other.voxels), marked.own(patient, f"{name}_image"))
            write_volume(mask(4), marked.folder / "other.nii")
            marked.set(patient, f"{name}_mask_B1", "other.nii")
    marked.compute()
    tables = [pd.read_parquet(study.run / "features.parquet").set_index("patient") for study in (clean, marked)]
    pd.testing.assert_frame_equal(*(table.loc[part["training"]] for table in tables), check_exact=True)
    assert not tables[0].loc[held_out].equals(tables[1].loc[held_out])
    models = [stored(study.run, "results.json")["models"] for study in (clean, marked)]
    assert [model["fits"] for model in models[0].values()] == [model["fits"] for model in models[1].values()]
    ledgers = [read_predictions(study.run / "predictions.csv").frame for study in (clean, marked)]
    training, tests = ([ledger[(ledger["set"] == "training") == own] for ledger in ledgers] for own in (True, False))
    pd.testing.assert_frame_equal(*training, check_exact=True)
    assert not tests[0]["y_score"].equals(tests[1]["y_score"])


def test_the_log_holds_no_held_out_patient_and_no_readable_id(computed: TinyStudy):
    results = stored(computed.run, "results.json")
    lines = (computed.run / "fit_log.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert results["held_out_seen"] == 0
    assert results["fits_logged"] == sum(row["kind"] == "fit" for row in rows) > 0
    assert {"variance", "icc", "spearman", "z-score", "lasso", "rfe"} < {row.get("step") for row in rows}
    (part,) = stored(computed.run, "split.json")["partitions"]
    views = [set(row["patients"]) for row in rows if row["kind"] == "view"]
    assert max(len(view) for view in views) == len(part["training"])
    assert len(set.union(*views)) == len(part["training"])
    assert not any(patient in "".join(lines) for patient in part["training"])


def test_every_score_of_the_ledger_belongs_to_the_set_of_its_patient(computed: TinyStudy):
    (part,) = stored(computed.run, "split.json")["partitions"]
    ledger = read_predictions(computed.run / "predictions.csv").frame
    sets = {"training": part["training"], **part["tests"]}
    for (_, name), rows in ledger.groupby(["model", "set"]):
        assert sorted(rows["patient"]) == sorted(sets[name])
    assert set(ledger.loc[ledger["mode"] == "rigorous", "model"]) == {"T1", "T2", "T1+T2"}
    assert set(ledger.loc[ledger["mode"] == "control", "model"]) == {"clinical alone"}
    assert set(ledger.loc[ledger["set"] == "external", "centre"]) == {"B"}


def test_a_given_split_is_kept_to_the_letter(tiny: TinyStudy):
    tiny.table["set"] = [("Training", "training", "internal")[number // 2 % 3] for number in range(len(tiny.table))]
    tiny.settings |= {"split": {"method": "given", "column": "set"}, "combinations": [["T1"]]}
    (part,) = stored(tiny.compute(), "split.json")["partitions"]
    wanted = tiny.table.groupby(tiny.table["set"].str.lower())["patient"].apply(list)
    assert part["training"] == wanted["training"]
    assert part["tests"] == {"internal": wanted["internal"]}
    assert stored(tiny.run, "results.json")["design"] == "held-out"


def test_a_repeated_k_fold_scores_every_patient_once_a_repeat(tiny: TinyStudy):
    tiny.settings |= {"split": {"method": "kfold", "folds": 3, "repeats": 2}, "combinations": [["T2"]]}
    del tiny.settings["sequences"]["T1"]
    results = stored(tiny.compute(), "results.json")
    assert (results["design"], results["n_folds"], results["n_repeats"]) == ("cross-validation", 3, 2)
    assert len(results["models"]["T2"]["fits"]) == 6
    everything = read_predictions(tiny.run / "predictions.csv").frame
    ledger = everything[everything["mode"] == "rigorous"]
    assert set(everything["set"]) == {"cross-validation"}
    assert ledger.groupby(["patient", "repeat"]).size().eq(1).all()
    assert len(ledger) == 48
    assert results["held_out_seen"] == 0
    assert all(0 < row["chosen"] <= row["of"] == 6 for row in results["models"]["T2"]["stability"])


def test_nyul_in_a_k_fold_learns_its_landmarks_anew_in_every_fold(tiny: TinyStudy):
    tiny.settings |= {"split": {"method": "kfold", "folds": 2, "repeats": 1}, "combinations": [["T1"]]}
    tiny.settings["preprocessing"] = {"MR": NYUL}
    del tiny.settings["sequences"]["T2"]
    folder = tiny.compute()
    tables = [pd.read_parquet(folder / name) for name in ("features.parquet", "features/repeat-0-fold-1.parquet")]
    mean = [table.set_index(["patient", "reader"])["T1_original_firstorder_Mean"] for table in tables]
    assert (mean[0] != mean[1]).mean() > 0.9
    assert mean[0].corr(mean[1]) > 0.9


def test_every_further_study_of_a_test_set_is_counted_and_a_repetition_is_not(tiny: TinyStudy):
    tiny.settings["combinations"] = [["T1"]]
    del tiny.settings["sequences"]["T2"]

    def analyses(threshold: float, folder: str) -> int:
        tiny.settings["selection"]["spearman"] = threshold
        return int(stored(run(read_study(tiny.write()), tiny.folder / folder), "split.json")["analyses"])

    assert [analyses(0.9, "a"), analyses(0.9, "b"), analyses(0.8, "c")] == [1, 1, 2]


def test_a_model_with_too_few_patients_is_refused_with_its_reason(tiny: TinyStudy):
    tiny.table.loc[4:, ["T2_image", "T2_mask", "T2_mask_B1"]] = ""
    folder = tiny.compute()
    refused = stored(folder, "results.json")["refused"]
    assert set(refused) == {"T2", "T1+T2"}
    assert "training patients in the smaller class and model.folds is 2" in refused["T2"]
    missing = stored(folder, "flow.json")["models"]["T2"]["missing"]
    assert {row["reason"] for row in missing} == {"no T2"}
    assert len(missing) == 20


def test_patients_without_an_outcome_are_left_out_with_the_reason(tiny: TinyStudy):
    tiny.set("P04", "stage", "")
    tiny.settings["combinations"] = [["T1"]]
    flow = stored(tiny.compute(), "flow.json")
    assert flow["excluded"] == [{"patient": "P04", "reason": "no outcome"}]
    assert (flow["manifest"], flow["analysed"]) == (24, 23)


@pytest.mark.slow
def test_a_run_carries_on_after_each_missing_part_of_its_cache(tiny: TinyStudy, computed: TinyStudy):
    tiny.compute()
    for path in sorted(tiny.run.rglob("cache/*/*/*.json"))[::3]:
        path.write_bytes(path.read_bytes()[:-20])
    assert contents(tiny.compute(), *NUMBERS) == contents(computed.run, *NUMBERS)
