"""The paragraphs of the methods on classifiers, their tuning and their fusion."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from glottis.modelling.classifiers import CLASSIFIERS
from glottis.modelling.tuning import Range
from glottis.report.groups import CLASSIFIER_NAMES, classifier_name
from glottis.report.methods_paragraph import Paragraph, parts
from glottis.report.wording import capitalised, counted, joined, plain
from glottis.study.result import StudyResult
from glottis.study.spec import Study

DESCRIBED = {
    "logistic_regression": "logistic regression with an L2 penalty",
    "svm": "support vector machine",
    "random_forest": "random forest with 200 trees",
    "extra_trees": "extremely randomised trees, 200 of them",
    "xgboost": "XGBoost with 150 trees",
    "lightgbm": "LightGBM with 150 trees",
    "mlp": "multilayer perceptron (L-BFGS)",
}
MODELS_NAMED = 14


def model_paragraph(result: StudyResult) -> Paragraph:
    """Classifiers, tuning, weights, recalibration, threshold and the choice between them."""
    study, model = result.study, result.study.model
    names = model.classifier
    sentences = [
        f"{capitalised(joined(described(name, study) for name in names))}, {_search(study)} by {model.folds}-fold "
        "cross-validated AUC inside the training patients; every inner fold repeated the selection on its own rows.",
        *_grids(result),
    ]
    chosen = chosen_text(result)
    if chosen:
        sentences.append(f"Chosen: {chosen}.")
    if model.class_weight is not None:
        sentences.append("Both classes weighed the same in every fit (class weights inverse to their size).")
    sentences += _recalibration(study)
    sentences.append(
        "Threshold: the highest sensitivity + specificity (Youden) on out-of-fold training scores, stored with the "
        "model."
    )
    sentences += _choice(result)
    all_models = list(result.results["models"])
    shown = f": {joined(all_models)}" if len(all_models) <= MODELS_NAMED else ""
    sentences.append(f"{capitalised(counted(len(all_models), 'model'))}{shown}.")
    open_values = () if model.grid else _open(names)
    return Paragraph("Model", tuple(sentences), open_values)


def described(name: str, study: Study) -> str:
    """A classifier in words; a number of trees that is searched is not named."""
    words = DESCRIBED.get(name, f"the classifier {name} (loaded from outside glottis)")
    if study.model.search.kind != "grid" and name in ("xgboost", "lightgbm"):
        return CLASSIFIER_NAMES[name]
    return words


def _open(names: tuple[str, ...]) -> tuple[str, ...]:
    """What the papers leave open: grids always, trees where there are any."""
    grid = "the grid" if len(names) == 1 else "the grids"
    trees = {"random_forest", "extra_trees", "xgboost", "lightgbm"} & set(names)
    return ("the number of trees", grid) if trees else (grid,)


def _search(study: Study) -> str:
    search = study.model.search
    return {
        "grid": "tuned",
        "random": f"tuned over {counted(search.n_trials, 'random point')}",
        "bayes": f"tuned over {counted(search.n_trials, 'point')} of a Bayesian search (tree-structured Parzen "
        "estimator, the first ten at random)",
    }[search.kind]


def _grids(result: StudyResult) -> list[str]:
    study = result.study
    names, kind = study.model.classifier, study.model.search.kind
    word = "Grid" if kind == "grid" else "Searched"
    if len(names) == 1:
        return [f"{word}: {_space(result, names[0])}."]
    parts_ = [f"{classifier_name(name)} ({_space(result, name)})" for name in names]
    return [f"{word}s: {'; '.join(parts_)}." if kind == "grid" else f"{word}: {'; '.join(parts_)}."]


def _space(result: StudyResult, name: str) -> str:
    """What the tuning of a classifier tried: as a fit stored it, else from the settings."""
    stored = grid_text(result, name) if result.study.model.search.kind == "grid" else ""
    if stored:
        return stored
    space = result.study.model.grid_of(name) or _default_space(result.study, name)
    return "; ".join(f"{_parameter(key)} {_values(values)}" for key, values in space.items()) or "none"


def _default_space(study: Study, name: str) -> Mapping[str, Any]:
    spec = CLASSIFIERS.get(name)
    if spec is None:
        return {}
    return spec.grid if study.model.search.kind == "grid" or not spec.ranges else spec.ranges


def _values(values: Any) -> str:
    ends = values if isinstance(values, Mapping) else vars(values) if isinstance(values, Range) else None
    if ends is None:
        return joined((_value(value) for value in values), "or")
    return f"{plain(ends['low'])} to {plain(ends['high'])}{' on the log scale' if ends.get('log') else ''}"


def _recalibration(study: Study) -> list[str]:
    model = study.model
    if not model.recalibrate:
        return []
    weighted = model.class_weight is not None
    kept = [name for name in model.classifier if name in CLASSIFIERS and not CLASSIFIERS[name].recalibrate]
    left = [] if weighted else kept
    if len(left) == len(model.classifier):
        return ["The scores were taken as they are: a likelihood makes them probabilities."]
    but = (
        f" (not those of {joined(map(classifier_name, left))}, which a likelihood makes probabilities)" if left else ""
    )
    return [f"Scores{but} were recalibrated by a logistic curve on out-of-fold training scores."]


def _choice(result: StudyResult) -> list[str]:
    if len(result.study.model.classifier) == 1:
        return []
    chosen = next((entry for entry in result.results["models"].values() if entry["classifier"] == "chosen"), None)
    if chosen is None:
        return ["Between classifiers the inner AUC chose, the mean over inner folds of training patients; no test set."]
    counts = Counter(classifier_name(fit["classifier"]) for fit in chosen["fits"])
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    taken = joined(f"{name} in {n} of {counts.total()} fits" for name, n in ordered)
    return [
        "Between classifiers the inner AUC chose, anew in each fit and from its training patients alone; the chosen "
        f"model's results are of these choices: {taken}."
    ]


def fusion_paragraph(result: StudyResult) -> Paragraph | None:
    """How blocks became one model; ``None`` without a model of several blocks."""
    entries = [entry for entry in result.results["models"].values() if len(entry["blocks"]) > 1]
    if not entries:
        return None
    kinds = {entry["fusion"] for entry in entries}
    words = parts(result.study)
    sentences = []
    if "early" in kinds:
        how = "after selection in each" if result.study.selection.per_block else "before selection"
        sentences.append(f"Early fusion: features of several {words} were set side by side {how}.")
    if "late" in kinds:
        sentences.append(
            f"Late fusion: a model for each of the {words}, fitted on the same inner folds; a logistic curve with "
            "weights of at least 0 made one score from the logits of theirs, learnt from out-of-fold training scores "
            "alone."
        )
    return Paragraph("Fusion", tuple(sentences))


def grid_text(result: StudyResult, classifier: str) -> str:
    """Every parameter with the values that tuning tried, as a fit stored them; empty where none did."""
    tried: dict[str, list[str]] = {}
    entries = (m for m in result.results["models"].values() if m["classifier"] == classifier)
    points: list[Mapping[str, Any]] = next(
        (entry["fits"][0]["tuning"] for entry in entries if entry["fits"][0]["tuning"]), []
    )
    for point in points:
        for name, value in point["params"].items():
            values = tried.setdefault(name, [])
            if _value(value) not in values:
                values.append(_value(value))
    return "; ".join(f"{_parameter(name)} {joined(values, 'or')}" for name, values in tried.items())


def chosen_text(result: StudyResult) -> str:
    """What tuning chose: per model, or how often over all fits; empty where a table says it or nothing was stored."""
    models = {
        name: entry
        for name, entry in result.results["models"].items()
        if entry["classifier"] != "chosen" and all(fit["best_params"] for fit in entry["fits"])
    }
    if all(len(entry["fits"]) == 1 for entry in models.values()):
        if len(models) > MODELS_NAMED:
            return ""
        return "; ".join(f"{name}: {params_text(entry['fits'][0]['best_params'])}" for name, entry in models.items())
    primary = result.results["primary_model"]
    if primary not in models:
        return ""
    counts = Counter(params_text(fit["best_params"]) for fit in models[primary]["fits"])
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return f"in model {primary}, " + "; ".join(f"{text} in {n} of {counts.total()} fits" for text, n in ordered)


def params_text(params: Mapping[str, Any]) -> str:
    """A grid point in words."""
    return ", ".join(f"{_parameter(name)} {_value(value)}" for name, value in params.items())


def _parameter(name: str) -> str:
    return {"max_depth": "depth", "min_samples_leaf": "leaf", "n_estimators": "trees"}.get(name, name)


def _value(value: Any) -> str:
    return "free" if value is None else plain(value)
