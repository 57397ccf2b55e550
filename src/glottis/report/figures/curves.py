"""ROC, precision-recall and decision curves of one or several models."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from glottis.report.figures.layout import Columns, Key, diagonal, look, unit_square, with_keys
from glottis.report.figures.results import Stored, as_stored, values
from glottis.report.style import FAINT, INK, SOFT, styled
from glottis.report.wording import level, limits, number

MOST_BANDS = 3


@styled()
def roc_figure(results: Any, *, columns: Columns = 1, bands: bool | None = None) -> Figure:
    """ROC curves with their AUCs and confidence bands.

    Args:
        results: a `RocCurve` or its stored form, or a mapping from labels to them.
        columns: of the journal, 1 (90 mm) or 2 (180 mm).
        bands: whether to draw the bands; None draws those of up to 3 curves.

    Raises:
        InputError: no result, or one of another kind; columns other than 1 and 2.
    """
    curves = as_stored(results, "false_positive_rate", "roc_curve")
    keys = _keys({label: _estimate("AUC", curve["auc"]) for label, curve in curves.items()})
    figure, axes = with_keys(keys, columns)
    diagonal(axes)
    shown = len(curves) <= MOST_BANDS if bands is None else bands
    for place, (key, curve) in enumerate(zip(keys, curves.values(), strict=True)):
        if shown and curve["band_at"]:
            axes.fill_between(
                values(curve["band_at"]),
                values(curve["band_low"]),
                values(curve["band_high"]),
                color=key.colour,
                alpha=0.15,
                linewidth=0,
            )
        axes.plot(
            values(curve["false_positive_rate"]),
            values(curve["sensitivity"]),
            color=key.colour,
            linestyle=key.line,
            zorder=3 + place,
            clip_on=False,
        )
    unit_square(axes, "1 − specificity", "Sensitivity")
    return figure


@styled()
def precision_recall_figure(results: Any, *, columns: Columns = 1) -> Figure:
    """Precision over recall with the average precision; a dotted line is the prevalence, which no information reaches.

    Args:
        results: a `PrecisionRecall` or its stored form, or a mapping from labels to them.
        columns: of the journal, 1 (90 mm) or 2 (180 mm).

    Raises:
        InputError: no result, or one of another kind; columns other than 1 and 2.
    """
    curves = as_stored(results, "average_precision", "precision_recall")
    keys = _keys({label: _estimate("AP", curve["average_precision"]) for label, curve in curves.items()})
    shares = sorted({curve["prevalence"] for curve in curves.values()})
    chance = Key(label="Prevalence", text=", ".join(map(number, shares)), colour=FAINT, line=":")
    figure, axes = with_keys([*keys, chance], columns)
    for share in shares:
        axes.axhline(share, color=FAINT, linewidth=0.9, linestyle=":", zorder=1)
    for key, curve in zip(keys, curves.values(), strict=True):
        recall, precision = values(curve["recall"]), values(curve["precision"])
        # the average precision is the area under these very steps
        axes.step(
            np.r_[0, recall],
            np.r_[precision[:1], precision],
            where="pre",
            color=key.colour,
            linestyle=key.line,
            clip_on=False,
        )
    unit_square(axes, "Recall (sensitivity)", "Precision (PPV)")
    return figure


@styled()
def decision_figure(
    results: Any, *, columns: Columns = 1, thresholds: tuple[float, float] = (0.0, 1.0), bands: bool | None = None
) -> Figure:
    """Decision curves with treating everybody and nobody; for an outcome or for survival.

    Args:
        results: a `DecisionCurve` or its stored form, or a mapping from labels to them.
        columns: of the journal, 1 (90 mm) or 2 (180 mm).
        thresholds: lowest and highest threshold probability to show.
        bands: whether to draw the limits; None draws those of up to 3 curves.

    Raises:
        InputError: no result, or one of another kind; columns other than 1 and 2.
    """
    curves = as_stored(results, "net_benefit", "decision_curve")
    keys = _keys({label: "" if label else "Model" for label in curves})
    everybody = _different(curves)
    of_all = [Key(label=name, text="", colour=SOFT, line=(0, (4, 2))) for name in everybody]
    nobody = Key(label="Treat none", text="", colour=INK)
    figure, axes = with_keys([*keys, *of_all, nobody], columns, height=62)
    axes.axhline(0, color=INK, linewidth=0.8, zorder=2)
    for curve in everybody.values():
        axes.plot(
            values(curve["thresholds"]), values(curve["treat_all"]), color=SOFT, linewidth=1, linestyle=(0, (4, 2))
        )
    shown = len(curves) <= MOST_BANDS if bands is None else bands
    for key, curve in zip(keys, curves.values(), strict=True):
        at = values(curve["thresholds"])
        if shown:
            axes.fill_between(
                at, values(curve["low"]), values(curve["high"]), color=key.colour, alpha=0.15, linewidth=0
            )
        axes.plot(at, values(curve["net_benefit"]), color=key.colour, linestyle=key.line, zorder=3)
    axes.set(
        xlim=thresholds, ylim=_net_benefits(curves, thresholds), xlabel="Threshold probability", ylabel="Net benefit"
    )
    return figure


def _keys(texts: dict[str, str]) -> list[Key]:
    looks = [look(place) for place in range(len(texts))]
    return [
        Key(label=label, text=text, colour=colour, line=line)
        for (label, text), (colour, line) in zip(texts.items(), looks, strict=True)
    ]


def _estimate(name: str, interval: Stored) -> str:
    """``AUC 0.731 (95% CI 0.630 to 0.818)``, or without limits."""
    value = f"{name} {number(interval['value'])}"
    if interval["low"] is None:
        return f"{value} (CI not estimable)"
    return f"{value} ({level(interval)} CI {limits(interval)})"


def _different(curves: dict[str, Stored]) -> dict[str, Stored]:
    """The curves whose treating everybody differs from that of those before, by the name in the legend."""
    found: dict[tuple[Any, ...], str] = {}
    for label, curve in curves.items():
        found.setdefault((curve["prevalence"], tuple(curve["thresholds"])), label)
    shares = {key[0] for key in found}
    if len(shares) == 1:
        return {"Treat all": curves[next(iter(found.values()))]}
    return {f"Treat all ({label})": curves[label] for label in found.values()}


def _net_benefits(curves: dict[str, Stored], thresholds: tuple[float, float]) -> tuple[float, float]:
    """From a little below 0 to the highest curve within the shown thresholds."""
    highest = 0.0
    for curve in curves.values():
        at = values(curve["thresholds"])
        inside = (at >= thresholds[0]) & (at <= thresholds[1])
        for name in ("net_benefit", "treat_all"):
            highest = float(np.nanmax(np.r_[highest, values(curve[name])[inside]]))
    highest = highest or 0.01
    return -0.2 * highest, 1.12 * highest
