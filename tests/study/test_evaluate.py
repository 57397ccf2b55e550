from __future__ import annotations

import numpy as np
import pytest

from glottis.data.tables import Predictions
from glottis.study.evaluate import evaluate_model


def ledger(*, n=40, repeats=1, folds=1, set_="internal", threshold=0.5):
    rng = np.random.default_rng(5)
    rows = []
    for repeat in range(repeats):
        for i in range(n):
            truth = i % 2
            score = float(np.clip(0.4 + 0.2 * truth + rng.normal(0, 0.15), 0.01, 0.99))
            place = {"patient": f"P{i:03d}", "centre": "1", "set": set_, "repeat": repeat, "fold": i % folds}
            kind = {"mode": "rigorous", "model": "T1", "threshold": threshold}
            rows.append({**place, **kind, "y_true": truth, "y_score": score})
    return Predictions.from_rows(rows)


def test_a_held_out_set_gets_intervals_and_a_calibration():
    entry = evaluate_model(ledger().frame, recalibrated=True)["internal"]
    assert entry["auc"]["interval"]["method"] == "DeLong on the logit scale"
    assert sum(entry["confusion"].values()) == entry["n"] == 40
    assert entry["calibration"]["slope"]["value"] > 0


def test_scores_that_are_no_probabilities_get_no_calibration():
    assert evaluate_model(ledger().frame, recalibrated=False)["internal"]["calibration"] is None


@pytest.mark.parametrize("set_", ["cross-validation", "training"])
def test_out_of_fold_scores_are_never_pooled_for_delong(set_):
    entry = evaluate_model(ledger(repeats=3, folds=5, set_=set_).frame, recalibrated=True)[set_]
    assert "DeLong" not in entry["auc"]["interval"]["method"]
    assert len(entry["auc"]["fold_values"]) == 15


def test_cross_validated_metrics_are_means_over_repeats():
    rows = ledger(repeats=2, folds=5, set_="cross-validation")
    entry = evaluate_model(rows.frame, recalibrated=True)["cross-validation"]
    frame = rows.frame
    by_hand = ((frame["y_score"] >= 0.5) == (frame["y_true"] == 1)).groupby(frame["repeat"]).mean()
    assert entry["metrics"]["accuracy"]["value"] == pytest.approx(by_hand.mean(), abs=1e-12)
    assert entry["metrics"]["accuracy"]["sd"] == pytest.approx(by_hand.std(), abs=1e-12)


def test_a_metric_that_is_undefined_in_a_repeat_is_said_to_be_so():
    rows = ledger(repeats=2, folds=5, set_="cross-validation", threshold=2.0)
    ppv = evaluate_model(rows.frame, recalibrated=True)["cross-validation"]["metrics"]["ppv"]
    assert (ppv["value"], ppv["note"]) == (None, "undefined (0/0) in 2 of 2 repeats")
