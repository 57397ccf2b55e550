"""The whole comparison: its numbers are R's and the published ones, and its refusals say what to do."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from glottis._errors import CohortError, SettingsError
from glottis.evaluation import cross_validated_auc, youden_threshold
from glottis.evaluation.compare import CompareOptions, Comparison, compare
from glottis.evaluation.cutoffs import CutoffRule, read_rule
from glottis.io.predictions import Columns, read_predictions
from stored import reference

MARKERS = Columns(outcome="outcome", positive="Poor", scores=("s100b", "ndka", "wfns"), subgroups=("gender",))
READINGS = Columns(patient="case", outcome="truth", scores=("rating",), reader="reader", modality="treatment")


@pytest.fixture(scope="module")
def markers(shared_data: Path) -> Comparison:
    return compare(read_predictions(shared_data / "stats" / "aSAH.csv", MARKERS))


@pytest.fixture(scope="module")
def readings(shared_data: Path) -> Comparison:
    return compare(read_predictions(shared_data / "stats" / "VanDyke.csv", READINGS))


def generated(n: int = 80, *, seed: int = 0) -> pd.DataFrame:
    """Probabilities of two models and a reader's calls of n patients, half of them for training."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    logit = 1.5 * y - 0.75 + rng.standard_normal((2, n))
    strong, weak = 1 / (1 + np.exp(-logit))
    columns = {"strong": strong, "weak": weak, "doctor": ((strong + rng.random(n)) > 1).astype(int)}
    sets = np.where(np.arange(n) < n // 2, "training", "internal")
    names = [f"p{i:03d}" for i in range(n)]
    return pd.DataFrame({"patient": names, "y_true": y, "set": sets, **columns, "centre": np.arange(n) // 2 % 2})


WIDE = Columns(scores=("strong", "weak", "doctor"))


def compared(table: pd.DataFrame, columns: Columns = WIDE, **options: Any) -> Comparison:
    return compare(read_predictions(table, columns), CompareOptions(**options))


def folded(**changed: Any) -> pd.DataFrame:
    table = generated().assign(set="cross-validation", repeat=1, fold=np.arange(80) // 16, y_score=generated()["weak"])
    return table.assign(model="m", **changed)


@pytest.mark.parametrize("marker", ["s100b", "ndka", "wfns"])
def test_the_auc_of_every_marker_is_procs(markers: Comparison, marker: str) -> None:
    stored, area = reference("proc_asah")[marker], markers.to_dict()["sets"][0]["raters"][marker]["auc"]
    found = [area["value"], area["se"], area["delong"]["low"], area["delong"]["high"]]
    assert found == pytest.approx([stored[key] for key in ("auc", "se", "low", "high")], abs=1e-8)


def test_every_paired_test_is_procs(markers: Comparison) -> None:
    stored = reference("discrimination")["paired"]
    for area in markers.to_dict()["sets"][0]["pairs"]["areas"]:
        expected, test = stored[f"{area['first']}-{area['second']}"], area["test"]
        found = [test["statistic"], test["p_value"], test["difference"]["low"], test["difference"]["high"]]
        assert found == pytest.approx([expected[key] for key in ("z", "p", "low", "high")], abs=1e-8)


def test_adjusted_p_are_holms_and_decide_what_is_said(markers: Comparison) -> None:
    areas = markers.sets[0].pairs.areas
    stored = reference("discrimination")["paired"]
    smallest, middle = stored["ndka-wfns"]["p"], stored["s100b-wfns"]["p"]
    assert [area.p_holm for area in areas[1:]] == pytest.approx([2 * middle, 3 * smallest], abs=1e-8)
    assert [area.conclusion for area in areas[1:]] == ["not shown to differ", "wfns has the higher AUC than ndka"]


def test_the_readers_of_van_dyke_have_the_published_analysis(readings: Comparison) -> None:
    study = readings.to_dict()["sets"][0]["pairs"]["readers"]
    # R's MRMCaov, DeLong's covariances, readers and cases random; see test_readers.py
    assert [study["statistic"], study["df"][1], study["p_value"]] == pytest.approx(
        [4.484854, 15.06611, 0.05123303], abs=1e-5
    )
    interval = study["differences"][0]["difference"]
    assert [interval["low"], interval["high"]] == pytest.approx([-0.0878671960, 0.0002665519], abs=1e-8)


def test_readers_in_modalities_are_paired_with_themselves(readings: Comparison) -> None:
    pairs = readings.sets[0].pairs
    assert [area.first.split(",")[0] == area.second.split(",")[0] for area in pairs.areas] == [True] * 5
    assert pairs.matrix is None


def test_ordinal_ratings_of_readers_agree_by_weighted_kappa(readings: Comparison) -> None:
    agreement = readings.sets[0].pairs.agreement
    assert {row.of for row in agreement} == {"ratings"}
    assert len(agreement) == 2 * math.comb(5, 2)


def test_concordance_with_survival_is_rs(shared_data: Path) -> None:
    table = pd.read_csv(shared_data / "stats" / "larynx.csv").assign(risk=lambda d: d["age"] + 10 * d["Stage_IV"])
    found = compared(table, Columns(time="time", event="death", scores=("risk",))).to_dict()["sets"][0]
    stored, risk = reference("concordance")["larynx"], found["survival"]["risk"]
    for name in ("harrell", "uno"):
        assert [risk[name]["value"], risk[name]["se"]] == pytest.approx(
            [stored[name]["value"], stored[name]["se"]], abs=1e-8
        )
    assert found["raters"] == {}


def test_no_id_of_a_patient_is_in_the_results() -> None:
    text = json.dumps(compared(generated()).to_dict(), allow_nan=False)
    assert not any(patient in text for patient in generated()["patient"])


def test_thresholds_are_chosen_on_training_rows() -> None:
    table = generated()
    training = table[table["set"] == "training"]
    cutoff = compared(table).sets[0].raters["weak"].cutoff
    assert cutoff.value == youden_threshold(training["y_true"], training["weak"]).value
    assert (cutoff.source, cutoff.optimistic) == ("Youden on 40 training patients", False)


def test_training_rows_are_judged_nowhere() -> None:
    result = compared(generated())
    assert [(set_.name, set_.n) for set_ in result.sets] == [("internal", 40)]


def test_a_youden_threshold_without_training_rows_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"'strong' has no rows.*flatters.*--threshold youden-on-same-patients"):
        compared(generated().drop(columns="set"), cutoffs=CutoffRule(youden="training"))


def test_a_youden_threshold_on_the_same_patients_is_stamped_optimistic() -> None:
    result = compared(generated().drop(columns="set"), cutoffs=CutoffRule(youden="same-patients"))
    weak = result.sets[0].raters["weak"]
    assert weak.cutoff.optimistic
    assert "The threshold was chosen on these patients" in weak.notes[-1]


def test_yes_and_no_of_a_reader_have_an_auc_of_mean_sensitivity_and_specificity() -> None:
    doctor = compared(generated()).sets[0].raters["doctor"]
    rates = [doctor.confusion.sensitivity.value, doctor.confusion.specificity.value]
    assert doctor.auc.value == pytest.approx(np.mean(rates))
    assert doctor.calibration is None


def test_probabilities_alone_are_calibrated() -> None:
    raters = compared(generated().assign(weak=lambda d: 10 * d["weak"])).sets[0].raters
    assert (raters["strong"].calibration is None, raters["weak"].calibration) == (False, None)
    assert "No calibration or decision curve: the score is not between 0 and 1, no probability." in raters["weak"].notes


def test_every_centre_is_evaluated_with_its_size() -> None:
    (centre,) = compared(generated()).sets[0].raters["strong"].groups
    assert [(group.group, group.n) for group in centre.groups] == [("0", 20), ("1", 20)]


def test_a_reference_is_compared_with_all_others_and_reclassified() -> None:
    pairs = compared(generated(), reference="weak").sets[0].pairs
    assert [(area.first, area.second) for area in pairs.areas] == [("strong", "weak"), ("doctor", "weak")]
    assert [row.model for row in pairs.reclassification] == ["strong"]


def test_cross_validated_scores_are_never_pooled() -> None:
    result = compared(folded(), Columns()).sets[0]
    rows = folded()
    expected = cross_validated_auc(rows["y_true"], rows["y_score"], rows["repeat"], rows["fold"])
    assert result.folds["m"].auc.value == pytest.approx(expected.value)
    assert (result.raters, result.pairs) == ({}, None)
    assert "No DeLong test" in result.notes[0]


def test_cross_validated_calls_use_each_folds_threshold() -> None:
    thresholds = np.where(np.arange(80) < 16, 0.0, 2.0)  # the first fold calls all positive, the others none
    metrics = compared(folded(threshold=thresholds), Columns()).sets[0].folds["m"].metrics
    assert next(metric.mean for metric in metrics if metric.name == "sensitivity") == pytest.approx(8 / 40)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"reference": "strnog"}, r"no rater 'strnog' \(--reference\): did you mean 'strong'\?"),
        ({"cutoffs": CutoffRule(by_rater={"x": 1})}, r"no rater 'x' \(--threshold\): known: doctor, strong, weak\."),
        ({"prevalence": 20}, r"A prevalence lies between 0 and 1; got 20"),
        ({"horizons": (5.0,)}, r"A horizon needs survival: name the columns with --time and --event"),
    ],
)
def test_an_option_that_does_not_fit_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        compared(generated(), **options)


def test_a_horizon_after_the_last_follow_up_is_refused() -> None:
    table = generated().assign(time=np.arange(1, 81), event=1)
    with pytest.raises(SettingsError, match=r"A horizon lies within the follow-up, 0 to 80; got 99"):
        compared(table, horizons=(99.0,))


def test_a_horizon_before_the_first_event_is_refused() -> None:
    table = generated().drop(columns="set").assign(time=np.arange(10, 90), event=1)
    with pytest.raises(SettingsError, match="Nobody has the event by the horizon 5: give a later one"):
        compared(table, horizons=(5.0,))


def test_a_score_that_does_not_vary_has_no_hazard_ratio() -> None:
    table = generated().drop(columns="set").assign(time=np.arange(80), event=1, weak=0.5)
    weak = compared(table, horizons=(40.0,)).sets[0].survival["weak"]
    assert (weak.cox, weak.kaplan_meier) == (None, None)
    assert weak.notes[0] == "No risk groups: every patient lies on one side of 0.5."


@pytest.mark.parametrize("n", [2, 3])
def test_a_handful_of_patients_has_numbers_without_intervals(n: int) -> None:
    table = pd.DataFrame({"y_true": [0, 1, 1][:n], "strong": [0.1, 0.4, 0.3][:n], "doctor": [1, 0, 1][:n]})
    columns = Columns(scores=("strong", "doctor"))
    strong = compared(table, columns, cutoffs=CutoffRule(for_all=0.5)).sets[0].raters["strong"]
    assert (strong.auc.value, strong.auc.interval.low) == (1, None)


def test_a_youden_threshold_for_folds_is_refused() -> None:
    with pytest.raises(SettingsError, match="A cross-validated set has a threshold a fold"):
        compared(folded(), Columns(), cutoffs=CutoffRule(youden="training"))


def test_training_rows_alone_are_no_test() -> None:
    with pytest.raises(CohortError, match="Every row is of the set 'training'"):
        compared(generated().assign(set="training"))


def test_a_set_with_one_class_is_refused() -> None:
    sets = np.where(generated()["y_true"] == 1, "external", "internal")
    with pytest.raises(CohortError, match="Every patient in the set 'internal' has y_true = 0: nothing can be told"):
        compared(generated().assign(set=sets))


def test_survival_without_an_event_is_refused() -> None:
    with pytest.raises(CohortError, match=r"No patient has the event.*1 for the event"):
        compared(generated().assign(time=np.arange(1, 81), event=0))


def test_follow_up_of_zero_alone_is_refused() -> None:
    with pytest.raises(CohortError, match="Every follow-up time is 0: survival cannot be evaluated"):
        compared(generated().assign(time=0.0, event=1))


def test_a_follow_up_of_zero_leaves_the_decision_curve() -> None:
    table = generated().assign(time=np.arange(80.0) // 4, event=1)
    table.loc[table["set"] == "internal", "time"] -= 10
    (set_,) = compared(table, horizons=(5,)).sets
    assert (set_.survival["strong"].decision.n, table.loc[40:, "time"].min()) == (40, 0)


@pytest.mark.parametrize("unit", [1e308, 1e-320])
def test_scores_of_any_size_have_a_hazard_ratio(unit: float) -> None:
    table = generated().assign(time=np.random.default_rng(1).exponential(20, 80), event=1)
    sets = [compared(table.assign(strong=table["strong"] * size)).sets[0] for size in (1.0, unit)]
    ratios = [set_.survival["strong"].cox.terms[0].hazard_ratio.value for set_ in sets]
    assert ratios[1] == pytest.approx(ratios[0], rel=0.01)


def test_negative_follow_up_is_refused() -> None:
    with pytest.raises(CohortError, match="negative"):
        compared(generated().assign(time=-1.0, event=1))


def test_words_of_thresholds_are_understood() -> None:
    rule, column = read_rule(["0.5", "a=b=2"])
    assert (rule.for_all, dict(rule.by_rater), rule.youden, column) == (0.5, {"a=b": 2.0}, None, None)
    assert read_rule(["youden"])[0].youden == "training"
    assert read_rule(["cut"])[1] == "cut"


@pytest.mark.parametrize(
    ("words", "message"),
    [(["0.5", "youden"], "--threshold says 0.5 and youden"), (["a=x"], "--threshold a=x names no number: write")],
)
def test_words_of_thresholds_that_contradict_are_refused(words: list[str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        read_rule(words)
