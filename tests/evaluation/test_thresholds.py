from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from glottis.evaluation import youden_threshold

PROC = json.loads((Path(__file__).parents[1] / "reference" / "proc_asah.json").read_text(encoding="utf-8"))
RNG = np.random.default_rng(9)
Y = np.arange(40) % 2
S = np.round(Y + RNG.standard_normal(40), 1)


def _asah(shared_data: Path, marker: str) -> tuple[np.ndarray, np.ndarray]:
    table = pd.read_csv(shared_data / "stats" / "aSAH.csv")
    return (table["outcome"] == "Poor").to_numpy(), table[marker].to_numpy(dtype=float)


@pytest.mark.parametrize("marker", ["s100b", "ndka", "wfns"])
def test_the_youden_threshold_is_that_of_proc(shared_data: Path, marker: str) -> None:
    result, expected = youden_threshold(*_asah(shared_data, marker)), PROC[marker]
    assert result.to_dict() == pytest.approx(
        {"value": expected["threshold"], "sensitivity": expected["sensitivity"], "specificity": expected["specificity"]}
    )


def test_no_cut_off_beats_the_youden_threshold() -> None:
    chosen = youden_threshold(Y, S)
    sums = [(S[Y == 1] >= t).mean() + (S[Y == 0] < t).mean() for t in S]
    assert chosen.sensitivity + chosen.specificity == pytest.approx(max(sums))
    assert (S[Y == 1] >= chosen.value).mean() == chosen.sensitivity


def test_equally_good_cut_offs_give_the_balanced_one() -> None:
    # cutting below .2 gives sensitivity 1, specificity 1/3; below .4 gives 2/3 and 2/3: both sum to 4/3
    chosen = youden_threshold([0, 1, 0, 1, 1, 0], [0.1, 0.2, 0.3, 0.4, 0.5, 0.45])
    assert (chosen.sensitivity, chosen.specificity) == pytest.approx((2 / 3, 2 / 3))


def test_a_score_against_the_outcome_still_has_a_finite_threshold() -> None:
    assert youden_threshold([1, 1, 0, 0], [0.1, 0.2, 0.3, 0.4]).value == 0.1
