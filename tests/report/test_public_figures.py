"""Every public figure, on plain and on hard data: whole, labelled, the same bytes twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from explained import explanation, importance
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from glottis import evaluation as ev
from glottis._errors import InputError
from glottis.evaluation.cox import cox_regression
from glottis.evaluation.logistic import logistic_table
from glottis.evaluation.logrank import logrank_test
from glottis.evaluation.survival import kaplan_meier
from glottis.modelling import LinearPredictor, Nomogram, Outcome, Term
from glottis.report import figures
from glottis.report.figures.layout import PALETTE
from glottis.report.style import styled

RNG = np.random.default_rng(3)
Y = np.arange(90) % 3 == 0
LONG = "喉癌影像组学模型 radiomics signature with a name that no column holds"


def scores(n: int) -> dict[str, Any]:
    return {f"{LONG} {i}": 1 / (1 + np.exp(-(1.5 * Y - 1 + RNG.standard_normal(90)))) for i in range(n)}


MODELS = {1: {"Model": scores(1).popitem()[1]}, 3: dict(zip("ABC", scores(3).values(), strict=True)), 8: scores(8)}
TINY = ([0, 1, 1], [0.0, 1.0, 1.0])
TIME, EVENT = RNG.exponential(900, 90).round(1) + 0.1, np.arange(90) % 4 > 0
STAGE = pd.DataFrame({"age": RNG.normal(60, 9, 90), LONG: np.array(["I", "II", "III"])[np.arange(90) // 30]})


def of_models(draw: Callable[..., Figure], measure: Callable[..., Any]) -> dict[int, Callable[[int], Figure]]:
    """Number of models (0: 3 patients, separated) to the figure in so many columns."""

    def made(n: int) -> Callable[[int], Figure]:
        return lambda columns: draw(
            {label: measure(Y, score) for label, score in MODELS[n].items()} if n else measure(*TINY), columns=columns
        )

    return {n: made(n) for n in (0, 1, 3, 8)}


def forest(n: int) -> Callable[[int], Figure]:
    tables = {0: logistic_table(TINY[0], pd.DataFrame({LONG: TINY[1]})), 1: logistic_table(Y, STAGE)}
    cox = cox_regression(TIME, EVENT, STAGE)
    given = tables.get(n) or {f"{LONG} {i}": cox for i in range(n)}
    return lambda columns: figures.forest_figure(given, columns=columns)


def survival(n: int) -> Callable[[int], Figure]:
    if not n:
        return lambda columns: figures.kaplan_meier_figure(kaplan_meier([1, 2, 3], [0, 0, 0]), columns=columns)
    groups = np.array([f"{LONG} {i}" if n > 3 else "abc"[i] for i in np.arange(90) % n])
    test = logrank_test(TIME, EVENT, groups) if n > 1 else None
    result = kaplan_meier(TIME, EVENT, group=groups)
    return lambda columns: figures.kaplan_meier_figure(result, logrank=test, columns=columns)


def delong(n: int) -> Callable[[int], Figure]:
    result = ev.delong_matrix(Y, MODELS[n]) if n else ev.delong_matrix(TINY[0], {LONG: TINY[1], "B": TINY[1]})
    return lambda columns: figures.delong_figure(result, columns=columns)


def agreement(n: int) -> Callable[[int], Figure]:
    pairs = {f"{LONG} {i}": ev.bland_altman(TIME, TIME * 1.1 + RNG.normal(0, 20, 90)) for i in range(n)}
    given = pairs or ev.bland_altman([1, 2, 3e5], [1.5, 2, 4e5])
    return lambda columns: figures.bland_altman_figure(given, columns=columns, unit="mm³")


def lasso(n: int) -> Callable[[int], Figure]:
    alphas = np.geomspace(0.3, 0.003, 30) if n else np.array([0.1])
    path = [{"alpha": a, "mse": 0.2 + a, "se": 0.01, "n_features": i} for i, a in enumerate(alphas.tolist())]
    kept = {f"{LONG} {i}": np.linspace(0, (-1) ** i * (i + 1) / 9, len(alphas)).tolist() for i in range(n)}
    stored = {"alpha": float(alphas[len(alphas) // 2]), "path": path, "coefficients": kept}
    return lambda columns: figures.lasso_figure(stored, columns=columns)


def permutation(n: int) -> Callable[[int], Figure]:
    null = RNG.normal(0.5, 0.05, 100 if n == 8 else 20).tolist()
    stored = {"observed": 0.7, "values": null, "mean": 0.5, "se": 0.01, "p_value": 0.048 if n else None}
    sets = {"internal": stored, "external": stored, LONG: stored} if n > 1 else {"cross-validation": stored}
    return lambda columns: figures.permutation_figure(sets, columns=columns)


def explained(draw: Callable[..., Figure], made: Callable[[int], Any]) -> dict[int, Callable[[int], Figure]]:
    def of(n: int) -> Callable[[int], Figure]:
        return lambda columns: draw(made(n), columns=columns)

    return {n: of(n) for n in (0, 1, 3, 8)}


def waterfall(given: Any, *, columns: int) -> Figure:
    many = len(given.rows) > 3
    return figures.waterfall_figure(
        given, given.rows[0], columns=columns, recalibrated=0.4 if many else None, event=LONG if many else ""
    )


def corrected(n: int) -> Callable[[int], Figure]:
    def by_first_column(X: Any, _: Any) -> Callable[[Any], Any]:
        return lambda rows: np.asarray(rows)[:, 0]

    groups = [np.asarray(score).round(0 if not n else 9).clip(0.1, 0.9)[:, None] for score in MODELS[n or 1].values()]
    made = [ev.corrected_calibration(by_first_column, X, Y, n_resamples=20) for X in groups]
    given = dict(zip(MODELS[n or 1], made, strict=True)) if n != 1 else made[0]
    return lambda columns: figures.corrected_calibration_figure(given, columns=columns)


def nomogram(n: int) -> Callable[[int], Figure]:
    age = Term(column="age", coefficients=(-0.02,), low=31.5, high=88, fill=60.0)
    crowded = Term(column=LONG, levels=(LONG, "声门上型", "T1a-T1b", "no"), coefficients=(0.2, 0.21, 0.21), fill="no")
    idle = Term(column="idle", coefficients=(0.0,), low=-1e-5, high=2e7, fill=0.0)
    score = Term(column="score", coefficients=(2.1,), low=-3, high=3, fill=0.0)
    wide = Term(column="w", levels=(LONG, f"{LONG} 2", f"{LONG} 3", "x"), coefficients=(3.0, 3.1, 12.0), fill="x")
    more = [Term(column=f"x{i}", coefficients=(0.1 * i,), low=0, high=i, fill=1.0) for i in (1, 2, 3)]
    terms = {
        0: (age,),
        1: (crowded, score),
        3: (idle, crowded, age, score),
        8: (wide, crowded, age, idle, score, *more),
    }[n]
    survival = tuple(Outcome(label=f"{LONG} {t}", at=t, baseline=1 - t / 10) for t in (1, 9))
    outcomes = survival if n == 3 else (Outcome(label="Probability" if n == 1 else LONG),)
    made = Nomogram(
        predictor=LinearPredictor(terms=terms, intercept=-1.0), outcomes=outcomes, units={terms[0].column: "mm³"}
    )
    patient = {"age": 95, LONG: "no", "idle": None, "score": 0.3, "w": "x", "x1": 1, "x2": None, "x3": 2}
    return lambda columns: figures.nomogram_figure(made, columns=columns, patient=patient if n in (0, 3, 8) else None)


STORED_LASSO = {
    "alpha": 0.1,
    "path": [{"alpha": a, "mse": 0.2, "se": 0.01, "n_features": 1} for a in (0.1, 0.01)],
    "coefficients": {"a": [0.0, 0.2]},
}
FIGURES = {
    "lasso": {n: lasso(n) for n in (0, 1, 3, 8)},
    "permutation": {n: permutation(n) for n in (0, 1, 3, 8)},
    "roc": of_models(figures.roc_figure, lambda y, s: ev.roc_curve(y, s, n_resamples=100)),
    "precision-recall": of_models(
        figures.precision_recall_figure, lambda y, s: ev.precision_recall(y, s, n_resamples=100)
    ),
    "calibration": of_models(figures.calibration_figure, ev.calibration),
    "decision": of_models(figures.decision_figure, ev.decision_curve),
    "confusion": of_models(figures.confusion_figure, lambda y, s: ev.confusion_metrics(y, s, 0.5)),
    "delong": {n: delong(n) for n in (0, 1, 3, 8)},
    "survival": {n: survival(n) for n in (0, 1, 3, 8)},
    "forest": {n: forest(n) for n in (0, 1, 3)},
    "corrected calibration": {n: corrected(n) for n in (0, 1, 3, 8)},
    "nomogram": {n: nomogram(n) for n in (0, 1, 3, 8)},
    "agreement": {n: agreement(n) for n in (0, 1, 3, 8)},
    "beeswarm": explained(figures.beeswarm_figure, explanation),
    "shap-bars": explained(figures.shap_bars_figure, explanation),
    "importance": explained(figures.importance_figure, importance),
    "waterfall": explained(waterfall, explanation),
}
UNLABELLED = {
    "delong", "forest", "calibration", "corrected calibration", "nomogram", "permutation", "beeswarm", "shap-bars",
    "importance", "waterfall",
}  # fmt: skip
CASES = [(name, n, columns) for name, made in FIGURES.items() for n in made for columns in (1, 2)]


def beyond(figure: Figure) -> set[Text]:
    """Labels of ticks outside the view, which matplotlib keeps and does not draw."""
    hidden = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            pairs = zip(axis.get_majorticklocs(), axis.get_majorticklabels(), strict=True)
            hidden |= {label for at, label in pairs if not low <= at <= high}
    return hidden


def boxes(figure: Figure) -> list[tuple[Any, str]]:
    """Box and words of every text that is drawn."""
    with styled():
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        hidden = beyond(figure)
        shown = [item for item in figure.findobj(Text) if item.get_visible() and item not in hidden]
        texts = [item for item in shown if item.get_text().strip()]
        return [(item.get_window_extent(canvas.get_renderer()), item.get_text()) for item in texts]


@pytest.mark.parametrize(("name", "n", "columns"), CASES)
def test_no_text_is_cut_or_lies_on_another(name: str, n: int, columns: int) -> None:
    figure = FIGURES[name][n](columns)
    found = boxes(figure)
    for box, text in found:
        assert box.x0 >= 0, text
        assert box.y0 >= 0, text
        assert box.x1 <= figure.bbox.width, text
        assert box.y1 <= figure.bbox.height, text
    for place, (box, text) in enumerate(found):
        for other, beside in found[place + 1 :]:
            across = min(box.x1, other.x1) - max(box.x0, other.x0)
            down = min(box.y1, other.y1) - max(box.y0, other.y0)
            assert across <= 1 or down <= 2.5, (text, beside)


@pytest.mark.parametrize("name", sorted(set(FIGURES) - UNLABELLED))
def test_both_axes_are_labelled(name: str) -> None:
    for axes in FIGURES[name][3](1).axes:
        assert axes.get_xlabel()
        assert axes.get_ylabel()


@pytest.mark.parametrize("name", FIGURES)
def test_two_runs_give_the_same_bytes(name: str, tmp_path: Path) -> None:
    for run in ("one", "two"):
        figures.save_figure(FIGURES[name][3](1), tmp_path / run, name)
    for kind in ("png", "pdf"):
        assert (tmp_path / "one" / f"{name}.{kind}").read_bytes() == (tmp_path / "two" / f"{name}.{kind}").read_bytes()


def test_the_stored_form_gives_the_same_figure() -> None:
    result = ev.roc_curve(Y, MODELS[3]["A"], n_resamples=100)
    assert [text for _, text in boxes(figures.roc_figure(result))] == [
        text for _, text in boxes(figures.roc_figure({"": result.to_dict()}))
    ]


def test_the_legend_has_the_results_own_numbers() -> None:
    interval = ev.roc_auc(Y, MODELS[3]["A"]).interval
    words = " ".join(text for _, text in boxes(figures.roc_figure({"A": ev.roc_curve(Y, MODELS[3]["A"])})))
    assert f"AUC {interval.value:.3f} (95% CI {interval.low:.3f} to {interval.high:.3f})" in words


def test_a_survival_decision_curve_is_drawn_whole() -> None:
    curve = ev.survival_decision_curve(TIME, EVENT, MODELS[3]["A"], 500)
    assert "Treat none" in [text for _, text in boxes(figures.decision_figure({"A": curve}))]


def test_the_results_of_another_function_are_refused() -> None:
    with pytest.raises(InputError, match=r"AUC cannot be drawn here .label 'A'.: give a result of .* roc_curve"):
        figures.roc_figure({"A": ev.roc_auc(Y, MODELS[3]["A"])})


def test_no_result_is_refused() -> None:
    with pytest.raises(InputError, match=r"no result to draw: give one of glottis\.evaluation\.calibration"):
        figures.calibration_figure({})


def test_the_chosen_penalty_is_a_line_in_both_panels_of_a_lasso() -> None:
    drawn = figures.lasso_figure({**STORED_LASSO, "alpha": 0.05})
    assert [[line for line in axes.lines if list(line.get_xdata()) == [0.05, 0.05]] != [] for axes in drawn.axes] == [
        True,
        True,
    ]


def test_a_lasso_without_its_path_is_refused() -> None:
    with pytest.raises(InputError, match=r"needs alpha, path and coefficients; path is missing or empty: fit it again"):
        figures.lasso_figure({**STORED_LASSO, "path": []})


def test_a_coefficient_short_of_the_path_is_refused() -> None:
    with pytest.raises(InputError, match=r"Feature 'a' has 1 coefficients for 2 penalties: give one each"):
        figures.lasso_figure({**STORED_LASSO, "coefficients": {"a": [0.0]}})


def test_the_observed_auc_is_a_line_beside_the_permutations() -> None:
    axes = permutation(1)(1).axes[0]
    assert [line.get_xdata()[0] for line in axes.lines] == [0.5, 0.7]
    assert len(axes.collections[0].get_segments()) == 20


def test_a_set_without_permutations_is_refused() -> None:
    with pytest.raises(InputError, match=r"Set 'internal' has no permutation to draw: run the study with controls"):
        figures.permutation_figure({"internal": {"observed": 0.7, "values": [], "mean": None, "p_value": None}})


def test_no_set_of_permutations_is_refused() -> None:
    with pytest.raises(InputError, match=r"no set to draw: run the study with controls\.permutations above 0"):
        figures.permutation_figure({})


def test_a_third_column_is_refused() -> None:
    with pytest.raises(InputError, match="1 or 2 columns wide; got columns=3: give columns=1"):
        figures.roc_figure(ev.roc_curve(*TINY), columns=3)


def test_an_unknown_regression_is_refused() -> None:
    with pytest.raises(InputError, match="got 'adjusted': name one of the two"):
        figures.forest_figure(logistic_table(Y, STAGE), regression="adjusted")


def refuse_touching(figure: Figure) -> None:
    found = boxes(figure)
    cut = [text for box, text in found if min(box.x0, box.y0) < 0 or box.x1 > figure.bbox.x1 or box.y1 > figure.bbox.y1]
    pairs = [(one, two) for place, one in enumerate(found) for two in found[place + 1 :]]
    met = [(one[1], two[1]) for one, two in pairs if one[0].overlaps(two[0]) and overlap(one[0], two[0]) > 2.5]
    assert (cut, met) == ([], [])


def overlap(one: Any, two: Any) -> float:
    return min(min(one.x1, two.x1) - max(one.x0, two.x0), min(one.y1, two.y1) - max(one.y0, two.y0))


@pytest.mark.parametrize("columns", [1, 2])
def test_markers_of_real_patients_are_drawn_whole(shared_data: Path, columns: Any) -> None:
    table = pd.read_csv(shared_data / "stats" / "aSAH.csv")
    poor, markers = table["outcome"] == "Poor", table[["s100b", "ndka", "wfns"]].astype(float)
    refuse_touching(figures.delong_figure(ev.delong_matrix(poor, markers), columns=columns))
    refuse_touching(figures.forest_figure(logistic_table(poor, table[["age", "gender", "wfns"]]), columns=columns))
    curves = {name: ev.roc_curve(poor, markers[name], n_resamples=100) for name in markers}
    refuse_touching(figures.roc_figure(curves, columns=columns))


@pytest.mark.parametrize("columns", [1, 2])
def test_survival_of_real_patients_is_drawn_whole(shared_data: Path, columns: Any) -> None:
    table = pd.read_csv(shared_data / "stats" / "larynx.csv")
    stage = 1 + table["Stage_II"] + 2 * table["Stage_III"] + 3 * table["Stage_IV"]
    times = (table["time"], table["death"], stage)
    result, test = kaplan_meier(*times[:2], group=stage), logrank_test(*times)
    refuse_touching(figures.kaplan_meier_figure(result, logrank=test, columns=columns, time_label="Years"))
    cox = cox_regression(*times[:2], pd.DataFrame({"age": table["age"] / 10, "stage": stage.astype(str)}))
    refuse_touching(figures.forest_figure(cox, columns=columns))


@pytest.mark.parametrize("factor", [1e6, 1.0, 1e-5])
def test_ratings_of_real_readers_are_drawn_whole_in_any_unit(shared_data: Path, factor: float) -> None:
    rows = pd.read_csv(shared_data / "stats" / "VanDyke.csv")
    mean = rows.groupby(["case", "treatment"])["rating"].mean().unstack() * factor
    refuse_touching(figures.bland_altman_figure(ev.bland_altman(mean[1], mean[2]), unit="mm³"))


def test_the_label_of_an_axis_carries_the_power_of_ten_that_its_numbers_lack() -> None:
    axes = figures.bland_altman_figure(ev.bland_altman([1e6, 2e6, 3e6], [2e6, 2e6, 2e6]), unit="mm³").axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("Mean of both (10⁶ mm³)", "Difference (10⁶ mm³)")
    assert axes.xaxis.get_major_formatter()(2e6) == "2"


def test_equal_measurements_lie_on_a_line_in_the_middle() -> None:
    low, high = figures.bland_altman_figure(ev.bland_altman([1, 2, 3], [1, 2, 3])).axes[0].get_ylim()
    assert (low, high) == pytest.approx((-0.3, 0.3))


def test_eight_curves_have_eight_colours() -> None:
    axes = figures.roc_figure({label: ev.roc_curve(Y, score) for label, score in MODELS[8].items()}).axes[0]
    assert len({line.get_color() for line in axes.lines[1:]}) == 8
    assert {line.get_color() for line in axes.lines[1:]} == set(PALETTE)


def test_late_times_have_no_loose_power_of_ten() -> None:
    axes = figures.kaplan_meier_figure(kaplan_meier(TIME * 1000, EVENT), time_label="Days").axes[0]
    assert axes.get_xlabel() == "Days (10⁶)"
    assert axes.xaxis.get_offset_text().get_text() == ""


def test_neighbouring_cells_of_a_narrow_matrix_do_not_touch() -> None:
    found = [item for item in boxes(delong(8)(1)) if item[1].lstrip("<−").startswith((".", "1."))]
    assert len(found) == 64
    assert max(overlap(one[0], two[0]) for place, one in enumerate(found) for two in found[place + 1 :]) < 0
