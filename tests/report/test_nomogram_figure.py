"""A ruler on the nomogram's figure reads what the model says."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from glottis._errors import InputError
from glottis.modelling import LinearPredictor, Nomogram, Outcome, Term
from glottis.report.figures import corrected_calibration_figure, nomogram_figure
from glottis.report.figures.axis_labels import broken, called_out, placed, thinned
from glottis.report.style import styled

NODES = Term(column="nodes", levels=("negative", "positive"), coefficients=(1.4,), fill="negative")
SCORE = Term(column="score", coefficients=(-0.36,), low=-5, high=5, fill=0.0)
MODEL = Nomogram(predictor=LinearPredictor(terms=(NODES, SCORE), intercept=-0.5))
COX = Nomogram(
    predictor=MODEL.predictor, outcomes=(Outcome(label="A", at=1, baseline=0.9), Outcome(label="B", at=5, baseline=0.4))
)
PATIENT = {"nodes": "positive", "score": 0.5}


def texts(figure: Figure) -> list[str]:
    return [item.get_text() for item in figure.axes[0].texts]


def x_of(figure: Figure, text: str, nth: int = 0) -> float:
    return [item.get_position()[0] for item in figure.axes[0].texts if item.get_text() == text][nth]


@pytest.mark.parametrize("columns", [1, 2])
def test_a_ruler_through_a_value_reads_its_points(columns: Any) -> None:
    figure = nomogram_figure(MODEL, columns=columns)
    start, end = x_of(figure, "0"), x_of(figure, "100")
    points = MODEL.axes[1].points(np.array([0.36]))[0]  # of the score -1
    assert start + (end - start) * points / 100 == pytest.approx(x_of(figure, "−1"), abs=1e-9)


@pytest.mark.parametrize("columns", [1, 2])
def test_a_ruler_through_the_total_reads_the_probability(columns: Any) -> None:
    figure = nomogram_figure(MODEL, columns=columns)
    start, end = x_of(figure, "0", -1), x_of(figure, "100", -1)
    total = 100 * (x_of(figure, "0.5") - start) / (end - start)
    assert MODEL.probability_of(total)[0] == pytest.approx(0.5, abs=1e-12)


def test_points_and_total_begin_and_end_at_one_vertical() -> None:
    figure = nomogram_figure(COX)
    assert x_of(figure, "0") == x_of(figure, "0", -1)
    assert x_of(figure, "100") == pytest.approx(x_of(figure, "140"))


def test_every_time_has_an_axis() -> None:
    shown = texts(nomogram_figure(COX))
    assert [name for name in shown if name in ("Points", "nodes", "score", "Total points", "A", "B")] == [
        *("Points", "nodes", "score", "Total points", "A", "B")
    ]


@pytest.mark.parametrize("given", [PATIENT, pd.Series(PATIENT), pd.DataFrame([PATIENT])])
def test_a_patient_is_told_in_points_and_probability(given: Any) -> None:
    shown = texts(nomogram_figure(MODEL, patient=given))
    own = MODEL.points(pd.DataFrame([PATIENT])).iloc[0]
    expected = [f"{own[name]:.1f}" for name in ("nodes", "score", "total")]
    assert set(expected) < set(shown)
    assert f"{MODEL.probability(pd.DataFrame([PATIENT])).iloc[0, 0]:.2f}" in shown


def test_a_value_beyond_the_range_ends_in_an_arrow_and_says_so() -> None:
    beyond = nomogram_figure(MODEL, patient={"nodes": "negative", "score": 6})
    assert "<" in [line.get_marker() for line in beyond.axes[0].lines]
    assert "Arrow: beyond the range of the training patients." in texts(beyond)
    assert "Arrow: beyond the range of the training patients." not in texts(nomogram_figure(MODEL, patient=PATIENT))


def test_the_stored_form_gives_the_same_figure() -> None:
    stored = json.loads(json.dumps(COX.to_dict()))
    assert texts(nomogram_figure(stored, patient=PATIENT)) == texts(nomogram_figure(COX, patient=PATIENT))


def test_several_patients_are_refused() -> None:
    with pytest.raises(InputError, match="marks one patient; got 2 rows: give one of them"):
        nomogram_figure(MODEL, patient=pd.DataFrame([PATIENT, PATIENT]))


def test_crowded_labels_take_turns_on_both_sides() -> None:
    labels = placed([(10, "first"), (11, "second"), (12, "third"), (40, "last")], 5, 60, 20)
    assert [(label.lines[0], label.row) for label in labels] == [
        ("first", 1),
        ("second", -1),
        ("third", 2),
        ("last", 1),
    ]


def test_labels_beside_an_axis_have_lines_that_do_not_cross() -> None:
    labels = called_out([(10, "a"), (12, "c"), (11, "b")], 15, 60)
    assert [(label.lines[0], label.row, label.tick) for label in labels] == [("c", 0, 12), ("b", 1, 11), ("a", 2, 10)]


def test_numbers_are_thinned_to_round_ones() -> None:
    ages = list(range(35, 90, 5))
    kept = [thinned([(place * mm, str(age)) for place, age in enumerate(ages)], ages) for mm in (9, 2.5, 1.2, 0.1)]
    assert [text for _, text in kept[0]] == [str(age) for age in ages]
    assert [[text for _, text in part] for part in kept[1:]] == [
        ["40", "50", "60", "70", "80"],
        ["40", "60", "80"],
        ["35", "85"],
    ]


def test_long_names_break_at_words_underscores_and_within_chinese() -> None:
    assert broken("original_glcm_JointEntropy", 20, 4) == ("original_glcm_", "JointEntropy")
    with styled():
        chinese = broken("声门下型跨声门型累及前联合", 20, 3)
    assert ("".join(chinese), len(chinese)) == ("声门下型跨声门型累及前联合", 2)
    assert broken("one two three four five six", 8, 2) == ("one", "tw…ix")


def test_a_calibration_of_another_kind_is_refused() -> None:
    with pytest.raises(InputError, match=r"give a result of .* corrected_calibration"):
        corrected_calibration_figure({"A": {"slope": 1}})
