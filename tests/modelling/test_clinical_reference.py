"""The clinical chain on real patients: R's numbers on complete data, and two centres."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lydata_centres import bern, lyon

from glottis.evaluation.discrimination import area
from glottis.evaluation.logistic import LogisticRow, logistic_table
from glottis.evaluation.odds import OddsRatio
from glottis.modelling import ClinicalChain
from stored import reference

R = reference("clinical")
STAGES = ("1", "2", "3", "4")
SITE = {"site": "oral cavity"}


def _agrees(ratios: Sequence[OddsRatio | None], expected: dict[str, list[float]]) -> bool:
    own = {key: [getattr(ratio, key) for ratio in ratios] for key in ("coefficient", "se")}
    own["p"] = [ratio.p_value for ratio in ratios if ratio]
    own |= {key: [getattr(ratio.ratio, key) for ratio in ratios if ratio] for key in ("low", "high")}
    return all(values == pytest.approx(expected[key][1:], rel=1e-7) for key, values in own.items())


def _asah(folder: Path) -> tuple[pd.DataFrame, pd.Series]:
    table = pd.read_csv(folder / "stats" / "aSAH.csv")
    table.index = pd.Index([f"P{place:03d}" for place in range(len(table))])
    columns = table[["age", "gender", "wfns", "s100b", "ndka"]]
    return columns.assign(gender=columns["gender"].astype(object)), (table["outcome"] == "Poor").astype(int)


def _bern(folder: Path) -> tuple[pd.DataFrame, pd.Series]:
    table = bern(folder)
    return table[["imaging_n", "site", "age", "sex", "t_stage"]], table["pathological_n"].astype(int)


@pytest.fixture(scope="module")
def fitted(shared_data: Path) -> dict[str, ClinicalChain]:
    every = ClinicalChain(screen=None, reference=SITE, ordinal={"t_stage": STAGES}).fit(*_bern(shared_data))
    return {"asah": ClinicalChain(screen=None).fit(*_asah(shared_data)), "bern": every}


@pytest.mark.parametrize("name", ["asah", "bern"])
def test_ratios_and_covariance_are_those_of_r(fitted: dict[str, ClinicalChain], name: str) -> None:
    chain, expected = fitted[name], R[name]
    rows: dict[str, list[LogisticRow]] = {}
    for row in chain.table_.rows:
        rows.setdefault(row.variable, []).append(row)
    assert _agrees([row.multivariable for row in chain.table_.rows], expected["multivariable"])
    for variable, own in rows.items():
        assert _agrees([row.univariable for row in own], expected["univariable"][variable])
    assert chain.coefficients_.to_numpy() == pytest.approx(expected["multivariable"]["coefficient"], rel=1e-7)
    assert chain.covariance_.to_numpy() == pytest.approx(np.array(expected["multivariable"]["covariance"]), rel=1e-6)


def test_the_table_without_gaps_is_that_of_logistic_table(shared_data: Path) -> None:
    X, y = _asah(shared_data)
    own = ClinicalChain(screen=0.05).fit(X, y).table_
    assert own.rows == logistic_table(y.sort_index(), X.sort_index(), enter=0.05).rows


def test_the_model_is_the_table_and_its_scores_are_rs(fitted: dict[str, Any], shared_data: Path) -> None:
    chain, (X, _) = fitted["bern"], _bern(shared_data)
    log_odds = chain.design(X) @ chain.coefficients_
    assert chain.model_(X) == pytest.approx(log_odds.to_numpy(), abs=1e-12)
    stage = next(term for term in chain.model_.terms if term.column == "t_stage")
    step = R["bern"]["multivariable"]["coefficient"][-1]
    assert stage.ordered
    assert stage.coefficients == pytest.approx((step, 2 * step, 3 * step))


def test_berns_patients_are_counted_as_the_issue_counts_them(shared_data: Path) -> None:
    table = bern(shared_data)
    assert len(bern(shared_data, complete=False)) == 332
    assert (len(table), (table["imaging_n"] == "True").sum(), table["pathological_n"].sum()) == (329, 207, 153)
    cells = pd.crosstab(table["imaging_n"], table["pathological_n"]).to_numpy()
    assert cells.tolist() == [[94, 28], [82, 125]]
    assert cells[0, 0] * cells[1, 1] / (cells[0, 1] * cells[1, 0]) == pytest.approx(5.118, abs=5e-4)


def test_berns_larynx_and_clinical_stages_are_few(shared_data: Path) -> None:
    table = bern(shared_data)
    larynx = table[table["site"] == "larynx"]
    assert (len(larynx), larynx["pathological_n"].sum()) == (24, 9)
    assert (bern(shared_data, complete=False)["t_prefix"] == "c").sum() == 92


def test_imaging_and_site_pass_the_screen_in_bern(shared_data: Path) -> None:
    X, y = _bern(shared_data)
    chain = ClinicalChain(reference=SITE).fit(X.drop(columns="t_stage"), y)
    assert chain.kept_ == {"univariable": ["imaging_n", "site"]}
    assert 0.65 < chain.inner_auc_ < 0.77


def test_what_both_centres_have_says_little_in_lyon(shared_data: Path) -> None:
    X, y = _bern(shared_data)
    chain = ClinicalChain(screen=None, reference=SITE).fit(X[["site", "age", "sex"]], y)
    table = lyon(shared_data)
    assert len(table) == 373
    assert area(table["pathological_n"].astype(bool), chain.predict_proba(table)[:, 1]) == pytest.approx(
        0.595, abs=5e-4
    )


def test_lyons_placeholder_is_refused(shared_data: Path) -> None:
    table = lyon(shared_data)
    with pytest.raises(ValueError, match=r"'diagnostic_consensus' is 'False' throughout in the 373 .* placeholder"):
        ClinicalChain().fit(table[["site", "age", "diagnostic_consensus"]], table["pathological_n"].astype(int))
