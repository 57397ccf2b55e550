"""Which method printed an interval: AUCs and proportions."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from correct_tables import limits_of

from glottis.evaluation.audit import Finding, MetricRow, Printed
from glottis.evaluation.audit.areas import audit_area, binary_se, greatest_se, least_se
from glottis.evaluation.audit.counts import Table2x2
from glottis.evaluation.audit.proportions import audit_proportions, methods_that_fit
from glottis.evaluation.discrimination import roc_auc
from glottis.evaluation.proportion import METHODS
from glottis.evaluation.proportion import limits_of_proportion as limits

R = json.loads((Path(__file__).parents[2] / "reference" / "audit.json").read_text(encoding="utf-8"))
NAMES = dict(zip(METHODS, ("wilson", "beta", "normal", "agresti_coull", "jeffreys", "prop.test"), strict=True))


def area(
    auc: str, low: str, high: str, sizes: tuple[int, int] | None = (52, 45), table: Table2x2 | None = None
) -> Finding:
    n_positive, n_negative = sizes or (None, None)
    row = MetricRow(
        model="m", n_positive=n_positive, n_negative=n_negative, printed={"auc": Printed.parse(auc)},
        intervals={"auc": (Printed.parse(low), Printed.parse(high))},
    )  # fmt: skip
    finding = audit_area(row, [table] if table else [])
    assert finding is not None
    return finding


def drawn_auc(seed: int) -> tuple[float, float, int, int]:
    """Value and DeLong's standard error of scores without ties, of many shapes."""
    random = np.random.default_rng(seed)
    n_positive, n_negative = random.integers(10, 120, 2)
    positive = random.normal(random.uniform(0, 2.5), random.choice([0.02, 0.3, 1, 4]), n_positive)
    score = np.r_[positive, random.normal(0, random.choice([0.02, 0.3, 1, 4]), n_negative)]
    auc = roc_auc(np.r_[np.ones(n_positive), np.zeros(n_negative)], score)
    return auc.value, auc.se or math.nan, int(n_positive), int(n_negative)


@pytest.mark.parametrize("seed", range(60))
def test_no_score_without_ties_leaves_the_limits_of_the_standard_error(seed: int):
    value, se, *sizes = drawn_auc(seed)
    if not math.isnan(se):
        assert least_se(value, *sizes) <= se * (1 + 1e-6)
        assert se <= greatest_se(value, *sizes) * (1 + 1e-9)


@pytest.mark.parametrize("n", [10, 50])
def test_the_least_standard_error_of_chance_is_that_of_mann_whitney(n: int):
    assert least_se(0.5, n, n) == pytest.approx(math.sqrt(1 / (6 * n)), rel=1e-5)


def test_a_binary_readings_standard_error_is_delongs():
    table = Table2x2(34, 18, 35, 10)
    truth = np.repeat([1, 1, 0, 0], [34, 18, 35, 10])
    auc = roc_auc(truth, np.repeat([1, 0, 0, 1], [34, 18, 35, 10]))
    assert binary_se(table.tp / 52, table.tn / 45, 52, 45) == pytest.approx(auc.se, rel=1e-12)


def test_an_interval_of_hanley_mcneil_is_named():
    assert area("0.877", "0.807", "0.946").details["methods"] == ["Hanley-McNeil"]


def test_a_narrower_symmetric_interval_may_be_delongs():
    finding = area("0.890", "0.8407", "0.9393", (67, 97))
    assert finding.details["methods"] == ["DeLong, or another symmetric one"]


def test_a_skewed_interval_may_be_one_on_the_logit_scale():
    assert area("0.877", "0.790", "0.931").details["methods"] == ["a symmetric one on the logit scale"]


def test_an_interval_shorter_than_any_score_allows_differs():
    finding = area("0.807", "0.748", "0.850", (47, 44))
    assert (finding.verdict, finding.details["symmetric"]) == ("differs", False)
    assert "too short for 47 and 44 patients" in finding.message


def test_an_interval_longer_than_any_score_allows_differs():
    assert "too long for 47 and 44 patients" in area("0.807", "0.607", "0.999", (47, 44)).message


def test_an_area_outside_its_interval_differs():
    assert area("0.95", "0.80", "0.90").message == "0.95 lies outside its interval, 0.80 to 0.90."


def test_without_sizes_only_the_shape_is_told():
    finding = area("0.877", "0.807", "0.946", None)
    assert (finding.verdict, finding.message.split(";")[0]) == ("unchecked", "0.807 to 0.946 is symmetric around 0.877")


def test_a_readers_hanley_mcneil_interval_is_unusual():
    finding = area("0.716", "0.614", "0.816", table=Table2x2(34, 18, 35, 10))
    assert finding.verdict == "unusual"
    assert finding.message.endswith("DeLong's for such a reading is 0.626 to 0.805.")


def test_a_readers_delong_interval_agrees():
    assert area("0.716", "0.626", "0.805", table=Table2x2(34, 18, 35, 10)).verdict == "agrees"


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("count", "total"), [(40, 52), (0, 9), (9, 9), (1, 300)])
def test_limits_of_a_proportion_are_those_of_an_independent_formula(method: str, count: int, total: int):
    assert limits(count, total, method) == pytest.approx(limits_of(count, total, NAMES[method]), abs=1e-9)


@pytest.mark.parametrize("known", R["proportions"])
@pytest.mark.parametrize(
    ("method", "name"),
    [("Wilson", "plain"), ("Wilson with continuity correction", "corrected"), ("Clopper-Pearson", "exact")],
)
def test_limits_of_a_proportion_are_those_of_r(method: str, name: str, known: dict[str, Any]):
    assert limits(known["count"], known["total"], method) == pytest.approx(tuple(known[name]), abs=1e-10)


@pytest.mark.parametrize("method", METHODS)
def test_the_method_of_a_printed_interval_is_found(method: str):
    low, high = (Printed.parse(f"{limit:.4f}") for limit in limits(40, 52, method))
    assert methods_that_fit((low, high), 40, 52, 0.95) == (method,)


def proportion(low: str, high: str, *, complete: bool = True) -> Finding:
    row = MetricRow(
        model="m", printed={"sensitivity": Printed.parse("0.769")},
        intervals={"sensitivity": (Printed.parse(low), Printed.parse(high))},
    )  # fmt: skip
    return audit_proportions(row, [Table2x2(40, 12, 32, 13)], complete=complete)[0]


def test_an_interval_of_no_method_is_unusual_and_wilsons_is_shown():
    finding = proportion("0.700", "0.800")
    assert finding.verdict == "unusual"
    assert "gives 0.700 to 0.800 for 40/52; Wilson gives 0.639 to 0.863" in finding.message


def test_an_interval_of_no_method_is_unchecked_while_other_tables_are_possible():
    assert proportion("0.700", "0.800", complete=False).verdict == "unchecked"


def test_a_proportion_outside_its_interval_differs():
    assert proportion("0.80", "0.90").verdict == "differs"
