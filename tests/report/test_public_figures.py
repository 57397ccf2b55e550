"""Every public figure, on plain and on hard data: whole, labelled, the same bytes twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from glottis import evaluation as ev
from glottis._errors import InputError
from glottis.evaluation.cox import cox_regression
from glottis.evaluation.logistic import logistic_table
from glottis.evaluation.logrank import logrank_test
from glottis.evaluation.survival import kaplan_meier
from glottis.report import figures
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


FIGURES = {
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
    "agreement": {n: agreement(n) for n in (0, 1, 3, 8)},
}
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


@pytest.mark.parametrize("name", sorted(set(FIGURES) - {"delong", "forest", "calibration"}))
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


def test_a_third_column_is_refused() -> None:
    with pytest.raises(InputError, match="1 or 2 columns wide; got columns=3: give columns=1"):
        figures.roc_figure(ev.roc_curve(*TINY), columns=3)


def test_an_unknown_regression_is_refused() -> None:
    with pytest.raises(InputError, match="got 'adjusted': name one of the two"):
        figures.forest_figure(logistic_table(Y, STAGE), regression="adjusted")
