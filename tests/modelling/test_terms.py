"""A linear predictor in plain values."""

import json

import numpy as np
import pandas as pd
import pytest

from glottis.modelling.terms import LinearPredictor, Term

SITE = Term(column="site", levels=("glottis", "supraglottis"), coefficients=(0.7,), fill="glottis")
AGE = Term(column="age", coefficients=(0.02,), low=40, high=80, fill=60.0)
MODEL = LinearPredictor(terms=(SITE, AGE), intercept=-2.0)
TABLE = pd.DataFrame({"age": [50.0, 71.5, np.nan], "site": ["supraglottis", None, "glottis"], "other": [1, 2, 3]})


def test_every_term_adds_its_own_part():
    expected = [-2 + 0.7 + 0.02 * 50, -2 + 0.02 * 71.5, -2 + 0.02 * 60]
    assert MODEL(TABLE) == pytest.approx(expected, rel=1e-15)


def test_a_row_alone_has_the_bits_that_it_has_in_a_table():
    table = pd.DataFrame({"age": np.random.default_rng(3).normal(60, 9, 101), "site": "glottis"})
    alone = [float(MODEL(table.iloc[[row]])[0]) for row in range(len(table))]
    assert alone == MODEL(table).tolist()


def test_a_model_survives_json_bit_for_bit():
    model = LinearPredictor(terms=(SITE, AGE), intercept=-1 / 3)
    again = LinearPredictor.from_dict(json.loads(json.dumps(model.to_dict())))
    assert again == model


def test_a_level_that_nobody_had_is_refused():
    with pytest.raises(ValueError, match="'subglottis', which no training patient had"):
        MODEL(TABLE.assign(site="subglottis"))


def test_a_word_in_place_of_a_number_is_refused():
    with pytest.raises(ValueError, match="'age' needs a number; got 'old'"):
        MODEL(TABLE.assign(age="old"))


def test_a_column_that_is_absent_is_named():
    with pytest.raises(ValueError, match="no column 'site'"):
        MODEL(TABLE[["age"]])


def test_coefficients_must_fit_the_levels():
    with pytest.raises(ValueError, match="needs 2 coefficients"):
        Term(column="T", levels=("T1", "T2", "T3"), coefficients=(0.3,), fill="T1")
