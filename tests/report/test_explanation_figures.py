"""What the figures of an explanation say."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from explained import LONG, explanation, importance
from matplotlib.figure import Figure
from matplotlib.text import Text

from glottis._errors import InputError
from glottis.modelling import Explanation
from glottis.report.figures import beeswarm_figure, importance_figure, shap_bars_figure, waterfall_figure
from glottis.report.figures.layout import text_mm
from glottis.report.figures.rows import two_lines

ONE = Explanation(
    values=np.array([[0.5, -1.25, 0.0, 0.1]]),
    base=0.2,
    scale="log-odds",
    rows=("P1",),
    columns=("a", "b", "c", "d"),
    data=np.array([[3.0, -0.25, np.nan, 1.0]]),
    how="",
)


def words(figure: Figure) -> list[str]:
    return [item.get_text() for item in figure.findobj(Text) if item.get_text()]


def names(figure: Figure, among: Any) -> list[str]:
    whole = [text.replace("_\n", "_").replace("\n", " ") for text in words(figure)]
    return [text for text in whole if text in among]


def bars(figure: Figure) -> list[tuple[float, float]]:
    return [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in figure.axes[0].patches]


def test_a_waterfall_leads_from_the_baseline_to_the_output() -> None:
    drawn = waterfall_figure(ONE)
    assert bars(drawn) == [
        pytest.approx(pair) for pair in [(0.2, -1.05), (-1.05, -0.55), (-0.55, -0.45), (-0.45, -0.45)]
    ]
    assert names(drawn, {"a", "b", "c", "d", "Baseline", "Output"}) == ["Baseline", "b", "a", "d", "c", "Output"]
    assert {"0.20", "= −0.25", "= 3", "missing", "−0.45", "−1.25", "+0.50"} <= set(words(drawn))


def test_a_waterfall_in_log_odds_prints_probabilities() -> None:
    assert "P1: probability 0.389 (baseline 0.550)" in words(waterfall_figure(ONE))
    recalibrated = " ".join(words(waterfall_figure(ONE, recalibrated=0.25, columns=2)))
    assert "P1: score 0.389 (baseline 0.550), probability after recalibration 0.250" in recalibrated


def test_what_a_waterfall_does_not_name_is_summed() -> None:
    drawn = waterfall_figure(ONE, most=2)
    assert {"2 others", "+0.10"} <= set(words(drawn))
    assert bars(drawn)[-1] == pytest.approx((-0.55, -0.45))


def test_a_beeswarm_shows_every_patient_at_its_value() -> None:
    found = explanation(8)
    drawn = beeswarm_figure(found, most=20).axes[0]
    at = np.concatenate([np.asarray(dots.get_offsets()) for dots in drawn.collections if len(dots.get_offsets())])
    assert np.sort(at[:, 0]) == pytest.approx(np.sort(found.values.ravel()))
    assert np.bincount(np.round(at[:, 1]).astype(int)).tolist() == [120] * 20


def test_features_stand_by_mean_absolute_value() -> None:
    found = explanation(3)
    wanted = np.array(found.columns)[np.argsort(-np.abs(found.values).mean(axis=0))]
    for draw in (beeswarm_figure, shap_bars_figure):
        assert names(draw(found, columns=2), set(found.columns)) == wanted.tolist()


def test_a_constant_feature_has_the_middle_colour_and_a_missing_value_none() -> None:
    found = explanation(8)
    drawn = beeswarm_figure(found, most=20).axes[0].collections
    order = np.argsort(-np.abs(found.values).mean(axis=0), kind="stable").tolist()
    known = [dots.get_array() for dots in drawn[1::2]]
    assert set(known[order.index(0)].tolist()) == {0.5}
    assert len(drawn[2 * order.index(2)].get_offsets()) == 18
    assert len(set(known[order.index(1)].tolist())) == 2


def test_bars_have_the_mean_absolute_values_and_the_rest_as_one() -> None:
    found = explanation(8)
    sizes = np.sort(np.abs(found.values).mean(axis=0))[::-1]
    drawn = shap_bars_figure(found)
    assert [end for _, end in bars(drawn)] == pytest.approx([*sizes[:15], sizes[15:].sum()])
    assert {"5 others, sum", f"{sizes[0]:.2f}"} <= set(words(drawn))


def test_importances_are_drawn_with_their_spread() -> None:
    found = importance(3)
    largest = max(found.parts, key=lambda part: part.value)
    axes = importance_figure(found).axes[0]
    (segment,) = axes.containers[0].lines[2][0].get_segments()
    assert segment[:, 0] == pytest.approx([largest.value - largest.sd, largest.value + largest.sd])
    assert f"AUC {found.auc:.3f}, 40 patients (20 positive)" in words(axes.figure)


@pytest.mark.parametrize("draw", [beeswarm_figure, shap_bars_figure, lambda given: waterfall_figure(given, "P001")])
def test_the_stored_form_gives_the_same_figure(draw: Any) -> None:
    found = explanation(8)
    assert words(draw(json.loads(json.dumps(found.to_dict())))) == words(draw(found))


def test_a_long_name_takes_two_lines_and_keeps_both_ends() -> None:
    first, second = two_lines(LONG.split()[0], 36).split("\n")
    assert first == "T2WI_wavelet-LLH_glszm_"
    assert second.startswith("Small")
    assert second.endswith("Emphasis")
    assert max(map(text_mm, (first, second))) <= 36


def test_two_lines_are_not_needed_for_a_short_name() -> None:
    assert two_lines("age", 36) == "age"


def test_another_result_is_refused() -> None:
    with pytest.raises(InputError, match=r"PermutationImportance cannot be drawn here: give a result of .*explain"):
        beeswarm_figure(importance(1))


def test_an_empty_explanation_is_refused() -> None:
    empty = {**explanation(1).to_dict(), "values": [], "rows": [], "data": []}
    with pytest.raises(InputError, match=r"empty \(0 rows, 1 features\): explain some rows"):
        beeswarm_figure(empty)


def test_a_waterfall_of_several_patients_needs_a_name() -> None:
    with pytest.raises(InputError, match=r"one patient; the explanation has 30: name one, such as 'P000'"):
        waterfall_figure(explanation(3))


def test_a_patient_who_is_not_there_is_refused() -> None:
    with pytest.raises(InputError, match=r"no row 'P900' \(it has 30\): explain that patient first"):
        waterfall_figure(explanation(3), "P900")


def test_a_probability_above_one_is_refused() -> None:
    with pytest.raises(InputError, match=r"lies between 0 and 1; got 43: give the model's own"):
        waterfall_figure(ONE, recalibrated=43)


@pytest.mark.parametrize("draw", [beeswarm_figure, shap_bars_figure])
def test_no_feature_is_refused(draw: Any) -> None:
    with pytest.raises(InputError, match=r"at least one feature; got most=0"):
        draw(ONE, most=0)
