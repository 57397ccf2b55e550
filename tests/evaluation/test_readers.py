from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from glottis.evaluation import roc_auc
from glottis.evaluation.readers import obuchowski_rockette

# printed by R's MRMCaov for these data (Smith, Hillis and Pesce, user guide: cov = DeLong; fixed(reader); fixed(case))
# and by OR-DBM MRMC 2.51 (University of Iowa, trapezoidal area, jackknife), whose output ships with RJafroc
FIRST = [0.91964573, 0.85877617, 0.90386473, 0.97310789, 0.82979066]
SECOND = [0.94782609, 0.90531401, 0.92173913, 0.99935588, 0.92995169]
DELONG = {"error": 0.0007921325, "cov1": 0.0003420090, "cov2": 0.0003395265, "cov3": 0.0002358497}
DELONG |= {"reader": 0.0015364254, "interaction": 0.0002045840}
DELONG |= {"ms_modality": 0.004796171, "ms_interaction": 0.0005510306}
JACKKNIFE = {"error": 0.0008022883, "cov1": 0.0003466137, "cov2": 0.0003440748, "cov3": 0.0002390284}
JACKKNIFE |= {"reader": 0.0015349993, "interaction": 0.0002004025, "ms_reader": 0.00383620}


def _van_dyke(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    table = pd.read_csv(folder / "stats" / "VanDyke.csv").sort_values(["treatment", "reader", "case"])
    scores = table["rating"].to_numpy(dtype=float).reshape(2, 5, 114)
    return table["truth"].to_numpy()[:114], scores


def _agrees(ours: list[float], printed: list[float], digits: int) -> bool:
    return ours == pytest.approx(printed, abs=0.51 * 10**-digits)


def test_the_aucs_are_the_published_ones(shared_data: Path) -> None:
    np.testing.assert_allclose(obuchowski_rockette(*_van_dyke(shared_data)).auc, [FIRST, SECOND], atol=5.1e-9)


@pytest.mark.parametrize(("covariance", "printed"), [("delong", DELONG), ("jackknife", JACKKNIFE)])
def test_the_components_are_the_published_ones(shared_data: Path, covariance: Any, printed: dict[str, float]) -> None:
    result = obuchowski_rockette(*_van_dyke(shared_data), covariance=covariance)
    assert {key: getattr(result.components, key) for key in printed} == pytest.approx(printed, abs=5.1e-9)


def test_random_readers_with_delong_are_those_of_mrmcaov(shared_data: Path) -> None:
    result = obuchowski_rockette(*_van_dyke(shared_data))
    difference = result.differences[0]
    assert _agrees([result.statistic, *result.df], [4.484854, 1, 15.06611], 5)
    assert _agrees([result.p_value, difference.p_value], [0.05123303] * 2, 8)
    assert _agrees([difference.difference.value, difference.se], [-0.04380032, 0.0206825], 7)
    assert _agrees([difference.difference.low, difference.difference.high], [-0.0878671960, 0.0002665519], 10)


def test_means_of_random_readers_are_those_of_mrmcaov(shared_data: Path) -> None:
    means = obuchowski_rockette(*_van_dyke(shared_data)).means
    assert _agrees([means[0].value, means[0].low, means[0].high], [0.8970370, 0.8253461, 0.9687280], 7)
    assert _agrees([means[1].value, means[1].low, means[1].high], [0.9408374, 0.8942155, 0.9874592], 7)


def test_random_readers_with_the_jackknife_are_those_of_or_dbm(shared_data: Path) -> None:
    result = obuchowski_rockette(*_van_dyke(shared_data), covariance="jackknife")
    difference, means = result.differences[0], result.means
    assert _agrees([result.statistic, result.df[1]], [4.46, 15.26], 2)
    assert _agrees([result.p_value], [0.0517], 4)
    assert _agrees(
        [difference.difference.low, difference.difference.high, difference.se], [-0.08796, 0.00036, 0.02075], 5
    )
    assert _agrees([means[0].low, means[0].high], [0.82522360, 0.96885048], 8)
    assert _agrees([means[1].low, means[1].high], [0.89413783, 0.98753689], 8)


def test_fixed_readers_are_those_of_mrmcaov(shared_data: Path) -> None:
    result = obuchowski_rockette(*_van_dyke(shared_data), covariance="jackknife", reader_factor="fixed")
    difference, means = result.differences[0], result.means
    assert (result.test, result.df) == ("chi-square", (1.0,))
    assert _agrees([result.statistic, difference.difference.low], [5.475953, -0.08048591], 6)
    assert _agrees(
        [result.p_value, difference.p_value, difference.difference.high], [0.01927984, 0.01927984, -0.00711473], 8
    )
    assert _agrees([means[0].low, means[0].high], [0.8494301, 0.9446440], 7)
    assert _agrees([means[1].low, means[1].high], [0.9079564, 0.9737183], 7)


def test_each_fixed_reader_is_that_of_mrmcaov(shared_data: Path) -> None:
    rows = obuchowski_rockette(*_van_dyke(shared_data), covariance="jackknife", reader_factor="fixed").by_reader
    assert [row.reader for row in rows] == ["1", "2", "3", "4", "5"]
    assert _agrees([row.se for row in rows], [0.02551213, 0.02630183, 0.03120965, 0.01729129, 0.04405746], 8)
    assert _agrees([row.p_value for row in rows], [0.26933885, 0.07683102, 0.56683414, 0.12901715, 0.02300099], 8)
    assert _agrees([rows[4].difference.low, rows[4].difference.high], [-0.186512066, -0.013809995], 9)


def test_fixed_cases_are_those_of_mrmcaov(shared_data: Path) -> None:
    result = obuchowski_rockette(*_van_dyke(shared_data), case_factor="fixed")
    assert _agrees([result.statistic, *result.df, result.p_value], [8.704, 1, 4, 0.04195875], 4)
    interval = result.differences[0].difference
    assert _agrees([interval.low, interval.high], [-0.08502022, -0.00258042], 8)
    assert _agrees([result.means[0].low, result.means[1].high], [0.8280981, 0.9856854], 7)


def test_one_fixed_reader_is_delongs_paired_test(shared_data: Path) -> None:
    truth, scores = _van_dyke(shared_data)
    result = obuchowski_rockette(truth, scores[:, :1], reader_factor="fixed", covariance="jackknife")
    assert _agrees([result.statistic], [1.22011], 5)  # OR-DBM MRMC 2.51, reader 1 alone
    assert result.differences[0].p_value == pytest.approx(result.by_reader[0].p_value)


def test_the_error_variance_is_the_mean_of_delongs(shared_data: Path) -> None:
    truth, scores = _van_dyke(shared_data)
    variances = [roc_auc(truth, row).se ** 2 for row in scores.reshape(-1, 114)]
    assert obuchowski_rockette(truth, scores).components.error == pytest.approx(np.mean(variances))


def test_the_jackknife_is_the_covariance_of_aucs_without_each_case() -> None:
    rng = np.random.default_rng(0)
    truth, scores = np.arange(30) % 3 == 0, np.round(rng.standard_normal((2, 2, 30)), 1)
    rows = scores.reshape(4, 30)
    without = [[roc_auc(np.delete(truth, k), np.delete(row, k)).value for k in range(30)] for row in rows]
    expected = np.cov(without, ddof=0).trace() / 4 * 29
    assert obuchowski_rockette(truth, scores, covariance="jackknife").components.error == pytest.approx(expected)


def test_the_order_of_modalities_turns_the_difference() -> None:
    rng = np.random.default_rng(1)
    truth = np.arange(60) % 2
    scores = truth + rng.standard_normal((2, 3, 60))
    one, other = (obuchowski_rockette(truth, part).differences[0] for part in (scores, scores[::-1]))
    assert (other.difference.value, other.p_value) == pytest.approx((-one.difference.value, one.p_value))


def test_three_modalities_have_three_differences() -> None:
    rng = np.random.default_rng(2)
    truth = np.arange(60) % 2
    result = obuchowski_rockette(truth, truth + rng.standard_normal((3, 4, 60)), modalities=["alone", "model", "both"])
    pairs = [(row.first, row.second) for row in result.differences]
    assert pairs == [("alone", "model"), ("alone", "both"), ("model", "both")]
    assert result.df[0] == 2


def test_equal_modalities_are_not_shown_to_differ() -> None:
    rng = np.random.default_rng(3)
    truth, ps = np.arange(80) % 2, []
    for _ in range(200):
        case, reader = truth + rng.standard_normal(80), 0.3 * rng.standard_normal((1, 5, 1)) * truth
        ps.append(obuchowski_rockette(truth, case + reader + rng.standard_normal((2, 5, 80))).p_value)
    assert np.mean(np.array(ps) < 0.05) == pytest.approx(0.05, abs=0.04)


def test_readings_that_are_all_perfect_have_no_test() -> None:
    truth = np.arange(20) % 2
    result = obuchowski_rockette(truth, np.broadcast_to(truth, (2, 3, 20)))
    assert (result.test, result.p_value, result.differences[0].difference.low) == ("none", None, None)
    assert result.differences[0].difference.note == "not estimable: the AUCs do not vary"


def test_the_same_readings_twice_differ_by_nothing() -> None:
    truth = np.arange(40) % 2
    once = truth + np.random.default_rng(4).standard_normal((1, 3, 40))
    result = obuchowski_rockette(truth, np.concatenate([once, once]))
    assert result.differences[0].difference.value == 0
    assert result.p_value in (None, 1.0)


def test_a_hundred_thousand_cases_are_compared() -> None:
    rng = np.random.default_rng(5)
    truth = np.arange(100_000) % 2
    scores = truth + rng.standard_normal((2, 2, 100_000)) * np.array([1.0, 0.95])[:, None, None]
    assert obuchowski_rockette(truth, scores, reader_factor="fixed").p_value < 1e-6


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((2, 10), {}, r"shape \(modalities, readers, cases\) with two modalities or more; got \(2, 10\)"),
        ((1, 3, 10), {}, "two modalities or more"),
        ((2, 1, 10), {}, "One reader cannot stand for others"),
        ((2, 3, 10), {"reader_factor": "fixed", "case_factor": "fixed"}, "both fixed nothing is left to chance"),
        ((2, 3, 10), {"reader_factor": "mixed"}, "Unknown reader_factor 'mixed'"),
        ((2, 3, 10), {"covariance": "bootstrap"}, "Unknown covariance 'bootstrap'"),
        ((2, 3, 10), {"readers": ["a", "b"]}, "The 3 readers need as many different names; got a, b"),
        ((2, 3, 10), {"modalities": ["a", "a"]}, "The 2 modalities need as many different names"),
        ((2, 3, 9), {}, "Outcome and score must be two lists of equal length"),
    ],
)
def test_what_is_no_reader_study_is_refused(shape: Any, options: Any, message: str) -> None:
    scores = np.random.default_rng(0).standard_normal(shape)
    with pytest.raises(ValueError, match=message):
        obuchowski_rockette(np.arange(10) % 2, scores, **options)


def test_a_missing_reading_is_refused() -> None:
    scores = np.zeros((2, 2, 6))
    scores[0, 1, 2] = np.nan
    with pytest.raises(ValueError, match="1 of 24 readings are not finite"):
        obuchowski_rockette([0, 1] * 3, scores)


def test_a_class_of_one_case_is_refused() -> None:
    with pytest.raises(ValueError, match="needs two cases of each class"):
        obuchowski_rockette([0, 0, 1], np.zeros((2, 2, 3)))


def test_the_result_is_plain_json(shared_data: Path) -> None:
    for factor in ("random", "fixed"):
        json.dumps(obuchowski_rockette(*_van_dyke(shared_data), reader_factor=factor).to_dict(), allow_nan=False)
