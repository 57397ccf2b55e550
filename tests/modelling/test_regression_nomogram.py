"""Nomograms from a table, against R's rms and survival (tests/reference/make_nomogram.R)."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from glottis.modelling import CoxNomogram, LogisticNomogram, Nomogram, cox_nomogram, logistic_nomogram
from stored import reference

R = reference("nomogram")


@pytest.fixture(scope="module")
def asah(shared_data: Path) -> pd.DataFrame:
    return pd.read_csv(shared_data / "stats" / "aSAH.csv")


@pytest.fixture(scope="module")
def logistic(asah: pd.DataFrame) -> LogisticNomogram:
    return logistic_nomogram(asah[["gender", "age", "s100b", "wfns"]], asah["outcome"] == "Poor")


@pytest.fixture(scope="module")
def larynx(shared_data: Path) -> tuple[pd.DataFrame, CoxNomogram]:
    table = pd.read_csv(shared_data / "stats" / "larynx.csv")
    stage = np.array(["I", "II", "III", "IV"])[table["Stage_II"] + 2 * table["Stage_III"] + 3 * table["Stage_IV"]]
    covariates = pd.DataFrame({"age": table["age"], "stage": stage})
    at = {"1-year survival": 1, "3-year survival": 3, "5-year survival": 5}
    return covariates, cox_nomogram(covariates, table["time"], table["death"], at=at)


@pytest.fixture(scope="module")
def lung(shared_data: Path) -> tuple[pd.DataFrame, CoxNomogram]:
    table = pd.read_csv(shared_data / "stats" / "lung.csv")
    covariates = table[["age", "sex", "ph.ecog", "wt.loss"]]
    return covariates.dropna(), cox_nomogram(covariates, table["time"], table["status"], at=[180, 365])


@pytest.fixture(params=["larynx", "lung"])
def cox(request: pytest.FixtureRequest) -> tuple[str, pd.DataFrame, CoxNomogram]:
    return request.param, *request.getfixturevalue(request.param)


def has_the_points_of_r(made: Nomogram, name: str) -> None:
    expected = R[name]
    for axis in made.axes:
        column = axis.term.column
        at = expected["at"][column]
        values = pd.Series([str(value) for value in at] if axis.term.levels else [float(value) for value in at])
        np.testing.assert_allclose(
            axis.points(axis.term.added(values)), expected["points"][column], rtol=1e-7, atol=1e-7
        )
    assert made.per_point == pytest.approx(expected["per_point"], rel=1e-8)


def test_logistic_points_are_those_of_rms(logistic):
    has_the_points_of_r(logistic.nomogram, "asah")
    assert logistic.nomogram.at_0_points == pytest.approx(R["asah"]["at_0_points"], rel=1e-8)


def test_every_patients_probability_is_that_of_rms(logistic, asah):
    made = logistic.nomogram
    np.testing.assert_allclose(made.probability(asah).iloc[:, 0], R["asah"]["probability"], atol=1e-9, rtol=0)
    from_points = made.probability_of(made.points(asah)["total"])[:, 0]
    np.testing.assert_allclose(from_points, R["asah"]["probability"], atol=1e-9, rtol=0)


def test_mean_probability_is_the_share_of_events(logistic, asah):
    share = (asah["outcome"] == "Poor").mean()
    assert logistic.nomogram.probability(asah).iloc[:, 0].mean() == pytest.approx(share, abs=1e-13)


def test_cox_points_are_those_of_rms(cox):
    name, covariates, made = cox
    has_the_points_of_r(made.nomogram, name)
    assert made.nomogram.predictor(covariates).mean() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("witness", ["rms", "survfit"])
def test_every_patients_survival_is_that_of_r(cox, witness):
    name, covariates, made = cox
    np.testing.assert_allclose(made.nomogram.probability(covariates), R[name][witness], atol=1e-9, rtol=0)
    from_points = made.nomogram.probability_of(made.nomogram.points(covariates)["total"])
    np.testing.assert_allclose(from_points, R[name][witness], atol=1e-9, rtol=0)


def test_baseline_survival_is_that_of_rms_at_the_mean_linear_predictor(cox):
    name, _, made = cox
    found = [made.baseline.at(time) for time in R[name]["times"]]
    np.testing.assert_allclose(found, R[name]["baseline"], atol=1e-9, rtol=0)
    assert found == [outcome.baseline for outcome in made.nomogram.outcomes]


def test_patients_with_a_missing_covariate_are_left_out_and_filled_when_scored(lung):
    covariates, made = lung
    assert (made.regression.n, made.regression.n_left_out) == (213, 15)
    nobody = pd.DataFrame({name: [np.nan] for name in covariates})
    assert made.nomogram.points(nobody).equals(made.nomogram.points(covariates.median().to_frame().T))


def test_two_numbers_are_marked_alone(lung):
    sex = next(axis for axis in lung[1].nomogram.axes if axis.term.column == "sex")
    assert [tick.text for tick in sex.ticks] == ["1", "2"]


def test_a_reference_level_moves_no_probability(larynx, shared_data):
    table = pd.read_csv(shared_data / "stats" / "larynx.csv")
    other = cox_nomogram(larynx[0], table["time"], table["death"], at=[1, 3, 5], reference={"stage": "III"})
    assert other.nomogram.axes[1].term.levels == ("III", "I", "II", "IV")
    np.testing.assert_allclose(
        other.nomogram.probability(larynx[0]), larynx[1].nomogram.probability(larynx[0]), atol=1e-12
    )


def test_booleans_are_numbers(asah):
    table = asah[["age"]].assign(female=asah["gender"] == "Female")
    made = logistic_nomogram(table, asah["outcome"] == "Poor").nomogram
    assert made.axes[1].term.levels is None
    assert made.probability(table).equals(made.probability(table.astype(float)))


def test_a_score_that_separates_is_refused(asah):
    poor = asah["outcome"] == "Poor"
    with pytest.raises(ValueError, match=r"does not exist: score alone separates the classes.*out of fold"):
        logistic_nomogram(pd.DataFrame({"age": asah["age"], "score": poor + 0.1 * np.arange(113) / 113}), poor)


def test_levels_that_are_no_words_are_refused(asah):
    grade = asah[["age"]].assign(grade=pd.Categorical(asah["wfns"]))
    with pytest.raises(ValueError, match="'grade' holds the level 1, which is no word: write levels as words"):
        logistic_nomogram(grade, asah["outcome"] == "Poor")


def test_a_covariate_that_orders_the_events_has_no_nomogram():
    with pytest.raises(ValueError, match="does not exist; hazard ratios are not estimable"):
        cox_nomogram(pd.DataFrame({"x": [5.0, 4, 3, 2, 1]}), [1, 2, 3, 4, 5], [1] * 5, at=[2])


@pytest.mark.parametrize("time", [0.01, 11.0])
def test_a_time_that_nobody_saw_is_refused(larynx, shared_data, time):
    table = pd.read_csv(shared_data / "stats" / "larynx.csv")
    with pytest.raises(
        ValueError, match=rf"Survival at {time:g} cannot be told: the first event is at 0\.1 and the last"
    ):
        cox_nomogram(larynx[0], table["time"], table["death"], at=[time])
