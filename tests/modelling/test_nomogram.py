"""A nomogram in points."""

import json
import math
import re

import numpy as np
import pandas as pd
import pytest

from glottis.modelling import LinearPredictor, Nomogram, Outcome, Term
from glottis.modelling.nomogram_axes import round_numbers

SITE = Term(column="site", levels=("glottis", "supraglottis", 'sub "low"'), coefficients=(0.7, -0.4), fill="glottis")
STAGE = Term(column="T stage", levels=("T1", "T2", "T3"), coefficients=(0.3, 0.6), ordered=True, fill="T2")
AGE = Term(column="age", coefficients=(-0.03,), low=38.5, high=81, fill=60.0)
NODES = Term(column="nodes", coefficients=(1.9,), low=0, high=1, fill=0.0)
IDLE = Term(column="idle", coefficients=(0.0,), low=2, high=9, fill=4.0)
MODEL = LinearPredictor(terms=(SITE, STAGE, AGE, NODES, IDLE), intercept=-1 / 3)
SURVIVAL = (Outcome(label="1 year", at=1, baseline=0.8), Outcome(label="5 years", at=5, baseline=0.31))
LOGISTIC = Nomogram(
    predictor=MODEL, labels={"site": "Site"}, units={"age": "years"}, names={"nodes": {0: "no", 1: "yes"}}
)
COX = Nomogram(predictor=MODEL, outcomes=SURVIVAL)


def patients(n: int = 200) -> pd.DataFrame:
    rng = np.random.default_rng(7)
    made = pd.DataFrame(
        {
            "site": rng.choice(SITE.levels, n),
            "T stage": rng.choice(STAGE.levels, n),
            "age": rng.uniform(30, 95, n),  # some beyond the training patients' range
            "nodes": rng.integers(0, 2, n),
            "idle": rng.normal(5, 2, n),
        },
        index=[f"P{i}" for i in range(n)],
    )
    return made.mask(rng.random(made.shape) < 0.05)


def by_plain_python(content: dict, patient: dict) -> list[float]:
    """As docs/how-to/nomogram.md does it."""
    total = 0.0
    for axis in content["predictors"]:
        value = patient.get(axis["column"], axis["if_missing"])
        if axis["kind"] == "levels":
            total += axis["points"][value]
        else:
            total += axis["points_per_unit"] * (value - axis["points_are_0_at"])
    x = content["linear_predictor"]["at_0_points"] + content["linear_predictor"]["per_point"] * total
    return [
        1 / (1 + math.exp(-x)) if item["kind"] == "logistic" else item["baseline_survival"] ** math.exp(x)
        for item in content["outcomes"]
    ]


def by_spreadsheet(line: str, patient: dict) -> float:
    """What the line gives with the patient's values in place of names."""
    line = line.removeprefix("=").replace("[T stage]", "T_stage").replace("^", "**").replace("EXP", "math.exp")
    line = re.sub(r'(\w+)="((?:[^"]|"")*)"', lambda m: f"{m[1]}=={m[2].replace(chr(34) * 2, chr(34))!r}", line)
    return eval(line, {"math": math}, {key.replace(" ", "_"): value for key, value in patient.items()})


@pytest.mark.parametrize("made", [LOGISTIC, COX])
def test_points_give_the_models_own_probability(made):
    table = patients()
    from_points = made.probability_of(made.points(table)["total"])
    np.testing.assert_allclose(from_points, made.probability(table), atol=1e-12, rtol=0)
    own = [outcome.probability(MODEL(table)) for outcome in made.outcomes]
    np.testing.assert_array_equal(made.probability(table).to_numpy().T, own)


def test_total_points_are_a_straight_line_of_the_linear_predictor():
    table = patients()
    total = LOGISTIC.points(table)["total"]
    np.testing.assert_allclose(LOGISTIC.linear_predictor_of(total), MODEL(table), atol=1e-13, rtol=0)


def test_a_row_alone_has_the_bits_that_it_has_in_a_table():
    terms = tuple(Term(column=f"x{i}", coefficients=(0.1 * i,), low=-3, high=3, fill=0.0) for i in range(1, 13))
    made = Nomogram(predictor=LinearPredictor(terms=terms, intercept=0.3))
    table = pd.DataFrame(np.random.default_rng(5).normal(size=(50, 12)), columns=made.predictor.columns)
    alone = [made.points(table.iloc[[row]])["total"].iloc[0] for row in range(50)]
    assert alone == made.points(table)["total"].tolist()


def test_the_largest_effect_spans_a_hundred_points_and_every_axis_starts_at_none():
    spans = {axis.term.column: axis.most_points for axis in LOGISTIC.axes}
    assert spans == pytest.approx(
        {"site": 110 / 1.9, "T stage": 60 / 1.9, "age": 0.03 * 42.5 / 0.019, "nodes": 100, "idle": 0}, rel=1e-14
    )
    ends = pd.DataFrame({"site": ['sub "low"'], "T stage": ["T1"], "age": [81], "nodes": [0], "idle": [9]})
    assert LOGISTIC.points(ends).abs().to_numpy().max() == 0
    assert LOGISTIC.most_points == pytest.approx(sum(spans.values()))


def test_a_negative_coefficient_gives_points_to_small_values():
    ticks = LOGISTIC.axes[2].ticks
    assert [tick.text for tick in ticks] == ["40", "45", "50", "55", "60", "65", "70", "75", "80"]
    assert (np.diff([tick.points for tick in ticks]) < 0).all()
    assert LOGISTIC.points(patients().assign(age=38.5))["age"].tolist() == [LOGISTIC.axes[2].most_points] * 200


def test_points_go_on_beyond_the_range():
    beyond = LOGISTIC.points(patients(2).assign(age=[91, 28.5]))["age"]
    assert beyond.tolist() == pytest.approx([-0.3 / 0.019, LOGISTIC.axes[2].most_points + 0.3 / 0.019])


def test_a_missing_value_counts_as_its_fill():
    table = patients(1)
    missing = table.astype(object).assign(site=None, age=np.nan)
    assert LOGISTIC.points(missing).equals(LOGISTIC.points(table.assign(site="glottis", age=60.0)))


def test_a_single_predictor_spans_the_whole_scale():
    made = Nomogram(predictor=LinearPredictor(terms=(AGE,), intercept=1.0))
    assert made.most_points == pytest.approx(100, rel=1e-15)
    assert made.points(pd.DataFrame({"age": [38.5, 81]}))["total"].tolist() == pytest.approx([100, 0], abs=1e-12)


@pytest.mark.parametrize("made", [LOGISTIC, COX])
def test_the_json_alone_gives_every_probability(made):
    content = json.loads(json.dumps(made.to_dict(), allow_nan=False))
    table = patients().dropna()
    found = [by_plain_python(content, row) for row in table.to_dict("records")]
    np.testing.assert_allclose(found, made.probability(table), atol=1e-12, rtol=0)


@pytest.mark.parametrize("made", [LOGISTIC, COX])
def test_the_formula_alone_gives_every_probability(made):
    table = patients().dropna()
    lines = [made.formula(place) for place in range(len(made.outcomes))]
    found = [[by_spreadsheet(line, row) for line in lines] for row in table.to_dict("records")]
    np.testing.assert_allclose(found, made.probability(table), atol=1e-12, rtol=0)


def test_the_formula_is_one_readable_line():
    assert LOGISTIC.formula(digits=3) == (
        '=1/(1+EXP(-(-0.333 + 0.7*(site="supraglottis") - 0.4*(site="sub ""low""") + 0.3*([T stage]="T2") '
        '+ 0.6*([T stage]="T3") - 0.03*age + 1.9*nodes + 0*idle)))'
    )
    assert COX.formula(1, digits=2).startswith("=0.31^EXP(-0.33 + 0.7*")


@pytest.mark.parametrize("made", [LOGISTIC, COX])
def test_a_nomogram_survives_json_bit_for_bit(made):
    again = Nomogram.from_dict(json.loads(json.dumps(made.to_dict())))
    assert again == made
    assert again.to_dict() == made.to_dict()


def keys_of(item) -> set[str]:
    if isinstance(item, list):
        return set().union(*map(keys_of, item))
    return set(item).union(*map(keys_of, item.values())) if isinstance(item, dict) else set()


def test_every_field_of_the_json_is_explained():
    content = LOGISTIC.to_dict()
    explained = content.pop("fields")
    del content["model"]
    of_the_patients = {*LOGISTIC.names, *SITE.levels, *STAGE.levels}
    assert keys_of(content) - of_the_patients == set(explained) - {"model"}


def test_the_table_holds_every_tick():
    table = LOGISTIC.to_table()
    nodes = table[table["axis"] == "nodes"]
    assert nodes["value"].tolist() == ["no", "yes"]
    assert nodes["points"].tolist() == pytest.approx([0, 100])
    ticks = table[table["kind"] == "outcome"]
    assert [*ticks["value"]] == ["0.05", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8"]
    np.testing.assert_allclose(LOGISTIC.probability_of(ticks["points"])[:, 0], ticks["value"].astype(float), rtol=1e-12)


def test_survival_falls_with_points_and_its_ticks_say_so():
    marks = COX.marks(SURVIVAL[1])
    assert [mark.text for mark in marks[:3]] == ["0.95", "0.9", "0.8"]
    assert [mark.text for mark in marks[3:]] == ["0.7", "0.6", "0.5", "0.4", "0.3", "0.2", "0.1", "0.05", "0.01"]
    assert all(0 <= mark.points <= COX.most_points for mark in marks)
    assert COX.probability_of([mark.points for mark in marks])[:, 1] == pytest.approx([mark.value for mark in marks])


def test_a_narrow_range_of_probabilities_has_round_ticks_of_its_own():
    flat = Term(column="x", coefficients=(0.1,), low=0, high=1, fill=0.5)
    made = Nomogram(predictor=LinearPredictor(terms=(flat,), intercept=-4.0))
    texts = [mark.text for mark in made.marks(made.outcomes[0])]
    assert (texts[:3], texts[-1], len(texts)) == (["0.018", "0.0182", "0.0184"], "0.0198", 10)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (38.5, 81, [40, 45, 50, 55, 60, 65, 70, 75, 80]),
        (0, 1, [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]),
        (-0.35, 0.11, [-0.35, -0.3, -0.25, -0.2, -0.15, -0.1, -0.05, 0, 0.05, 0.1]),
        (12_000, 91_000, [20_000, 30_000, 40_000, 50_000, 60_000, 70_000, 80_000, 90_000]),
        (1e9, 1e9 + 4, [1e9, 1e9 + 0.5, 1e9 + 1, 1e9 + 1.5, 1e9 + 2, 1e9 + 2.5, 1e9 + 3, 1e9 + 3.5, 1e9 + 4]),
    ],
)
def test_ticks_are_round_and_within_the_range(low, high, expected):
    assert round_numbers(low, high) == expected


def of(*terms: Term, **options: object) -> Nomogram:
    return Nomogram(predictor=LinearPredictor(terms=terms, intercept=0.0), **options)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (
            lambda: of(Term(column="age", coefficients=(0.1,), low=60, high=60, fill=60.0)),
            "from 60 to 60: its axis needs",
        ),
        (lambda: of(IDLE), "All coefficients are 0"),
        (lambda: of(AGE, labels={"agee": "Age"}), "No predictor 'agee', which labels name: did you mean 'age'"),
        (lambda: of(AGE, names={"age": {20: "young"}}), "'age' has no value 20 to be named: it has 38.5 to 81"),
        (
            lambda: of(STAGE, names={"T stage": {"T4": "4"}}),
            "'T stage' has no value 'T4' to be named: it has T1, T2, T3",
        ),
        (lambda: of(AGE, outcomes=()), "needs outcomes with different labels"),
        (lambda: of(AGE, outcomes=(Outcome(), Outcome())), "needs outcomes with different labels"),
        (lambda: of(Term(column="total", coefficients=(1.0,), low=0, high=1, fill=0.0)), "may not be called 'total'"),
        (lambda: Outcome(label="late", at=9, baseline=1.0), "of 'late' must lie between 0 and 1; got 1"),
        (lambda: Outcome(label="late", at=9), "'late' needs both a time and its baseline survival"),
        (lambda: Nomogram.from_dict({"format": "other"}), "has the format 'glottis nomogram 1'; got 'other'"),
        (lambda: LOGISTIC.points(patients().drop(columns="age")), "no column 'age'"),
        (lambda: LOGISTIC.points(patients().assign(site="larynx")), "'larynx', which no training patient had"),
    ],
)
def test_what_gives_no_nomogram_is_refused(make, match):
    with pytest.raises(ValueError, match=match):
        make()
