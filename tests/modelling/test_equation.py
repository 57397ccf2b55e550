from __future__ import annotations

import json
import math
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from modelling_cohorts import cohort
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from glottis._errors import StatisticsError
from glottis.modelling import TunedChain, equation
from glottis.modelling.scaling import LogisticCurve

Z, Y = cohort(2, n=100, n_features=4)
RAW = Z * [1e-4, 1.0, 300.0, 1e6] + [0.02, -3.0, 9e3, 4e7]
RAW.columns = ["T2_log-sigma-2 glcm * a", "ADC - mean", "体积 (mm³)", "z(x) = 1"]
SCALER = StandardScaler().set_output(transform="pandas").fit(RAW)
CLASSIFIER = LogisticRegression(C=0.3).fit(SCALER.transform(RAW), Y)
FOUND = equation(CLASSIFIER, list(RAW.columns), SCALER.mean_, SCALER.scale_)


def computed(text: str, row: dict[str, float]) -> float:
    """The probability, from the words of the text alone."""
    head, *rest = text.splitlines()
    total = float(head.removeprefix("log-odds = "))
    known = dict(row)
    for name, line in ((name, line) for line in rest for name in row if line.startswith(f"z({name}) = ({name} - ")):
        mean, scale = re.fullmatch(r"(\S+)\) / (\S+)", line.removeprefix(f"z({name}) = ({name} - ")).groups()
        known[f"z({name})"] = (row[name] - float(mean)) / float(scale)
    for line in rest:
        if term := re.fullmatch(r"  ([+-]) (\S+) \* (.*)", line):
            total += float(term[1] + term[2]) * known[term[3]]
    assert rest[-1] == "probability = 1 / (1 + exp(-log-odds))"
    return 1 / (1 + math.exp(-total))


@pytest.mark.parametrize("units", [True, False])
def test_the_text_gives_the_models_probability(units: bool) -> None:
    wanted = CLASSIFIER.predict_proba(SCALER.transform(RAW))[:, 1]
    rows: list[dict[str, Any]] = RAW.to_dict("records")
    assert [computed(FOUND.text(units=units), row) for row in rows] == pytest.approx(wanted, abs=1e-10, rel=0)


def test_the_numbers_give_the_models_log_odds() -> None:
    wanted = CLASSIFIER.decision_function(SCALER.transform(RAW))
    assert FOUND.unit_intercept + RAW.to_numpy() @ FOUND.unit_coefficients == pytest.approx(wanted, abs=1e-9)
    assert FOUND.intercept + SCALER.transform(RAW).to_numpy() @ FOUND.coefficients == pytest.approx(wanted, abs=1e-12)


def test_fewer_digits_are_for_reading() -> None:
    lines = FOUND.text(digits=3).splitlines()
    assert lines[0] == f"log-odds = {FOUND.unit_intercept:.3g}"
    assert re.fullmatch(r"  [+-] [\d.e+-]{3,8} \* ADC - mean", lines[2])


def test_a_recalibrated_chain_has_its_curve_in_the_text() -> None:
    steps = [("z-score", StandardScaler().set_output(transform="pandas"))]
    chain = TunedChain(steps, "logistic_regression", folds=3, class_weight="balanced").fit(RAW, Y)
    scaler, curve = chain.steps_[0][1], chain.recalibration_
    text = equation(chain.classifier_, list(RAW), scaler.mean_, scaler.scale_, recalibration=curve).text()
    row = RAW.iloc[0]
    first = computed(text.replace("exp(-recalibrated)", "exp(-log-odds)"), dict(row))
    lines = [
        line.partition(" = ")[2].replace("drawn in", "drawn").replace("exp", "math.exp")
        for line in text.splitlines()[-3:]
    ]
    drawn = eval(lines[0], {"score": first})
    recalibrated = eval(lines[1].replace("ln", "math.log"), {"drawn": drawn, "math": math})
    given = eval(lines[2], {"recalibrated": recalibrated, "math": math})
    assert given == pytest.approx(chain.predict_proba(RAW.iloc[[0]])[0, 1], abs=1e-10)


def test_an_equation_is_stored_as_plain_values() -> None:
    stored = json.loads(
        json.dumps(
            equation(
                CLASSIFIER, list(RAW), SCALER.mean_, SCALER.scale_, recalibration=LogisticCurve(1.2, 0.1)
            ).to_dict()
        )
    )
    assert stored["coefficients"] == CLASSIFIER.coef_[0].tolist()
    assert stored["recalibration"] == {"slope": 1.2, "intercept": 0.1}


def test_a_support_vector_machine_has_no_equation() -> None:
    with pytest.raises(StatisticsError, match="SVC has no equation: only a logistic regression of two classes has"):
        equation(SVC().fit(Z, Y), list(Z), np.zeros(4), np.ones(4))


def test_three_classes_have_no_equation() -> None:
    with pytest.raises(StatisticsError, match="LogisticRegression has no equation"):
        equation(LogisticRegression().fit(Z, np.arange(100) % 3), list(Z), np.zeros(4), np.ones(4))


def test_a_name_too_few_is_refused() -> None:
    with pytest.raises(StatisticsError, match="4 coefficients; got 3 names, 4 means and 4 scales: give one of each"):
        equation(CLASSIFIER, list(RAW)[:3], SCALER.mean_, SCALER.scale_)


def test_a_scale_of_zero_is_refused() -> None:
    with pytest.raises(StatisticsError, match="scales above 0; got a least scale of 0: give the z-score's own"):
        equation(CLASSIFIER, list(RAW), SCALER.mean_, pd.Series([1.0, 0, 1, 1]))
