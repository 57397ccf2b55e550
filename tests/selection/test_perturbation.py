from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from glottis.evaluation import icc
from glottis.selection import PerturbationFilter

RNG = np.random.default_rng(5)
PATIENTS = pd.Index([f"P{i:02d}" for i in range(30)], name="patient")
X = pd.DataFrame(RNG.standard_normal((30, 2)), index=PATIENTS, columns=["steady", "shaky"])
TABLES = {name: X + RNG.standard_normal((30, 2)) * [0.1, 1.5] for name in ("rotated", "moved", "noisy")}


def test_features_that_perturbations_leave_as_they_are_stay() -> None:
    assert PerturbationFilter(TABLES).fit(X).names_kept_ == ["steady"]


def test_the_training_row_and_all_perturbations_are_one_patients_measurements() -> None:
    fitted = PerturbationFilter(TABLES).fit(X)
    expected = icc(np.stack([X.T, *(table.T for table in TABLES.values())], axis=2), form="ICC(1,1)")
    np.testing.assert_allclose(fitted.icc_["perturbations"]["low"], expected.low, rtol=1e-12)
    assert fitted.n_patients_ == {"perturbations": 30}


def test_one_stacked_table_says_the_same() -> None:
    stacked = pd.concat(TABLES, names=["perturbation"]).swaplevel().sample(frac=1, random_state=1)
    fitted = PerturbationFilter(stacked).fit(X.sample(frac=1, random_state=2))
    pd.testing.assert_frame_equal(fitted.icc_, PerturbationFilter(TABLES).fit(X).icc_, rtol=1e-12)


@pytest.mark.parametrize("stack", [False, True])
def test_rows_of_patients_outside_the_training_table_are_never_read(stack: bool) -> None:
    spoiled = {name: table.copy() for name, table in TABLES.items()}
    for table in spoiled.values():
        table.loc[PATIENTS[:10]] = 1e9
    both = [pd.concat(tables, names=["perturbation"]).swaplevel() if stack else tables for tables in (TABLES, spoiled)]
    clean, marked = (PerturbationFilter(tables).fit(X.loc[PATIENTS[10:]]) for tables in both)
    pd.testing.assert_frame_equal(clean.icc_, marked.icc_, check_exact=True)
    assert clean.n_patients_ == {"perturbations": 20}


def test_the_lower_limit_is_stricter_than_the_estimate() -> None:
    row = PerturbationFilter(TABLES).fit(X).icc_["perturbations"].loc["steady"]
    threshold = (row["value"] + row["low"]) / 2
    assert PerturbationFilter(TABLES, threshold=threshold, use="point").fit(X).names_kept_ == ["steady"]
    with pytest.raises(ValueError, match="No feature of 2 has an ICC above"):
        PerturbationFilter(TABLES, threshold=threshold).fit(X)


def test_a_patient_who_lacks_a_perturbation_is_left_out_and_it_is_said() -> None:
    fitted = PerturbationFilter(TABLES | {"noisy": TABLES["noisy"].iloc[2:]}).fit(X)
    assert fitted.n_patients_ == {"perturbations": 28}
    assert fitted.note_ == "2 of 30 training patients lack a perturbation and were left out"


def test_too_few_patients_decide_nothing_and_it_is_said() -> None:
    fitted = PerturbationFilter(TABLES).fit(X.iloc[:4])
    assert fitted.names_kept_ == list(X.columns)
    assert "fewer than 5 training patients with repeats: perturbations (4)" in fitted.note_


@pytest.mark.parametrize(
    ("tables", "match"),
    [
        ({}, "No perturbation of a training patient"),
        (TABLES["noisy"], "got an index of 1 level"),
        ({"noisy": TABLES["noisy"][["steady"]]}, "'noisy' lacks 1 features, for example 'shaky'"),
        ({"noisy": pd.concat([TABLES["noisy"]] * 2)}, "names a patient twice"),
    ],
)
def test_tables_that_do_not_fit_are_refused(tables: object, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        PerturbationFilter(tables).fit(X)


def test_an_array_without_patients_is_refused() -> None:
    with pytest.raises(TypeError, match="The Perturbation filter needs a table indexed by patient"):
        PerturbationFilter(TABLES).fit(X.to_numpy())
