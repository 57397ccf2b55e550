"""One model on one partition: fit on the training view, score the held-out patients."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from glottis import __version__
from glottis._errors import CohortError, GlottisError
from glottis.data.tables import FeatureTable
from glottis.modelling.crossval import TunedChain
from glottis.selection.chain import radiomics_chain
from glottis.selection.reproducibility import ICCFilter
from glottis.study.spec import Study
from glottis.study.split import TRAINING, Partition
from glottis.study.store import ResultCache, content_key

MODE = "rigorous"
UNCOUNTED = ("impute", "z-score")
"""Steps that keep every feature."""


@dataclass(frozen=True, kw_only=True)
class FitUnit:
    """Everything that one fit needs, and nothing of any other patient.

    Attributes:
        model: its name.
        study: the settings.
        repeat: number of the repeat of a k-fold, else 0.
        fold: number of the fold of a k-fold, else 0.
        training: features of the training patients.
        outcome: 0 or 1 for every patient of ``training`` and ``tests``.
        groups: the group of every training patient; ``None`` where each patient is a group.
        repeats: by kind, features of further delineations of training patients.
        tests: by set, features of the held-out patients.
        cache: folder of finished fits.
    """

    model: str
    study: Study
    repeat: int
    fold: int
    training: pd.DataFrame
    outcome: pd.Series
    groups: pd.Series | None
    repeats: Mapping[str, pd.DataFrame]
    tests: Mapping[str, pd.DataFrame]
    cache: Path


def fit_unit(unit: FitUnit) -> dict[str, Any]:
    """Fit and score, or take the stored result.

    Returns:
        ``scores`` (rows of the ledger without centre), ``fit`` (the entry of ``results.json``), ``log`` (which
        patients each fitted step saw) and ``unscored`` (held-out patients who lack a selected feature).

    Raises:
        CohortError: the model cannot be fitted on these patients.
    """
    cache = ResultCache(unit.cache)
    key = _key(unit)
    stored: dict[str, Any] | None = cache.get(key)
    if stored is None:
        stored = _fit(unit)
        cache.put(key, stored)
    return stored


def fit_chain(unit: FitUnit) -> TunedChain:
    """Fit selection, tuning, classifier and threshold on the training view."""
    outcome = unit.outcome.loc[unit.training.index]
    seed = int(np.random.SeedSequence([unit.study.random_state, unit.repeat, unit.fold]).generate_state(1)[0] >> 1)
    chain = TunedChain(
        steps=chain_steps(unit.study, unit.repeats, random_state=seed),
        classifier=unit.study.model.classifier,
        grid=unit.study.model.grid,
        folds=unit.study.model.folds,
        recalibrate=unit.study.model.recalibrate,
        random_state=seed,
    )
    try:
        return chain.fit(unit.training, outcome, groups=unit.groups)
    except ValueError as error:
        place = f", repeat {unit.repeat + 1}, fold {unit.fold + 1}" if unit.study.split.method == "kfold" else ""
        message = f"Model {unit.model}{place} cannot be fitted on its {len(outcome)} training patients: {error}"
        raise CohortError(message) from error


def chain_steps(study: Study, repeats: Mapping[str, pd.DataFrame], *, random_state: int) -> list[tuple[str, Any]]:
    """The unfitted steps that the study names."""
    selection = study.selection
    icc = selection.icc
    steps = radiomics_chain(
        ICCFilter(repeats, form=icc.form, threshold=icc.threshold, use=icc.use) if icc and repeats else None,
        spearman=selection.spearman,
        lasso_folds=selection.lasso.folds if selection.lasso else None,
        rule=selection.lasso.rule if selection.lasso else "min",
        n_features=selection.n_features,
        random_state=random_state,
    )
    return [("impute", _median()), *steps] if imputes(study) else steps


def imputes(study: Study) -> bool:
    """Whether gaps of the feature table are filled inside every training view."""
    return study.table is not None and study.table.impute is not None


def _median() -> Any:
    """Gaps become the median of the training rows; a column without any value becomes 0, and so goes as constant."""
    from sklearn.impute import SimpleImputer

    return SimpleImputer(strategy="median", keep_empty_features=True).set_output(transform="pandas")


def repeat_tables(table: FeatureTable, study: Study, sequences: tuple[str, ...]) -> dict[str, pd.DataFrame]:
    """Further delineations by kind: ``intra`` by the same reader, ``inter`` by another one.

    Several rounds or readers of a kind are told apart by name, as in ``inter B1``.
    """
    first = study.primary()
    pairs = table.frame[["reader", "round"]].drop_duplicates().itertuples(index=False, name=None)
    columns = columns_of(table, study, sequences)
    rows = {pair: table.of_reader(*pair)[columns].dropna(how="all") for pair in sorted(pairs) if pair != first}
    kinds = {pair: "intra" if pair[0] == first[0] else "inter" for pair, found in rows.items() if len(found)}
    several = {kind for kind in kinds.values() if list(kinds.values()).count(kind) > 1}
    return {f"{kind} {pair[0]}{pair[1]}" if kind in several else kind: rows[pair] for pair, kind in kinds.items()}


def columns_of(table: FeatureTable, study: Study, blocks: tuple[str, ...]) -> list[str]:
    """Feature columns of these sequences or blocks, in the order of the table."""
    return [name for name in table.features if study.block_of(name) in blocks]


def units_of(
    study: Study,
    table: FeatureTable,
    parts: tuple[Partition, ...],
    *,
    model: str,
    outcome: pd.Series,
    groups: pd.Series,
    cache: Path,
) -> list[FitUnit]:
    """The fits of one model: one a partition, each with its own views of the tables."""
    sequences = study.models()[model]
    complete = table.of_reader(*study.primary())[columns_of(table, study, sequences)]
    complete = complete[_has_all(complete, study, sequences)]
    repeats = repeat_tables(table, study, sequences)
    units = []
    for part in parts:
        training = complete.loc[complete.index.intersection(list(part.training)).sort_values()]
        tests = {
            name: complete.loc[complete.index.intersection(list(patients)).sort_values()]
            for name, patients in part.tests.items()
        }
        here = [*training.index, *(patient for view in tests.values() for patient in view.index)]
        units.append(
            FitUnit(
                model=model,
                study=study,
                repeat=part.repeat,
                fold=part.fold,
                training=training,
                outcome=outcome.loc[here],
                groups=groups.loc[training.index] if groups.duplicated().any() else None,
                repeats={kind: rows.loc[rows.index.intersection(training.index)] for kind, rows in repeats.items()},
                tests=tests,
                cache=cache,
            )
        )
    return units


def _has_all(frame: pd.DataFrame, study: Study, blocks: tuple[str, ...]) -> pd.Series:
    """Patients with at least one value of every sequence or block."""
    present = pd.Series(data=True, index=frame.index)
    owners = [study.block_of(name) for name in frame.columns]
    for block in blocks:
        present &= frame.loc[:, [owner == block for owner in owners]].notna().any(axis=1)
    return present


def _fit(unit: FitUnit) -> dict[str, Any]:
    chain = fit_chain(unit)
    held_out = {patient for view in unit.tests.values() for patient in view.index}
    seen = {row for record in chain.fit_log_ for row in record.rows}
    if seen & held_out:
        message = f"A fitted step of model {unit.model} saw {len(seen & held_out)} held-out patients: results refused."
        raise GlottisError(message)
    rows = [
        _score(unit, TRAINING, int(fold), patient, score, chain.threshold_)
        for patient, fold, score in zip(chain.out_of_fold_.index, chain.fold_, chain.out_of_fold_, strict=True)
    ]
    unscored = []
    for name, view in unit.tests.items():
        complete = view if imputes(unit.study) else view[np.isfinite(view[chain.selected_].to_numpy()).all(axis=1)]
        unscored += [{"patient": patient, "set": name} for patient in view.index.difference(complete.index)]
        if len(complete):
            scores = chain.predict_proba(complete)[:, 1]
            rows += [
                _score(unit, name, unit.fold, patient, score, chain.threshold_)
                for patient, score in zip(complete.index, scores, strict=True)
            ]
    return {"scores": rows, "fit": _description(unit, chain), "log": _log(unit, chain), "unscored": unscored}


def _score(unit: FitUnit, set_: str, fold: int, patient: str, score: float, threshold: float) -> dict[str, Any]:
    return {
        "patient": patient,
        "set": set_,
        "repeat": unit.repeat,
        "fold": int(fold),
        "mode": MODE,
        "model": unit.model,
        "y_true": int(unit.outcome.loc[patient]),
        "y_score": float(score),
        "threshold": float(threshold),
    }


def _description(unit: FitUnit, chain: TunedChain) -> dict[str, Any]:
    kept = [{"step": "candidates", "n": unit.training.shape[1]}]
    kept += [{"step": name, "n": len(names)} for name, names in chain.kept_.items() if name not in UNCOUNTED]
    return {
        "repeat": unit.repeat,
        "fold": unit.fold,
        "n_training": len(unit.training),
        "n_positive": int(unit.outcome.loc[unit.training.index].sum()),
        "best_params": dict(chain.best_params_),
        "threshold": float(chain.threshold_),
        "recalibration": chain.recalibration_.to_dict() if chain.recalibration_ else None,
        "kept": kept,
        "selected": _selected(chain),
        "tuning": _tuning(chain),
        "notes": chain.note_.splitlines(),
    }


def _tuning(chain: TunedChain) -> list[dict[str, Any]]:
    """Mean inner AUC of every grid point."""
    names = list(chain.best_params_)
    return [
        {"params": {name: row[name] for name in names}, "auc": float(row["mean_auc"])}
        for row in chain.cv_results_.to_dict(orient="records")
    ]


def _selected(chain: TunedChain) -> list[dict[str, Any]]:
    """The features of the model with importance, LASSO coefficient and ICC, the most important first."""
    steps = dict(chain.steps_)
    lasso = steps.get("lasso")
    coefficients = dict(zip(lasso.feature_names_in_, lasso.coef_, strict=True)) if lasso is not None else {}
    icc = steps["icc"].icc_ if "icc" in steps else None
    importances = chain.feature_importances_
    rows = [
        {
            "feature": name,
            "importance": None if importances is None else float(importances[name]),
            "lasso": float(coefficients[name]) if name in coefficients else None,
            "icc_intra": _least(icc, name, "intra"),
            "icc_inter": _least(icc, name, "inter"),
        }
        for name in chain.selected_
    ]
    return sorted(rows, key=lambda row: (-(row["importance"] or 0.0), row["feature"]))


def _least(icc: pd.DataFrame | None, feature: str, kind: str) -> float | None:
    """The lowest ICC of a feature over the tables of a kind."""
    if icc is None:
        return None
    wanted = [column for column in icc.columns if column[0].startswith(kind) and column[1] == "value"]
    values = icc.loc[feature, wanted].to_numpy(dtype=float)
    known = values[np.isfinite(values)]
    return float(known.min()) if known.size else None


def _log(unit: FitUnit, chain: TunedChain) -> list[dict[str, Any]]:
    return [
        {"step": record.step, "inner_fold": record.fold, "patients": list(record.rows)} for record in chain.fit_log_
    ]


def _key(unit: FitUnit) -> str:
    """Content key: the values of every table that the fit or the scoring reads, settings and versions."""
    import sklearn

    study = unit.study
    frames = {"training": unit.training, **{f"test {k}": v for k, v in unit.tests.items()}, **unit.repeats}
    digests = {name: _frame_digest(frame) for name, frame in frames.items()}
    settings = {
        "selection": study.selection.model_dump(mode="json"),
        "model": study.model.model_dump(mode="json"),
        "random_state": study.random_state,
        **({"impute": "median"} if imputes(study) else {}),
    }
    groups = None if unit.groups is None else unit.groups.to_dict()
    people = [unit.outcome.to_dict(), groups, unit.repeat, unit.fold, unit.model]
    return content_key(digests, settings, people, [__version__, sklearn.__version__, np.__version__])


def _frame_digest(frame: pd.DataFrame) -> str:
    digest = hashlib.sha256("\n".join([*map(str, frame.index), "", *frame.columns]).encode())
    digest.update(np.ascontiguousarray(frame.to_numpy(dtype=float)).tobytes())
    return digest.hexdigest()
