from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from glottis.modelling import tangled

BATCH = np.repeat(["north", "south", "west"], [50, 40, 30])


def test_cramers_v_is_scipys() -> None:
    outcome = np.random.default_rng(0).permutation(np.arange(120) % 3)
    result = tangled(BATCH, outcome)
    table = pd.crosstab(BATCH, outcome)
    assert result.cramers_v == pytest.approx(stats.contingency.association(table, method="cramer"))
    assert result.test.p_value == pytest.approx(stats.chi2_contingency(table, correction=False).pvalue)
    assert result.counts == tuple(map(tuple, table.to_numpy().tolist()))
    assert result.warning == ""


def test_a_batch_that_goes_with_the_outcome_is_warned_of() -> None:
    outcome = np.where(BATCH == "north", np.arange(120) % 5 == 0, np.arange(120) % 5 > 0).astype(int)
    warning = tangled(BATCH, outcome).warning
    assert warning.startswith("Batch and outcome are tangled: 1 is the outcome of 20% in north and of 80% in ")
    assert warning.endswith("judge it within each batch.")


def test_few_patients_are_judged_by_the_strength_alone() -> None:
    result = tangled(list("aaaabbbb"), [1, 1, 1, 0, 0, 0, 1, 0])
    assert result.test.name == "Fisher's exact"
    assert result.test.p_value == pytest.approx(stats.fisher_exact([[1, 3], [3, 1]]).pvalue)
    assert result.warning.startswith("Batch and outcome may be tangled, with too few patients to tell: ")


@pytest.mark.parametrize(
    ("batch", "outcome", "match"),
    [
        (list("ab"), [0, 1, 1], "got 2 and 3, of which 0 missing"),
        (["a", None, "b"], [0, 1, 1], "of which 1 missing: leave out patients"),
        (list("aaa"), [0, 1, 1], "got 1 and 2: check the columns"),
        (list("ab") * 6, range(12), "2 to 10 classes of the outcome are needed; got 2 and 12"),
    ],
)
def test_what_has_no_table_is_refused(batch: Any, outcome: Any, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        tangled(batch, outcome)
