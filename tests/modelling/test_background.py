from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from glottis._errors import StatisticsError
from glottis.modelling import background_of

RNG = np.random.default_rng(1)
SHARED = RNG.standard_normal(300)
TABLE = pd.DataFrame(
    {
        "a": np.exp(SHARED),
        "b": SHARED + 0.3 * RNG.standard_normal(300),
        "c": RNG.standard_normal(300),
        "binary": (SHARED > 0.5) * 1.0,
        "constant": 4.0,
    },
    index=[f"P{i:03d}" for i in range(300)],
)


def test_every_column_keeps_its_mean_and_its_spread() -> None:
    made = background_of(TABLE, n=50)
    assert made.mean().to_numpy() == pytest.approx(TABLE.mean().to_numpy(), abs=1e-12)
    assert (made.std() / TABLE.std())[["a", "b", "c", "binary"]].between(0.85, 1.01).all()


def test_rank_correlations_stay() -> None:
    made = spearmanr(background_of(TABLE, n=60)[["a", "b", "c"]]).statistic
    assert np.abs(made - spearmanr(TABLE[["a", "b", "c"]]).statistic).max() < 0.3
    assert made[0, 1] > 0.85


def test_no_row_and_no_continuous_value_is_a_patients() -> None:
    made = background_of(TABLE[["a", "b", "c"]], n=60)
    assert not np.isin(made.to_numpy(), TABLE.to_numpy()).any()


def test_one_extreme_patient_moves_a_value_by_a_fifth_at_most() -> None:
    other = TABLE.assign(c=TABLE["c"].where(TABLE["c"] < TABLE["c"].max(), 1000))
    moved = background_of(other, n=60)["c"].max() - background_of(TABLE, n=60)["c"].max()
    assert moved == pytest.approx((1000 - TABLE["c"].max()) / 5)


def test_the_order_of_patients_does_not_matter() -> None:
    assert background_of(TABLE[::-1]).equals(background_of(TABLE))


def test_a_small_set_has_five_patients_a_row() -> None:
    assert [len(background_of(TABLE[:n])) for n in (5, 9, 10, 64, 300)] == [1, 1, 2, 12, 50]
    assert background_of(TABLE[:9]).loc[0].tolist() == pytest.approx(TABLE[:9].mean().tolist())


def test_another_seed_pairs_the_same_values_otherwise() -> None:
    one, two = background_of(TABLE), background_of(TABLE, random_state=1)
    assert not one.equals(two)
    assert np.sort(one, axis=0).tolist() == np.sort(two, axis=0).tolist()


def test_four_patients_are_refused() -> None:
    with pytest.raises(StatisticsError, match="5 patients a row; got n=50 and 4 patients: give the training"):
        background_of(TABLE[:4])


def test_a_missing_value_is_refused() -> None:
    with pytest.raises(StatisticsError, match="Feature 'b' has a value that is not finite: impute it"):
        background_of(TABLE.assign(b=np.nan))
