"""What the page says of clinical model, nomogram and final model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from glottis.modelling.explain import Explanation
from glottis.modelling.nomogram import Nomogram
from glottis.report import figures
from glottis.report.controls import p_value
from glottis.report.plan import Plan
from glottis.report.wording import capitalised, counted, event_name, number
from glottis.study.result import StudyResult

TITLES = {"clinical": "Clinical model", "nomogram": "Nomogram"}
FEW_EVENTS = 10


def odds_tables(result: StudyResult) -> list[dict[str, Any]]:
    """Odds ratios of the clinical model and the nomogram, as rows of text."""
    if result.final is None or result.final["absent"]:
        return []
    return [_odds(result, name, table) for name, table in result.final["tables"].items()]


def _odds(result: StudyResult, name: str, table: Mapping[str, Any]) -> dict[str, Any]:
    kept = _kept(result, name)
    return {
        "model": name,
        "title": TITLES.get(name, name),
        "n": table["n"],
        "n_positive": table["n_positive"],
        "rule": table["rule"],
        "events": table["events_per_parameter"],
        "notes": table["notes"],
        "kept": bool(kept),
        "rows": [
            {
                "variable": row["variable"],
                "level": "" if row["level"] is None else f"{row['level']} against {row['reference']}",
                "alone": _ratio(row["univariable"]),
                "p_alone": p_value(row["univariable"]["p_value"]),
                "together": "–" if row["multivariable"] is None else _ratio(row["multivariable"]),
                "p_together": "–" if row["multivariable"] is None else p_value(row["multivariable"]["p_value"]),
                "kept": kept.get(row["variable"], ""),
            }
            for row in table["rows"]
        ],
    }


def _ratio(stored: Mapping[str, Any]) -> str:
    ratio = stored["ratio"]
    if ratio["value"] is None:
        return "not estimable"
    limits = "" if ratio["low"] is None else f" ({number(ratio['low'], 2)} to {number(ratio['high'], 2)})"
    return f"{number(ratio['value'], 2)}{limits}"


def _kept(result: StudyResult, name: str) -> dict[str, str]:
    """In how many fits of a cross-validation each predictor entered; empty with one fit."""
    entry = result.results["models"].get(name)
    if entry is None or len(entry["fits"]) < 2:
        return {}
    counts: dict[str, int] = {}
    for fit in entry["fits"]:
        for row in fit["selected"]:
            counts[row["feature"]] = counts.get(row["feature"], 0) + 1
    n = len(entry["fits"])
    table = (result.final or {})["tables"][name]
    return {row["variable"]: f"{counts.get(row['variable'], 0)} of {n}" for row in table["rows"]}


def in_sample_words(result: StudyResult) -> str:
    """What scores by the model that learnt from the patients would have shown; empty without a nomogram."""
    fits = result.results["models"][result.results["primary_model"]]["fits"]
    found = [] if result.study.nomogram is None else [fit["in_sample"] for fit in fits if fit["in_sample"] is not None]
    if not found:
        return ""
    mean = sum(own["auc"] for own in found) / len(found)
    honest = sum(own["out_of_fold_auc"] for own in found) / len(found)
    text = (
        "The nomogram used out-of-fold scores of its training patients. Scores of the same patients by the model that "
        f"had learnt from them would have shown an AUC of {number(mean)} in place of {number(honest)}"
    )
    text += f"{_separated(found)}."
    name, worst = _worst(result)
    if name:
        text += f" Those of {name} would have shown {number(sum(own['auc'] for own in worst) / len(worst))}"
        text += f"{_separated(worst)}."
    return text


def _separated(found: list[Mapping[str, Any]]) -> str:
    n = sum(own["separates"] for own in found)
    where = "" if len(found) == 1 else f" in {n} of {len(found)} fits"
    return f", and separated the classes completely{where}: no nomogram exists of such scores" if n else ""


def _worst(result: StudyResult) -> tuple[str, list[Mapping[str, Any]]]:
    """The model whose in-sample scores flatter most, where it is another one than the primary model."""
    models = {
        name: [fit["in_sample"] for fit in entry["fits"] if fit["in_sample"] is not None]
        for name, entry in result.results["models"].items()
    }
    known = {name: own for name, own in models.items() if own}
    name = max(known, key=lambda own: sum(fit["auc"] for fit in known[own]) / len(known[own]))
    return ("", []) if name == result.results["primary_model"] else (name, known[name])


def few_events(result: StudyResult) -> str:
    """That a regression rests on few events; empty where it does not."""
    final = result.final
    if final is None or final["absent"]:
        return ""
    few = [
        f"the {TITLES.get(name, name).lower()} has {number(table['events_per_parameter'], 1)} patients of the smaller "
        "class per coefficient"
        for name, table in final["tables"].items()
        if table["events_per_parameter"] is not None and table["events_per_parameter"] < FEW_EVENTS
    ]
    return f"{capitalised('; '.join(few))}: below {FEW_EVENTS}, its coefficients are shaky." if few else ""


def levels(result: StudyResult) -> list[Mapping[str, Any]]:
    """Counts by level of the clinical columns."""
    return [] if result.final is None or result.final["absent"] else list(result.final["counts"])


def explained_words(result: StudyResult) -> list[str]:
    """How the scores are explained, and why they are not."""
    final = result.final
    if final is None or final["absent"]:
        return []
    stored = final["explanation"]
    if stored["absent"]:
        return [f"{capitalised(stored['absent'])}."]
    lines = [capitalised(note) if note.endswith(".") else f"{capitalised(note)}." for note in stored["notes"]]
    shap = stored["shap"]
    if shap is not None:
        lines.append(
            f"SHAP values of {counted(len(shap['rows']), 'patient')} ({stored['patients']}), {shap['how']}: what each "
            "feature added to the score against the training data. They explain the model, not the disease; features "
            "that go together share their credit as the model happens to use them."
        )
    return lines


def equation_text(result: StudyResult) -> str:
    """The equation of a logistic regression; empty for other models."""
    final = result.final
    if final is None or final["absent"] or final["explanation"]["absent"]:
        return ""
    return final["explanation"]["equation"] or ""


def final_plans(result: StudyResult) -> Iterator[Plan]:
    """Figures of nomogram and explanation."""
    final = result.final
    if final is None or final["absent"]:
        return
    points = final["nomogram"]
    if points is not None:
        yield Plan(
            "nomogram",
            f"Nomogram of the {'clinical model' if points['kind'] == 'clinical' else 'score and clinical columns'}.",
            partial(figures.nomogram_figure, Nomogram.from_dict(points["points"])),
        )
    if final["calibration"] is not None:
        what = "clinical model" if points is None or points["kind"] == "clinical" else "nomogram"
        yield Plan(
            "nomogram-calibration",
            f"Calibration of the {what} on its own training patients, with the optimism of the whole procedure taken "
            f"off by {counted(final['calibration']['performance']['n_resamples'], 'bootstrap resample')}. Dashed: "
            "perfect agreement.",
            partial(figures.corrected_calibration_figure, final["calibration"]),
        )
    stored, event = final["explanation"], event_name(result.results["outcome"])
    if not stored["absent"] and stored["shap"] is not None:
        yield Plan(
            "shap",
            f"SHAP values of the final model, {stored['patients']} patients: a dot a patient, to the right where the "
            f"feature speaks for {event}.",
            partial(figures.beeswarm_figure, Explanation.from_dict(stored["shap"]), columns=2, event=event),
        )
    if not stored["absent"] and stored["permutation"] is not None:
        yield Plan(
            "importance",
            "Permutation importance: how much AUC is lost when a feature of the held-out patients is shuffled (bars: "
            f"standard deviation over {counted(stored['permutation']['repeats'], 'shuffle')}). Features that go "
            "together stand in for each other and look less important than they are.",
            partial(figures.importance_figure, stored["permutation"]),
        )
