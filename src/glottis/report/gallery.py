"""Which figures a report has, with captions that are true of its run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from glottis.report import figures
from glottis.report.figures.curves import MOST_BANDS
from glottis.report.final import final_plans
from glottis.report.fitted_rows import selection_rows, steps_of
from glottis.report.flow import flow_figure
from glottis.report.groups import MOST_SHOWN, flow_of, of_features, shown_in_figures
from glottis.report.pictures import mask_pages
from glottis.report.plan import Plan
from glottis.report.style import PRINT_DPI, save, styled
from glottis.report.summary import cross_validated, primary_of, test_sets, unit_of
from glottis.report.wording import counted, set_name
from glottis.study.parallel import Progress
from glottis.study.result import StudyResult
from glottis.study.split import CROSS_VALIDATION, TRAINING

SCREEN_PIXELS_PER_INCH = 125
SOME_MODELS = "the primary model and, of each combination, the classifier with the best inner AUC"


@dataclass(frozen=True)
class Picture:
    """A stored figure.

    Attributes:
        name: of its files in ``figures/``.
        source: ``data:`` URL for the page.
        caption: what it shows.
        width: on the screen, in pixels of a page.
    """

    name: str
    source: str
    caption: str
    width: int


def draw_all(result: StudyResult, folder: Path, progress: Progress) -> dict[str, Picture]:
    """Draw and store every figure.

    Args:
        result: the run, in the study's order.
        folder: where figures go.
        progress: told of every figure.
    """
    return draw_plans(
        [
            *_first(result),
            *_masks(result),
            *_results(result),
            *_compared(result),
            *_fitted(result),
            *final_plans(result),
        ],
        folder,
        progress,
    )


def draw_plans(plans: Sequence[Plan], folder: Path, progress: Progress) -> dict[str, Picture]:
    """Draw and store planned figures, in the house style."""
    pictures = {}
    with styled():
        for done, plan in enumerate(plans):
            progress("report", done, len(plans))
            figure = plan.draw()
            if figure is not None:
                source = save(figure, folder, plan.name)
                large = plan.name.startswith("masks")
                width = round(figure.get_figwidth() * (PRINT_DPI / 2 if large else SCREEN_PIXELS_PER_INCH))
                pictures[plan.name] = Picture(plan.name, source, plan.caption, width)
    progress("report", len(plans), len(plans))
    return pictures


def all_sets(models: Mapping[str, Any]) -> list[str]:
    """The sets of all models, tests before training."""
    found = dict.fromkeys(name for entry in models.values() for name in entry["sets"])
    return sorted(found, key=lambda name: name == TRAINING)


def _first(result: StudyResult) -> Iterator[Plan]:
    results = result.results
    primary, entry = results["primary_model"], primary_of(result)
    yield Plan(
        "roc-primary",
        f"ROC curve of the primary model, {primary}. {_roc_note(result, lines=len(test_sets(entry)))}",
        partial(figures.roc_of_sets, entry, test_sets(entry)),
    )
    folded = cross_validated(result)
    design = design_words(results) if folded else ""
    own = flow_of(result.flow["models"], results["models"], primary)
    table, unit = result.study.table, unit_of(result)
    place = "manifest" if table is None or table.table != result.study.manifest else "table"
    yield Plan(
        "flow",
        f"Flow of {unit}s, from the {place} to the sets of the primary model, {primary}.",
        partial(flow_figure, result.flow, own, results["outcome"], design, unit=unit, place=place),
    )
    if result.study.clinical_alone:
        return
    rows = selection_rows(of_features(results["models"]))
    bars = "Dark: the fit with the fewest; pale: the fit with the most." if folded else "Bars: share of the candidates."
    yield Plan(
        "selection",
        f"Features left after each step of the selection. {bars}",
        partial(figures.selection_funnel, rows, steps_of(rows)),
    )


def design_words(results: Mapping[str, Any]) -> str:
    """A design without a held-out test set in words."""
    if results["n_folds"] is None:
        share = f"{results['test_fraction']:.0%} held out each time"
        return f"{counted(results['n_repeats'], 'random split')}, {share}"
    return f"{results['n_folds']}-fold cross-validation, {counted(results['n_repeats'], 'repeat')}"


def _masks(result: StudyResult) -> Iterator[Plan]:
    if not result.study.sequences:
        return
    for number, page in enumerate(mask_pages(result.pictures, list(result.study.sequences)), start=1):
        yield Plan(
            f"masks-{number:02d}",
            f"{page.first} to {page.last}: {counted(page.n, 'slice')}, each the one on which the mask is largest, with "
            "the mask's border.",
            page.draw,
        )


def _results(result: StudyResult) -> Iterator[Plan]:
    results = result.results
    models = shown_in_figures(results["models"], results["primary_model"])
    which = "all models" if len(models) == len(results["models"]) else SOME_MODELS
    for name in all_sets(models):
        words = set_name(name)
        if name != TRAINING:
            yield Plan(
                f"roc-{name}",
                f"{words}: ROC curves of {which}. {_roc_note(result, lines=len(models))}",
                partial(figures.roc_of_models, models, name, results["primary_model"]),
            )
            yield Plan(
                f"calibration-{name}",
                f"{words}: calibration of {which}. Points: groups of equal size by predicted probability, with 95% "
                "Wilson intervals; line: smooth curve (lowess); dashed: perfect agreement.",
                partial(figures.calibration_of_models, models, name),
            )
            yield from _decision(models, name)
        counts = "mean counts over the repeats" if name == CROSS_VALIDATION else "counts"
        yield Plan(
            f"confusion-{name}",
            f"{words}: {counts} of {which} at the threshold from the training scores. Darker: a larger share of its "
            "row.",
            partial(figures.confusion_of_models, models, name, results["outcome"]),
        )


def _decision(models: Mapping[str, Any], name: str) -> Iterator[Plan]:
    """Decision curves of the models whose scores are probabilities."""
    curves = {model: own for model, entry in models.items() if (own := entry["sets"].get(name, {}).get("decision"))}
    if curves:
        shade = " Shaded: 95% Wald limits at each threshold." if len(curves) <= MOST_BANDS else ""
        yield Plan(
            f"decision-{name}",
            f"{set_name(name)}: decision curves. Net benefit per patient of treating those at or above the threshold "
            f"probability, against treating everybody and nobody.{shade}",
            partial(figures.decision_figure, curves),
        )


def _compared(result: StudyResult) -> Iterator[Plan]:
    """Controls, and models against one another."""
    results = result.results
    permutation = results["controls"]["permutation"]
    ordered = all_sets(results["models"])
    if permutation is not None and permutation["sets"]:
        yield Plan(
            "permutations",
            f"Permutation control of the primary model, {results['primary_model']}: "
            f"{counted(permutation['n'], 'refit')} on shuffled outcomes.",
            partial(
                figures.permutation_figure,
                {name: permutation["sets"][name] for name in ordered if name in permutation["sets"]},
            ),
        )
    for name, stored in results["comparisons"].items():
        if len(stored["matrix"]["models"]) <= MOST_SHOWN:
            yield Plan(
                f"comparison-{name}",
                f"{set_name(name)}: AUCs compared on the {counted(stored['n'], unit_of(result))} that every model "
                "scored.",
                partial(figures.delong_figure, stored["matrix"], columns=2),
            )


def _fitted(result: StudyResult) -> Iterator[Plan]:
    """How LASSO chose its penalty in the primary model, in its first fit."""
    primary = result.results["primary_model"]
    fit = primary_of(result)["fits"][0]
    if fit["lasso"] is None:
        return
    where = "" if len(primary_of(result)["fits"]) == 1 else ", in the first of its fits"
    yield Plan(
        "lasso",
        f"LASSO of the primary model, {primary}{where}. Left: mean squared error of cross-validation (bars: one "
        "standard error) and number of features; right: coefficients of the features that it kept. Dashed: the penalty "
        "chosen.",
        partial(figures.lasso_figure, fit["lasso"], columns=2),
    )


def _roc_note(result: StudyResult, *, lines: int) -> str:
    if not cross_validated(result):
        return "Legend: AUC (95% confidence interval). Dashed: chance."
    fold = "folds" if result.results["n_folds"] else "splits"
    shade = " Shaded: range over the repeats." if result.results["n_repeats"] > 1 and lines == 1 else ""
    return f"Curve: mean over {fold}. Legend: mean AUC over {fold} (approximate 95% interval). Dashed: chance.{shade}"
