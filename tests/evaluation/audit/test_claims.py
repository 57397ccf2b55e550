"""Tests recomputed from counts, means, ratios and pairs of models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from glottis.evaluation.audit import Claim, Finding, MetricRow, Printed, audit
from glottis.evaluation.audit.contingency import results_of_counts
from glottis.evaluation.audit.means import ANOVA, STUDENT, WELCH, Group, reaches
from glottis.evaluation.audit.paired import correlation_range, mcnemar_p
from glottis.evaluation.fisher import exact_fisher_p
from glottis.evaluation.odds import odds_ratio

P = Printed.parse
R = json.loads((Path(__file__).parents[2] / "reference" / "audit.json").read_text(encoding="utf-8"))


def claim(kind: Any, values: str = "", **texts: Any) -> Finding:
    """The first finding on a claim."""
    groups = tuple(tuple(P(word) for word in group.split()) for group in values.split(";") if group.strip())
    ci = texts.pop("ci", None)
    printed = {name: P(text) if isinstance(text, str) else text for name, text in texts.items()}
    limits = (P(ci.split()[0]), P(ci.split()[1])) if ci else None
    return audit(claims=[Claim(kind=kind, label="x", values=groups, interval=limits, **printed)]).findings[0]


@pytest.mark.parametrize("seed", range(20))
def test_fisher_of_a_2x2_table_is_scipys(seed: int):
    counts = np.random.default_rng(seed).integers(0, 30, (2, 2))
    assert exact_fisher_p(counts) == pytest.approx(stats.fisher_exact(counts)[1], rel=1e-9)


@pytest.mark.parametrize("known", R["tables"])
def test_tests_of_counts_are_those_of_r(known: dict[str, Any]):
    assert exact_fisher_p(known["counts"]) == pytest.approx(known["fisher"], rel=1e-9)
    assert exact_fisher_p(np.transpose(known["counts"])) == pytest.approx(known["fisher"], rel=1e-9)
    results = results_of_counts(np.array(known["counts"]))
    assert results["chi-square without correction"][1] == pytest.approx(known["chi2"], rel=1e-10)


def test_fisher_leaves_out_empty_rows_and_refuses_what_is_too_large():
    assert exact_fisher_p([[3, 1], [0, 0], [1, 3]]) == pytest.approx(exact_fisher_p([[3, 1], [1, 3]]))
    assert exact_fisher_p([[3, 0], [4, 0]]) == 1.0
    assert exact_fisher_p(np.full((5, 5), 50)) is None
    assert exact_fisher_p(np.full((2, 2), 10**6)) is None


@pytest.mark.parametrize(
    ("p", "test"),
    [
        ("0.6794", "chi-square without correction"),
        ("0.8095", "chi-square with Yates' correction"),
        ("0.7328", "Fisher's exact test"),
    ],
)
def test_the_test_behind_a_p_value_of_counts_is_named(p: str, test: str):
    assert claim("counts", "78 114; 16 27", p=p).details["tests"] == [test]


def test_a_p_value_of_no_test_differs_and_all_are_shown():
    finding = claim("counts", "78 114; 16 27", p="0.04")
    assert finding.verdict == "differs"
    assert "chi-square without correction p = 0.6794" in finding.message


def test_the_statistic_must_fit_as_well():
    assert claim("counts", "78 114; 16 27", p="0.679", statistic="0.171").verdict == "agrees"
    assert claim("counts", "78 114; 16 27", p="0.679", statistic="1.171").verdict == "differs"


def test_without_a_p_value_there_is_nothing_to_check():
    assert claim("counts", "78 114; 16 27").verdict == "unchecked"
    assert claim("means", "1 1 9; 2 1 9").verdict == "unchecked"


def grouped(*lists: list[float], digits: int = 9) -> list[Group]:
    arrays = [np.array(values, dtype=float) for values in lists]
    means = [(P(f"{g.mean():.{digits}f}"), P(f"{g.std(ddof=1):.{digits}f}"), g.size) for g in arrays]
    return [Group(mean=mean, sd=sd, n=n) for mean, sd, n in means]


@pytest.mark.parametrize(
    ("name", "test", "groups"), [("student", STUDENT, 2), ("welch", WELCH, 2), ("anova", ANOVA, 3)]
)
def test_with_many_digits_tests_of_means_are_those_of_r(name: str, test: str, groups: int):
    reach, (statistic, p) = reaches(grouped(*R["groups"][:groups]))[test], R[name]
    assert reach.statistic == pytest.approx((statistic, statistic), rel=1e-6)
    assert reach.p == pytest.approx((p, p), rel=1e-6)


@pytest.mark.parametrize(("test", "groups"), [(STUDENT, 2), (WELCH, 2), (ANOVA, 3)])
def test_the_reach_holds_every_rounded_value_and_little_more(test: str, groups: int):
    known, random, ps = grouped(*R["groups"][:groups], digits=1), np.random.default_rng(0), []
    corners = np.array([[(g.mean.low, g.mean.high), (g.sd.low, g.sd.high)] for g in known])
    for _ in range(4000):
        side = np.where(
            random.random((groups, 2)) < 0.9, random.integers(0, 2, (groups, 2)), random.random((groups, 2))
        )
        exact = corners[:, :, 0] + side * (corners[:, :, 1] - corners[:, :, 0])
        ps.append(p_of(test, exact, [g.n for g in known]))
    low, high = reaches(known)[test].p
    assert low - 1e-12 <= min(ps) <= low + 1e-3
    assert high - 1e-3 <= max(ps) <= high + 1e-12


def p_of(test: str, values: np.ndarray, sizes: list[int]) -> float:
    """p from exact means and standard deviations, by scipy."""
    if test != ANOVA:
        pairs = [(*row, n) for row, n in zip(values, sizes, strict=True)]
        return float(stats.ttest_ind_from_stats(*pairs[0], *pairs[1], equal_var=test == STUDENT).pvalue)
    n = np.array(sizes)
    between = (n * (values[:, 0] - np.average(values[:, 0], weights=n)) ** 2).sum() / (len(n) - 1)
    within = ((n - 1) * values[:, 1] ** 2).sum() / (n.sum() - len(n))
    return float(stats.f.sf(between / within, len(n) - 1, n.sum() - len(n)))


def test_the_reach_of_a_published_age_holds_its_p_value():
    groups = [("62.2", "9.1", 213), ("62.5", "8.0", 91), ("62.2", "11.8", 97)]
    low, high = reaches([Group(mean=P(mean), sd=P(sd), n=n) for mean, sd, n in groups])[ANOVA].p
    assert (low, high) == pytest.approx((0.9410, 0.9843), abs=1e-3)


def test_a_t_that_does_not_follow_differs_and_a_bare_p_is_only_unusual():
    means = "63.45 8.970 164; 62.45 9.085 71"
    assert claim("means", means, p="0.438", statistic="-0.777").verdict == "agrees"
    assert claim("means", means, p="0.038", statistic="2.1").verdict == "differs"
    finding = claim("means", means, p="0.038")
    assert finding.verdict == "unusual"
    assert "A rank test, which needs the data, may have been used" in finding.message


def test_an_odds_ratio_is_that_of_its_counts():
    ratio = odds_ratio(np.array([[69, 32], [25, 109]]))
    assert (ratio.ratio.value, ratio.ratio.low, ratio.ratio.high) == pytest.approx(
        (9.40125, 5.139752535969983, 17.19606166716353)
    )
    assert ratio.p_value == pytest.approx(3.5047468208588953e-13)


def test_an_odds_ratio_in_the_other_direction_agrees_and_says_so():
    finding = claim("odds_ratio", "6 81; 88 60", estimate="19.800", ci="8.116 48.303", p="<0.001")
    assert (finding.verdict, finding.details["flipped"]) == ("agrees", True)


def test_an_odds_ratio_that_does_not_follow_differs():
    finding = claim("odds_ratio", "6 81; 88 60", estimate="17.8", ci="8.116 48.303")
    assert finding.verdict == "differs"
    assert "0.051 (0.021 to 0.123)" in finding.message


def test_an_empty_cell_gets_its_half():
    assert claim("odds_ratio", "0 10; 12 8", estimate="0.03", ci="0.00 0.63").verdict == "agrees"


def test_counts_of_other_patients_than_stated_are_asked_about():
    groups = ((P("69"), P("32")), (P("25"), P("109")))
    found = audit(claims=[Claim(kind="odds_ratio", label="x", values=groups, estimate=P("9.401"), n=164)])
    assert found.findings[1].message == "the counts sum to 235 patients, where 164 are expected."


@pytest.mark.parametrize(
    ("p", "verdict"), [("0.015", "agrees"), ("0.012", "unusual"), ("0.2", "differs"), ("<0.001", "differs")]
)
def test_a_hazard_ratio_and_its_interval_imply_a_p_value(p: str, verdict: str):
    finding = claim("hazard_ratio", estimate="0.454", ci="0.241 0.856", p=p)
    assert finding.verdict == verdict
    assert finding.details["p_implied"] == pytest.approx(0.014598721884439024)


@pytest.mark.parametrize(("estimate", "ci"), [("-1.2", "-2.0 1.1"), ("0.5", "-0.2 0.9")])
def test_a_ratio_below_zero_differs(estimate: str, ci: str):
    finding = claim("hazard_ratio", estimate=estimate, ci=ci)
    assert finding.verdict == "differs"
    assert finding.message.endswith(": a ratio is above 0.")


def test_two_numbers_of_one_test_take_the_plural():
    assert "p 0.679 are those of" in claim("counts", "78 114; 16 27", p="0.679", statistic="0.171").message
    assert "do not follow from" in claim("counts", "78 114; 16 27", p="0.679", statistic="1.171").message


def test_an_off_centre_interval_is_unusual_and_one_without_the_ratio_differs():
    assert claim("hazard_ratio", estimate="0.654", ci="0.241 0.856").verdict == "unusual"
    assert claim("hazard_ratio", estimate="0.954", ci="0.241 0.856").verdict == "differs"


def test_ratios_that_change_sides_are_asked_about():
    ways = [("9.401", ("5.140", "17.196"), "univariate"), ("0.210", ("0.108", "0.408"), "multivariate")]
    claims = [
        Claim(kind="odds_ratio", label="CT", source=source, estimate=P(ratio), interval=(P(ci[0]), P(ci[1])))
        for ratio, ci, source in ways
    ]
    last = audit(claims=claims).findings[-1]
    assert (last.check, last.verdict) == ("direction", "unusual")
    assert "1 / 0.210 is 4.76" in last.message


def row(model: str, auc: str, low: str, high: str, **others: str) -> MetricRow:
    printed = {"auc": P(auc)} | {name: P(text) for name, text in others.items()}
    return MetricRow(model=model, n_positive=52, n_negative=45, printed=printed, intervals={"auc": (P(low), P(high))})


COMBINED = row("Combined", "0.877", "0.807", "0.946", accuracy="0.814")
ALL = row("ALL", "0.835", "0.756", "0.915", accuracy="0.814")
DOCTOR = row("Doctor", "0.716", "0.614", "0.816")


def test_a_delong_p_gives_back_the_correlation_that_made_it():
    wide = {"Combined": (0.87712, 0.0355), "Doctor": (0.71634, 0.0512)}
    rows = [row(n, f"{a:.6f}", f"{a - 1.959964 * s:.6f}", f"{a + 1.959964 * s:.6f}") for n, (a, s) in wide.items()]
    variance = 0.0355**2 + 0.0512**2 - 2 * 0.4 * 0.0355 * 0.0512
    p = 2 * stats.norm.sf((0.87712 - 0.71634) / variance**0.5)
    assert correlation_range(rows[0], rows[1], P(f"{p:.9f}")) == pytest.approx((0.4, 0.4), abs=1e-3)


def delong(*pairs: tuple[str, str, str]) -> tuple[Finding, ...]:
    claims = [Claim(kind="delong", label=f"{a} {b}", a=a, b=b, p=P(p) if p else None) for a, b, p in pairs]
    found = audit([COMBINED, ALL, DOCTOR], claims).findings
    return tuple(item for item in found if item.row in {c.label for c in claims})


def test_a_negative_correlation_is_unusual():
    (finding,) = delong(("Combined", "Doctor", "0.016"))
    assert (finding.verdict, "about -0.15" in finding.message) == ("unusual", True)


def test_an_impossible_p_value_is_unusual():
    assert "smaller than any correlation allows" in delong(("Combined", "Doctor", "1e-30"))[0].message


def test_a_better_area_without_better_decisions_is_noted():
    decisions = delong(("Combined", "ALL", "0.039"))[1]
    assert (decisions.check, decisions.verdict) == ("decisions", "noted")


def test_exchanged_p_values_are_asked_about():
    last = delong(("Combined", "Doctor", "0.016"), ("ALL", "Doctor", "<0.001"))[-1]
    assert last.check == "order of p values"
    assert "exchanged, by 0.40 or more and about 0.44" in last.message


def test_p_values_in_order_are_not():
    assert {item.check for item in delong(("Combined", "Doctor", "0.001"), ("ALL", "Doctor", "0.02"))} == {
        "DeLong test"
    }


def test_a_claim_without_p_says_what_it_would_need():
    (finding,) = delong(("Combined", "ALL", ""))
    assert finding.verdict == "unchecked"
    assert "p < 0.05 would need scores whose AUCs correlate by" in finding.message


def test_a_missing_row_is_named():
    assert "no row of 'Docter'" in delong(("Combined", "Docter", "0.016"))[0].message


def test_mcnemar_at_every_overlap_is_the_published_one():
    finding = claim("mcnemar", "5 18 52", p="<0.05")
    expected = [0.010622024, 0.00719738, 0.004425049, 0.002349854, 0.000976562, 0.000244141]
    assert finding.details["exact_p"] == pytest.approx(expected, abs=1e-9)
    assert "holds for every overlap" in finding.message


def test_mcnemar_at_no_overlap_differs():
    assert claim("mcnemar", "13 2 45", p="<0.05").verdict == "agrees"
    assert claim("mcnemar", "13 10 45", p="<0.05").verdict == "differs"


def test_mcnemar_of_very_many_errors_tries_both_ends():
    finding = claim("mcnemar", "100000 100001 300000", p=">0.05")
    assert len(finding.details["exact_p"]) <= 2002
    assert finding.details["exact_p"][-1] == 1.0


def test_mcnemar_without_disagreement_is_one():
    assert mcnemar_p(0, 0) == {"exact": 1.0}


def test_a_value_printed_twice_must_be_the_same():
    rows = [
        MetricRow(model=model, dataset="validation", source=source, printed={"auc": P(auc)})
        for model, source, auc in (
            ("DLR", "Table 4", "0.832"),
            ("DLR", "Abstract", "0.864"),
            ("Nomogram", "Table 5", "0.864"),
        )
    ]
    last = audit(rows).findings[-1]
    assert (last.check, last.verdict) == ("repeated value", "differs")
    assert last.message.endswith("0.864 is also the value of Nomogram.")


def test_fewer_digits_of_the_same_value_are_no_difference():
    rows = [MetricRow(model="DLR", source=auc, printed={"auc": P(auc)}) for auc in ("0.83", "0.832", "0.8318")]
    assert audit(rows).silent


def test_a_model_called_best_must_be():
    rows = [COMBINED, ALL]
    assert audit(rows, [Claim(kind="best", label="best", a="Combined")]).findings[-1].verdict == "agrees"
    finding = audit(rows, [Claim(kind="best", label="best", a="ALL")]).findings[-1]
    assert (finding.verdict, finding.details["higher"]) == ("unusual", ["Combined"])
