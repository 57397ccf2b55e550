"""A fitted model as ``results.json`` keeps it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from glottis.evaluation.discrimination import area
from glottis.modelling.clinical import ClinicalChain
from glottis.modelling.crossval import TunedChain
from glottis.modelling.fusion import LateFusion
from glottis.modelling.harmonise import ComBat
from glottis.study.chains import tuned_of
from glottis.study.units import FitUnit

UNCOUNTED = ("z-score", "impute", "combat", "encode")
"""Steps that change values and leave all features."""


def described(unit: FitUnit, name: str, model: Any) -> dict[str, Any]:
    """What a report, and a control that fits the model again, must know of it.

    Args:
        unit: what it was fitted on.
        name: of the model.
        model: a fitted `TunedChain`, `LateFusion` or `ClinicalChain`.
    """
    late = isinstance(model, LateFusion)
    chains = dict(model.chains_) if late else {"": model}
    classifier = next(own for own, given in unit.design.models.items() if given == name)
    return {
        "repeat": unit.repeat,
        "fold": unit.fold,
        "classifier": classifier,
        "n_training": len(unit.training),
        "n_positive": int(unit.outcome.loc[unit.training.index].sum()),
        "best_params": {} if late else dict(model.best_params_),
        "inner_auc": float(model.inner_auc_),
        "tuned": tuned_of(model),
        "threshold": float(model.threshold_),
        "recalibration": None if late or model.recalibration_ is None else model.recalibration_.to_dict(),
        "probabilities": _probabilities(model, classifier),
        "weights": {block: float(w) for block, w in model.standardised_weights_.items()} if late else None,
        "kept": [row for block, chain in chains.items() for row in _kept(unit, block, chain)],
        "selected": _in_order([row for chain in chains.values() for row in _selected(chain)]),
        "tuning": _tuning(model) if isinstance(model, TunedChain) else [],
        "lasso": _lasso_path(model) if isinstance(model, TunedChain) else None,
        "notes": model.note_.splitlines(),
        "regression": _regression(model) if isinstance(model, ClinicalChain) else None,
        "in_sample": _in_sample(unit, model) if unit.study.nomogram is not None and unit.design.of_features else None,
    }


def _regression(model: ClinicalChain) -> dict[str, Any]:
    """The odds ratios and the linear predictor of a clinical model or nomogram."""
    return {"table": model.table_.to_dict(), "predictor": model.model_.to_dict()}


def _in_sample(unit: FitUnit, model: Any) -> dict[str, Any]:
    """What the model's scores of its own training patients would show: an AUC, and whether they separate them."""
    scores = model.predict_proba(unit.training)[:, 1]
    truth = unit.outcome.loc[unit.training.index].to_numpy().astype(bool)
    return {
        "auc": float(area(truth, scores)),
        "out_of_fold_auc": float(area(truth, model.out_of_fold_.loc[unit.training.index].to_numpy())),
        "separates": bool(scores[truth].min() > scores[~truth].max()),
    }


def transform_notes(model: Any) -> list[str]:
    """What a step had to say of the rows that it last transformed: a harmonisation that met an unseen batch."""
    chains = model.chains_.values() if isinstance(model, LateFusion) else [model]
    steps = [step for chain in chains for _, step in chain.steps_ if isinstance(step, ComBat)]
    return list(dict.fromkeys(step.unseen_note_ for step in steps if step.unseen_note_))


def _probabilities(model: Any, classifier: str) -> bool:
    """Whether the scores count as probabilities: recalibrated, stacked, or those of a logistic regression."""
    if isinstance(model, LateFusion) or model.recalibration_ is not None:
        return True
    return isinstance(model, ClinicalChain) or (classifier == "logistic_regression" and model.class_weight is None)


def _kept(unit: FitUnit, block: str, chain: Any) -> list[dict[str, Any]]:
    prefix = f"{block}: " if block else ""
    n = len(unit.blocks[block]) if block else unit.training.shape[1]
    rows = [{"step": f"{prefix}candidates", "n": n}]
    return rows + [
        {"step": f"{prefix}{name}", "n": len(names)} for name, names in chain.kept_.items() if name not in UNCOUNTED
    ]


def _tuning(chain: Any) -> list[dict[str, Any]]:
    """Mean inner AUC of every point that was tried."""
    names = list(chain.best_params_)
    return [
        {"params": {name: row[name] for name in names}, "auc": float(row["mean_auc"])}
        for row in chain.cv_results_.to_dict(orient="records")
    ]


def _selected(chain: Any) -> list[dict[str, Any]]:
    """The features of the model with importance, LASSO coefficient and ICC."""
    steps = dict(chain.steps_)
    lasso = steps.get("lasso")
    coefficients = dict(zip(lasso.feature_names_in_, lasso.coef_, strict=True)) if lasso is not None else {}
    icc = steps["icc"].icc_ if "icc" in steps else None
    importances = chain.feature_importances_
    return [
        {
            "feature": name,
            "importance": None if importances is None else float(importances[name]),
            "lasso": float(coefficients[name]) if name in coefficients else None,
            "icc_intra": _least(icc, name, "intra"),
            "icc_inter": _least(icc, name, "inter"),
        }
        for name in chain.selected_
    ]


def _in_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The most important first."""
    return sorted(rows, key=lambda row: (-(row["importance"] or 0.0), row["feature"]))


def _least(icc: pd.DataFrame | None, feature: str, kind: str) -> float | None:
    """The lowest ICC of a feature over the tables of a kind."""
    if icc is None or feature not in icc.index:
        return None
    wanted = [column for column in icc.columns if column[0].startswith(kind) and column[1] == "value"]
    values = icc.loc[feature, wanted].to_numpy(dtype=float)
    known = values[np.isfinite(values)]
    return float(known.min()) if known.size else None


def _lasso_path(chain: Any) -> dict[str, Any] | None:
    """Error and coefficients along the penalties, for the figure; coefficients of what the chosen penalty keeps."""
    lasso = dict(chain.steps_).get("lasso")
    if lasso is None or not hasattr(lasso, "path_"):
        return None
    path = lasso.path_
    kept = [
        (str(name), row) for name, row, own in zip(lasso.feature_names_in_, lasso.coef_path_, lasso.coef_, strict=True)
        if own != 0
    ]  # fmt: skip
    return {
        "alpha": float(lasso.alpha_),
        "path": [
            {key: float(row[key]) for key in ("alpha", "mse", "se")} | {"n_features": int(row["n_features"])}
            for row in path.to_dict(orient="records")
        ],
        "coefficients": {name: [float(value) for value in row] for name, row in kept},
    }
