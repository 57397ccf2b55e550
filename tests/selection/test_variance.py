from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from glottis.selection import VarianceFilter

TABLE = pd.DataFrame(
    {"flat": [3.0, 3.0, 3.0], "good": [1.0, 2.0, 3.0], "hole": [1.0, np.nan, np.inf], "last": [0.1, 0.2, 0.1]},
    index=["P2", "P1", "P3"],
)


def test_dropped_columns_come_with_their_reason() -> None:
    assert VarianceFilter().fit(TABLE).dropped_ == {"flat": "constant", "hole": "not finite in 2 patients"}


def test_a_table_stays_a_table_with_its_patients() -> None:
    out = VarianceFilter().fit_transform(TABLE)
    pd.testing.assert_frame_equal(out, TABLE[["good", "last"]])


def test_rounding_noise_counts_as_constant() -> None:
    noise = pd.DataFrame({"a": [1e6, 1e6 + 1e-9, 1e6], "b": [1.0, 2.0, 3.0]})
    assert VarianceFilter().fit(noise).names_kept_ == ["b"]


def test_a_table_without_any_variation_is_refused() -> None:
    with pytest.raises(ValueError, match="None of the 1 features varies"):
        VarianceFilter().fit(TABLE[["flat"]])


def test_a_new_patient_with_a_hole_passes_to_the_next_step() -> None:
    fitted = VarianceFilter().fit(TABLE[["good", "last"]])
    assert fitted.transform(pd.DataFrame({"good": [np.nan], "last": [1.0]})).isna().sum().sum() == 1
