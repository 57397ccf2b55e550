from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from glottis.evaluation import icc
from glottis.selection import ICCFilter

RNG = np.random.default_rng(5)
PATIENTS = pd.Index([f"P{i:02d}" for i in range(30)], name="patient")
X = pd.DataFrame(RNG.standard_normal((30, 3)), index=PATIENTS, columns=["steady", "shaky", "inter-shaky"])
READ = PATIENTS[:20]
INTRA = X.loc[READ] + RNG.standard_normal((20, 3)) * [0.1, 2.0, 0.1]
INTER = X.loc[READ] + RNG.standard_normal((20, 3)) * [0.1, 0.1, 2.0]


def test_a_feature_must_pass_in_every_table() -> None:
    fitted = ICCFilter({"intra": INTRA, "inter": INTER}).fit(X)
    assert fitted.names_kept_ == ["steady"]
    assert fitted.n_patients_ == {"intra": 20, "inter": 20}


def test_the_table_holds_the_icc_with_its_limits() -> None:
    fitted = ICCFilter({"intra": INTRA}).fit(X)
    expected = icc(np.stack([X.loc[READ].T, INTRA.T], axis=2))
    np.testing.assert_array_equal(fitted.icc_["intra"].to_numpy().T, [expected.value, expected.low, expected.high])


def test_patients_outside_the_training_table_are_never_read() -> None:
    training = X.loc[PATIENTS[10:]]
    spoiled = INTRA.copy()
    spoiled.loc[PATIENTS[:10]] = 1e9
    clean, marked = (ICCFilter({"intra": table}).fit(training) for table in (INTRA, spoiled))
    pd.testing.assert_frame_equal(clean.icc_, marked.icc_)
    assert clean.n_patients_ == {"intra": 10}


def test_the_lower_limit_is_stricter_than_the_estimate() -> None:
    point = ICCFilter({"intra": INTRA}).fit(X).icc_["intra"].loc["steady"]
    threshold = (point["value"] + point["low"]) / 2
    assert "steady" in ICCFilter({"intra": INTRA}, threshold=threshold).fit(X).names_kept_
    with pytest.raises(ValueError, match="No feature of 1"):
        ICCFilter({"intra": INTRA[["steady"]]}, threshold=threshold, use="lower").fit(X[["steady"]])


def test_too_few_common_patients_decide_nothing_and_it_is_said() -> None:
    fitted = ICCFilter({"intra": INTRA}).fit(X.loc[PATIENTS[16:]])
    assert fitted.names_kept_ == list(X.columns)
    assert fitted.note_ == "fewer than 5 training patients with repeats: intra (4); every feature stays"


def test_the_order_of_rows_changes_no_bit() -> None:
    shuffled = ICCFilter({"intra": INTRA.sample(frac=1, random_state=1)}).fit(X.sample(frac=1, random_state=2))
    pd.testing.assert_frame_equal(shuffled.icc_, ICCFilter({"intra": INTRA}).fit(X).icc_, check_exact=True)


def test_a_repeats_table_without_a_feature_is_refused() -> None:
    with pytest.raises(ValueError, match="'intra' lacks 1 features, for example 'shaky'"):
        ICCFilter({"intra": INTRA.drop(columns="shaky")}).fit(X)


def test_a_patient_named_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="names a patient twice"):
        ICCFilter({"intra": pd.concat([INTRA, INTRA.iloc[:1]])}).fit(X)


def test_an_array_without_patients_is_refused() -> None:
    with pytest.raises(TypeError, match="indexed by patient"):
        ICCFilter({"intra": INTRA}).fit(X.to_numpy())
