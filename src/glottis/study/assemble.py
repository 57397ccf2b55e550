"""From finished fits to the ledger, the flow of patients, the fit log and ``results.json``."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glottis.data.cohort import Cohort
from glottis.data.tables import FeatureTable, Predictions
from glottis.io.files import write_text_atomic
from glottis.study.evaluate import evaluate_model
from glottis.study.fitting import MODE
from glottis.study.spec import Study
from glottis.study.split import CROSS_VALIDATION, TRAINING, Partition
from glottis.study.store import write_json

Fits = Mapping[str, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True, kw_only=True)
class FinishedWork:
    """What the stages of a run hand to its results.

    Attributes:
        cohort: the patients who could take part.
        excluded: the others, with their reason.
        outcome: ``column``, ``positive`` and ``negative``: what is predicted, in the manifest's words.
        table: features, for who has which sequence.
        fits: what ``fit_unit`` gave, by model.
        refused: models that could not be fitted, with the reason.
        parts: the partitions.
    """

    cohort: Cohort
    excluded: list[dict[str, str]]
    outcome: Mapping[str, str]
    table: FeatureTable
    fits: Fits
    refused: Mapping[str, str]
    parts: tuple[Partition, ...]


def store_results(study: Study, folder: Path, work: FinishedWork) -> None:
    """Write ``predictions.csv``, ``flow.json``, ``fit_log.jsonl`` and ``results.json``."""
    ledger = make_ledger(study, work.cohort, work.fits)
    write_text_atomic(folder / "predictions.csv", ledger.frame.to_csv(index=False, lineterminator="\n"))
    sets = {model: evaluate_model(ledger, model, recalibrated=_recalibrated(fits)) for model, fits in work.fits.items()}
    write_json(folder / "flow.json", _flow(study, work, sets))
    log = list(_fit_log(work.fits, salt=study.digest()))
    write_text_atomic(folder / "fit_log.jsonl", "".join(json.dumps(row, sort_keys=True) + "\n" for row in log))
    k_fold = study.split.method == "kfold"
    content = {
        "title": study.title,
        "outcome": work.outcome,
        "design": CROSS_VALIDATION if k_fold else "held-out",
        "mode": MODE,
        "n_patients": len(work.cohort),
        "n_positive": sum(int(case.outcome or 0) for case in work.cohort),
        "n_groups": len({case.group for case in work.cohort}),
        "n_folds": study.split.folds if k_fold else None,
        "n_repeats": study.split.repeats if k_fold else None,
        "centres": dict(sorted(Counter(case.centre for case in work.cohort).items())),
        "primary_model": max(work.fits, key=lambda name: len(study.models()[name])),
        "models": {model: _model(study, work, model, sets[model]) for model in work.fits},
        "refused": dict(work.refused),
        "fits_logged": sum(row["kind"] == "fit" for row in log),
        "held_out_seen": _overlap(work.fits, work.parts),
    }
    write_json(folder / "results.json", content)


def make_ledger(study: Study, cohort: Cohort, fits: Fits) -> Predictions:
    """Scores of all models; out-of-fold training scores only where one training set exists."""
    centre = {case.patient: case.centre for case in cohort}
    keep_training = study.split.method != "kfold"
    return Predictions.from_rows(
        {**row, "centre": centre[row["patient"]]}
        for results in fits.values()
        for result in results
        for row in result["scores"]
        if keep_training or row["set"] != TRAINING
    )


def _model(study: Study, work: FinishedWork, model: str, sets: Mapping[str, Any]) -> dict[str, Any]:
    sequences = study.models()[model]
    results = work.fits[model]
    patients = {row["patient"]: row["y_true"] for result in results for row in result["scores"]}
    return {
        "sequences": list(sequences),
        "n_patients": len(patients),
        "n_positive": sum(patients.values()),
        "n_candidates": sum(study.block_of(name) in sequences for name in work.table.features),
        "sets": sets,
        "fits": [result["fit"] for result in results],
        "unscored": [row for result in results for row in result["unscored"]],
        "stability": _stability(results),
    }


def _recalibrated(results: Sequence[Mapping[str, Any]]) -> bool:
    """Whether every fit found a recalibration curve, so that its scores count as probabilities."""
    return all(result["fit"]["recalibration"] is not None for result in results)


def _stability(results: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """How often each feature was chosen, where there are several fits; the most frequent first."""
    if len(results) < 2:
        return []
    counts = Counter(row["feature"] for result in results for row in result["fit"]["selected"])
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [{"feature": feature, "chosen": n, "of": len(results)} for feature, n in ranked]


def _flow(study: Study, work: FinishedWork, sets: Mapping[str, Any]) -> dict[str, Any]:
    primary = work.table.of_reader(*study.primary())
    models = {}
    for model, sequences in study.models().items():
        missing = [
            {"patient": case.patient, "reason": _why_missing(case.scans, lacking)}
            for case in work.cohort
            if (lacking := _lacking(study, primary, case.patient, sequences))
        ]
        sizes = {
            name: {"n": entry["n"], "n_positive": entry["n_positive"]} for name, entry in sets.get(model, {}).items()
        }
        models[model] = {
            "n": len(work.cohort) - len(missing),
            "missing": missing,
            "sets": sizes,
            "refused": work.refused.get(model, ""),
        }
    return {
        "manifest": len(work.cohort) + len(work.excluded),
        "analysed": len(work.cohort),
        "excluded": work.excluded,
        "models": models,
    }


def _lacking(study: Study, primary: Any, patient: str, sequences: Iterable[str]) -> list[str]:
    """Sequences or blocks of which a patient has no features."""
    if patient not in primary.index:
        return list(sequences)
    known = {study.block_of(name) for name in primary.columns[primary.loc[patient].notna().to_numpy()]}
    return [name for name in sequences if name not in known]


def _why_missing(scans: Mapping[str, Any], lacking: Iterable[str]) -> str:
    return ", ".join(f"{name}: no features (extraction failed)" if name in scans else f"no {name}" for name in lacking)


def _fit_log(fits: Fits, *, salt: str) -> Iterable[dict[str, Any]]:
    """One row a fitted step, after one row for each distinct set of patients, by hashed ids."""
    views: set[str] = set()
    for model, results in fits.items():
        for result in results:
            for record in result["log"]:
                hashed = sorted(_hashed(patient, salt) for patient in record["patients"])
                view = hashlib.sha256(" ".join(hashed).encode()).hexdigest()[:16]
                if view not in views:
                    views.add(view)
                    yield {"kind": "view", "view": view, "n": len(hashed), "patients": hashed}
                place = {name: result["fit"][name] for name in ("repeat", "fold")}
                yield {
                    "kind": "fit", "model": model, **place, "inner_fold": record["inner_fold"], "step": record["step"],
                    "view": view,
                }  # fmt: skip


def _hashed(patient: str, salt: str) -> str:
    return hashlib.sha256(f"{salt}:{patient}".encode()).hexdigest()[:16]


def _overlap(fits: Fits, parts: tuple[Partition, ...]) -> int:
    """Held-out patients that any fitted step of their partition saw; anything but 0 is a fault."""
    held_out = {(part.repeat, part.fold): part.held_out() for part in parts}
    return sum(
        len(held_out[result["fit"]["repeat"], result["fit"]["fold"]] & set(record["patients"]))
        for results in fits.values()
        for result in results
        for record in result["log"]
    )
