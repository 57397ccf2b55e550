"""Tables of predictions: what every column means, and one message a mistake."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from glottis._errors import CohortError
from glottis.data.ratings import Ratings, paired
from glottis.io.predictions import Columns, read_predictions

LONG = pd.DataFrame(
    {
        "patient": ["a", "b", "c", "d"] * 2,
        "model": ["M"] * 4 + ["N"] * 4,
        "y_true": [0, 1, 0, 1] * 2,
        "y_score": [0.1, 0.7, 0.3, 0.6, 0.2, 0.9, 0.4, 0.3],
    }
)
WIDE = pd.DataFrame(
    {"id": ["a", "b", "c", "d"], "grade": ["lo", "hi", "lo", "hi"], "m": [1, 3, 2, 4], "r": [0, 1, 0, 0]}
)


def long(**changed: Any) -> Ratings:
    return read_predictions(LONG.assign(**changed), Columns())


def wide(table: pd.DataFrame = WIDE, **columns: Any) -> Ratings:
    given = {"patient": "id", "outcome": "grade", "positive": "hi", "scores": ("m", "r")} | columns
    return read_predictions(table, Columns(**given))


def test_a_long_table_with_the_ledgers_names_needs_no_word() -> None:
    assert [rater.name for rater in long().raters] == ["M", "N"]
    assert long().rows("N", "")["y_score"].tolist() == [0.2, 0.9, 0.4, 0.3]


def test_a_wide_table_has_a_rater_a_column() -> None:
    ratings = wide()
    assert (ratings.positive, ratings.negative) == ("hi", "lo")
    assert paired(ratings, "", common=False).scores["m"].tolist() == [1, 3, 2, 4]


def test_rows_of_a_wide_table_without_ids_are_patients() -> None:
    ratings = wide(patient=None)
    assert ratings.notes == ("The table names no patients: every row counts as one.",)
    assert paired(ratings, "", common=False).y_true is not None


def test_the_order_of_the_rows_does_not_matter() -> None:
    shuffled = read_predictions(LONG.sample(frac=1, random_state=0), Columns())
    one, other = (paired(ratings, "", common=False).scores["N"] for ratings in (long(), shuffled))
    np.testing.assert_array_equal(one, other)


def test_readers_write_yes_and_no_or_the_outcomes_own_words() -> None:
    table = WIDE.assign(m=["yes", "NO", "no", "yes"], r=["hi", "lo", "lo", "hi"])
    scores = paired(wide(table), "", common=False).scores
    assert (scores["m"].tolist(), scores["r"].tolist()) == ([1, 0, 0, 1], [1, 0, 0, 1])


def test_readers_and_modalities_make_a_raters_name() -> None:
    table = LONG.assign(reader=[1] * 4 + [2] * 4, model=None)
    found = read_predictions(table, Columns(modality=None)).raters
    assert [(rater.name, rater.reader) for rater in found] == [("reader 1", "reader 1"), ("reader 2", "reader 2")]


def test_two_scores_of_a_reader_are_two_modalities() -> None:
    table = WIDE.assign(doctor="Li")
    found = wide(table, reader="doctor").raters
    assert [(rater.name, rater.modality) for rater in found] == [("Li, m", "m"), ("Li, r", "r")]


def test_patients_without_a_score_are_counted() -> None:
    ratings = long(y_score=[None, *LONG["y_score"][1:]])
    assert ratings.notes == ("1 patient without score (M) left out.",)


def test_survival_alone_needs_no_outcome() -> None:
    table = WIDE.assign(days=[1, 2, 3, 4], dead=["yes", "no", "yes", "no"]).drop(columns="grade")
    ratings = wide(table, outcome=None, positive=None, time="days", event="dead")
    assert (ratings.outcome, ratings.has_survival) == ("", True)
    assert paired(ratings, "", common=False).event.tolist() == [1, 0, 1, 0]


def test_a_score_may_have_the_name_of_a_role() -> None:
    table = WIDE.rename(columns={"m": "model", "r": "reader"})
    assert [rater.name for rater in wide(table, scores=("model", "reader")).raters] == ["model", "reader"]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"outcome": "grad"}, r"The table has no column 'grad' (--outcome): did you mean 'grade'?"),
        ({"scores": ("m", "q")}, r"The table has no column 'q' (--score): known: grade, id, m, r."),
        ({"subgroups": ("sex",)}, r"has no column 'sex' (--subgroup)"),
        ({"outcome": None}, r"has no column y_true: name the outcome with --outcome, or time and event"),
        ({"scores": ()}, r"has no column y_score: name the scores, --score A --score B"),
        ({"positive": None}, r"'grade' holds hi and lo: say which is the positive class, --positive lo."),
        ({"positive": "high"}, r"'grade' has no value 'high' (--positive): it holds hi and lo."),
        ({"outcome": "m"}, r"Outcome 'm' holds 4 values (1, 2, 3, 4): it needs two"),
        ({"scores": ("m", "grade", "id")}, r"Column 'id' is no list of numbers (line 2: 'a'): write scores"),
        ({"model": "id"}, r"a column of models ('id') and 2 columns of scores"),
        ({"reader": "r", "patient": None}, r"several rows a patient and no column patient: name it with --patient."),
        ({"time": "m"}, r"Survival needs time and event, and the table has --time alone: name --event too."),
        ({"time": "m", "event": "m"}, r"Event 'm' holds 2, 3, 4: write 1 for the event and 0 for censored."),
        ({"patient": "grade"}, r"'m' has more than one score for 2 patients (hi, lo): keep one row, or name"),
    ],
)
def test_a_mistake_in_a_wide_table_has_one_message(columns: dict[str, Any], message: str) -> None:
    with pytest.raises(CohortError, match=f"(?i){re.escape(message)}"):
        wide(**columns)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"y_true": [0, 1, 0, 1, 1, 1, 0, 1]}, r"1 patient with two outcomes in different rows \(a\): correct"),
        ({"patient": [None, *LONG["patient"][1:]]}, r"has rows without a patient \(lines 2\): fill in their ids"),
        ({"y_score": None}, r"No row has both a score and an outcome"),
        ({"set": ["training", *["internal"] * 7]}, r"1 patient both in the training set and in a test set \(a\)"),
    ],
)
def test_a_mistake_in_a_long_table_has_one_message(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(CohortError, match=message):
        long(**changed)


def test_raters_on_different_patients_are_refused_and_the_common_ones_offered() -> None:
    ratings = long(y_score=[None, *LONG["y_score"][1:]])
    with pytest.raises(CohortError, match=r"'M' lacks 1 of 4 \(a\)\. Add .* the 3 patients that all have: --common"):
        paired(ratings, "", common=False)


def test_common_patients_are_taken_when_asked_for() -> None:
    on = paired(long(y_score=[None, *LONG["y_score"][1:]]), "", common=True)
    assert (on.scores["N"].tolist(), on.n_dropped) == ([0.9, 0.4, 0.3], {"N": 1})


def test_no_more_than_eight_patients_are_named() -> None:
    table = pd.DataFrame({"id": [f"p{i:02d}" for i in range(20)], "y_true": [0, 1] * 10, "m": range(20), "r": 1.0})
    table.loc[:11, "r"] = None
    with pytest.raises(CohortError, match=r"'r' lacks 12 of 20 \(p00, .*, p07 and 4 more\)"):
        paired(read_predictions(table, Columns(patient="id", scores=("m", "r"))), "", common=False)


def test_raters_without_a_common_patient_cannot_be_compared() -> None:
    with pytest.raises(CohortError, match="No patient has a score from every rater"):
        paired(long(patient=list("abcdefgh")), "", common=True)


def test_a_held_out_set_is_read_at_one_threshold() -> None:
    with pytest.raises(CohortError, match=r"'M' has 2 thresholds in one set \(0.3 to 0.5\).*--threshold"):
        paired(long(threshold=[0.3, 0.5, 0.5, 0.5] * 2), "", common=False)
