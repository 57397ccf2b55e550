"""The ``results.json`` of a fake run: a synthetic ledger through the real evaluation, everything else made up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from glottis.data.tables import Predictions
from glottis.evaluation import delong_matrix
from glottis.evaluation.stability import selection_stability
from glottis.modelling.batches import batch_effect
from glottis.modelling.confounding import tangled
from glottis.study.against import rows_of
from glottis.study.evaluate import evaluate_model
from glottis.study.spec import Study

STEPS = ("variance", "icc", "spearman", "lasso", "rfe")
Rows = list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Fake:
    """What the made-up numbers are made from."""

    study: Study
    ledger: Predictions
    parts: list[dict[str, Any]]
    truth: Mapping[str, int]
    features: Sequence[str]
    selected: int
    controls: bool


def fake_results(fake: Fake) -> dict[str, Any]:
    """Everything that a report shows."""
    study, truth, crossed = fake.study, fake.truth, fake.study.split.crossed
    models = {name: _model(fake, name, blocks) for name, blocks in study.models().items()}
    primary = list(models)[-1]
    k_fold = study.split.method == "kfold"
    return {
        "title": study.title,
        "outcome": {"column": "stage", "positive": "III-IV", "negative": "I-II"},
        "design": "cross-validation" if crossed else "held-out",
        "mode": "rigorous",
        "n_patients": len(truth),
        "n_groups": len(truth),
        "n_positive": sum(truth.values()),
        "n_training": len(fake.parts[0]["training"]),
        "primary_model": primary,
        "primary_reason": "It was named before any score was known.",
        "models": models,
        "n_folds": 5 if k_fold else None,
        "n_repeats": 3 if crossed else None,
        **({"test_fraction": 0.3} if crossed and not k_fold else {}),
        "centres": {"A": len(truth) - 5, "B": 5},
        "refused": {},
        "fits_logged": 186,
        "held_out_seen": 0,
        "controls": _controls(fake, models[primary]),
        "comparisons": {} if crossed or len(models) < 2 else _comparisons(fake, list(models)),
        "proof": _proof(fake, models),
        "as_published": _as_published(fake, primary) if study.as_published else None,
        "harmonisation": _harmonisation(fake) if study.harmonise else None,
    }


def _model(fake: Fake, name: str, blocks: Sequence[str]) -> dict[str, Any]:
    study = fake.study
    own = [feature for feature in fake.features if feature.split("_")[0] in blocks][: fake.selected]
    classifier = next((c for d in study.designs() for c, model in d.models.items() if model == name), "chosen")
    late = next(d.fusion for d in study.designs() if name in (*d.models.values(), d.chosen)) == "late"
    fits = [_fit(fake, part, blocks, own, classifier, late, i) for i, part in enumerate(fake.parts)]
    rows = np.array([[f in {s["feature"] for s in fit["selected"]} for f in fake.features] for fit in fits])
    counts = sorted(zip(rows.sum(axis=0).tolist(), fake.features, strict=True), key=lambda row: (-row[0], row[1]))
    crossed = study.split.crossed
    return {
        "sequences": list(blocks),
        "n_patients": len(fake.truth),
        "n_positive": sum(fake.truth.values()),
        "n_candidates": 851 * len(blocks),
        "unscored": [],
        "classifier": classifier,
        "fusion": "late" if late else "early",
        "inner_auc": float(np.mean([fit["inner_auc"] for fit in fits])),
        "sets": evaluate_model(rows_of(fake.ledger, name), recalibrated=study.model.recalibrate),
        "blocks": [
            {
                "block": block,
                "n_selected": 3.5 - i,
                "share_selected": 0.6 if i == 0 else 0.4 / max(len(blocks) - 1, 1),
                "share_importance": None if classifier == "svm" else 0.5 / len(blocks) + 0.01 * i,
                "weight": 0.75 - 0.5 * i if late else None,
            }
            for i, block in enumerate(blocks)
        ],
        "fits": fits,
        "stability": [{"feature": f, "chosen": n, "of": len(fits)} for n, f in counts if n] if crossed else [],
        "stability_index": selection_stability(rows).to_dict() if crossed and fake.selected else None,
    }


def _fit(
    fake: Fake, part: dict[str, Any], blocks: Sequence[str], own: Sequence[str], classifier: str, late: bool, i: int
) -> dict[str, Any]:
    names = fake.study.model.classifier
    used = names[(part["repeat"] + part["fold"]) % len(names)] if classifier == "chosen" else classifier
    chosen = [feature for j, feature in enumerate(own) if not i or j != (i % (len(own) + 2))]
    steps = [s for s in STEPS if (s != "lasso" or fake.study.selection.lasso) and (s != "icc" or fake.study.sequences)]
    point = {"max_depth": 3, "min_samples_leaf": 5} if "forest" in used or "trees" in used else {"C": 1.0}
    other = {"max_depth": None, "min_samples_leaf": 1} if "max_depth" in point else {"C": 0.1}
    return {
        "repeat": part["repeat"],
        "fold": part["fold"],
        "n_training": len(part["training"]),
        "n_positive": sum(fake.truth[p] for p in part["training"]),
        "best_params": {} if late else point,
        "threshold": 0.48,
        "recalibration": {"slope": 1.2, "intercept": 0.1},
        "kept": _kept(steps, blocks, len(chosen), late),
        "selected": [_selected(j, feature, used) for j, feature in enumerate(chosen)],
        "tuning": [] if late else [{"params": point, "auc": 0.701}, {"params": other, "auc": 0.655}],
        "notes": [],
        "inner_auc": 0.701 + names.index(used) / 100,
        "classifier": used,
        "weights": {block: 1 / len(blocks) for block in blocks} if late else None,
        "lasso": _lasso(chosen) if "lasso" in steps and not late and chosen else None,
        "regression": None,
        "in_sample": None,
    }


def _kept(steps: Sequence[str], blocks: Sequence[str], n_selected: int, late: bool) -> Rows:
    n = 851 if late else 851 * len(blocks)
    counts = {"candidates": n, "variance": n - 3, "icc": n // 2, "spearman": n // 8, "lasso": 11, "rfe": n_selected}
    wanted = ["candidates", *steps]
    prefixes = [f"{block}: " for block in blocks] if late else [""]
    return [{"step": prefix + step, "n": counts[step]} for prefix in prefixes for step in wanted]


def _selected(place: int, feature: str, classifier: str) -> dict[str, Any]:
    return {
        "feature": feature,
        "importance": None if classifier in ("svm", "mlp") else 0.4 - place / 20,
        "lasso": (-1) ** place * 0.031,
        "icc_intra": 0.91,
        "icc_inter": None,
    }


def _lasso(features: Sequence[str]) -> dict[str, Any]:
    alphas = np.geomspace(0.3, 0.003, 40)
    mse = 0.2 + 0.03 * (np.log10(alphas) + 1.3) ** 2
    number = np.minimum(np.arange(40), 11 + len(features))
    return {
        "alpha": float(alphas[18]),
        "path": [
            {"alpha": a, "mse": m, "se": 0.01, "n_features": n}
            for a, m, n in zip(alphas.tolist(), mse.tolist(), number.tolist(), strict=True)
        ],
        "coefficients": {
            feature: [max(0.0, (j - 2 * i) / 300) * (-1) ** i for j in range(40)] for i, feature in enumerate(features)
        },
    }


def _interval(value: float, reach: float, method: str, **more: Any) -> dict[str, Any]:
    limits = {"value": value, "low": value - reach, "high": value + reach}
    return {**limits, "method": method, "level": 0.95, "note": "", **more}


def _controls(fake: Fake, primary: Mapping[str, Any]) -> dict[str, Any]:
    absent = [{"name": "site alone", "reason": "the study names no centre column"}]
    if not fake.controls:
        names = ("volume alone", "clinical alone")
        reasons = ("no column of the table is a volume", "the study names no clinical column")
        absent += [{"name": name, "reason": reason} for name, reason in zip(names, reasons, strict=True)]
        return {"permutation": None, "alone": [], "absent": absent}
    sets = {name: entry for name, entry in primary["sets"].items() if name != "training"}
    values = np.random.default_rng(1).normal(0.5, 0.08, 20).clip(0, 1).tolist()
    permutation = {
        name: {
            "observed": entry["auc"]["interval"]["value"],
            "values": values,
            "mean": float(np.mean(values)),
            "se": float(np.std(values, ddof=1) / np.sqrt(20)),
            "p_value": (1 + sum(v >= entry["auc"]["interval"]["value"] for v in values)) / 21,
        }
        for name, entry in sets.items()
    }
    alone = [
        _alone("volume alone", ["original_shape_MeshVolume"], sets, fake.study.split.crossed, beaten=False),
        _alone("clinical alone", ["age", "sex"], sets, fake.study.split.crossed, beaten=True),
    ]
    return {"permutation": {"n": 20, "sets": permutation, "note": ""}, "alone": alone, "absent": absent}


def _alone(name: str, columns: list[str], sets: Mapping[str, Any], crossed: bool, *, beaten: bool) -> dict[str, Any]:
    method = "corrected resampled t" if crossed else "paired DeLong"
    differences = {
        set_: {
            "difference": _interval(0.112 if beaten else -0.019, 0.051, method),
            "p_value": None if crossed else (0.001 if beaten else 0.472),
            "n": entry["n"],
            "verdict": f"beats {name}" if beaten else f"not shown to beat {name} (n = {entry['n']})",
        }
        for set_, entry in sets.items()
    }
    return {"name": name, "columns": columns, "sets": dict(sets), "differences": differences, "notes": []}


def _comparisons(fake: Fake, names: Sequence[str]) -> dict[str, Any]:
    frame, found = fake.ledger.frame, {}
    for name in [name for name in dict.fromkeys(frame["set"]) if name != "training"]:
        rows = frame[frame["set"] == name].pivot(index="patient", columns="model", values="y_score")
        truth = [fake.truth[patient] for patient in rows.index]
        matrix = delong_matrix(truth, {model: rows[model].to_numpy() for model in names}).to_dict()
        dropped = {model: int(i == 0) * 2 for i, model in enumerate(names)}
        found[name] = {"n": len(rows), "n_dropped": dropped, "matrix": matrix}
    return found


def _proof(fake: Fake, models: Mapping[str, Any]) -> Rows:
    n, fits = len(fake.parts[0]["training"]), len(fake.parts)
    hidden = len(fake.truth) - n
    rows = [
        {
            "mode": "rigorous",
            "model": name,
            "step": entry["step"],
            "n_fits": 6 * fits,
            "saw": [n - n // 5 - 1, n],
            "hidden": [hidden, hidden + n // 5],
            "overlap": 0,
        }
        for name, model in models.items()
        for entry in model["fits"][0]["kept"][1:]
    ]
    whole = {"n_fits": fits, "saw": [len(fake.truth)] * 2, "hidden": [hidden, hidden], "overlap": hidden}
    published = {"mode": "as_published", "model": list(models)[-1], "step": "selection", **whole}
    return [*rows, published] if fake.study.as_published else rows


def _as_published(fake: Fake, primary: str) -> dict[str, Any]:
    frame = fake.ledger.frame[fake.ledger.frame["model"] == primary]
    leaked = frame.assign(y_score=(frame["y_score"] + frame["y_true"]) / 2)
    sets = evaluate_model(leaked, recalibrated=fake.study.model.recalibrate)
    sets.pop("training", None)
    return {"model": primary, "how": list(fake.study.as_published), "sets": sets}


def _harmonisation(fake: Fake) -> dict[str, Any]:
    rng, n = np.random.default_rng(5), len(fake.truth)
    batch = pd.Series([f"scanner {'AB'[i * 2 // n]}" for i in range(n)])
    outcome = ["III-IV" if rng.random() < (0.25 if b.endswith("A") else 0.75) else "I-II" for b in batch]
    X = pd.DataFrame(rng.normal(size=(n, 12)), columns=[f"f{i}" for i in range(12)])
    before = batch_effect(X.add(1.1 * (batch == "scanner B").astype(float), axis=0), batch)
    return {
        "batch": "scanner",
        "before": before.to_dict(),
        "after": batch_effect(X, batch).to_dict(),
        "tangled": tangled(batch, outcome).to_dict(),
        "notes": ["1 feature is constant within a batch and was left as it is: f3"],
    }
