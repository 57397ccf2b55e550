"""From finished fits to the ledger, the flow of patients, the fit log and ``results.json``."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from glottis.data.cohort import Cohort
from glottis.data.tables import FeatureTable, Predictions
from glottis.io.files import write_text_atomic
from glottis.study.against import compared_models, difference, permutation_results, proof, rows_of
from glottis.study.evaluate import evaluate_model
from glottis.study.model_entry import model_entry
from glottis.study.primary import Primary
from glottis.study.spec import Study
from glottis.study.split import CROSS_VALIDATION, TRAINING, Partition
from glottis.study.store import write_json

Fits = Mapping[str, Sequence[Mapping[str, Any]]]
MODES = ("rigorous", "control", "as_published")


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
        primary: the primary model.
        controls: likewise the simple models'.
        control_columns: what each of them sees.
        absent_controls: controls that the study cannot have, with the reason.
        shuffled: number of a permutation, and held-out AUC by set of one partition.
        shuffled_partitions: repeat and fold of the partitions that permutations went through.
        as_published: the primary model's fits in the way of papers, where the study asks for them.
        harmonisation: the batch effect, for ``results.json``.
    """

    cohort: Cohort
    excluded: list[dict[str, str]]
    outcome: Mapping[str, str]
    table: FeatureTable
    fits: Fits
    refused: Mapping[str, str]
    parts: tuple[Partition, ...]
    primary: Primary
    controls: Fits = field(default_factory=dict)
    control_columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    absent_controls: Sequence[Mapping[str, str]] = ()
    shuffled: Sequence[tuple[int, Mapping[str, float | None]]] = ()
    shuffled_partitions: set[tuple[int, int]] = field(default_factory=set)
    as_published: Fits = field(default_factory=dict)
    harmonisation: Mapping[str, Any] | None = None

    def of_mode(self, mode: str) -> Fits:
        """Fits by model of one mode."""
        return {"rigorous": self.fits, "control": self.controls, "as_published": self.as_published}[mode]


def store_results(study: Study, folder: Path, work: FinishedWork) -> None:
    """Write ``predictions.csv``, ``flow.json``, ``fit_log.jsonl`` and ``results.json``."""
    ledger = make_ledger(study, work)
    write_text_atomic(folder / "predictions.csv", ledger.frame.to_csv(index=False, lineterminator="\n"))
    evaluated = {
        mode: {model: _evaluated(study, ledger, model, mode, fits) for model, fits in work.of_mode(mode).items()}
        for mode in MODES
    }
    sets = evaluated["rigorous"]
    write_json(folder / "flow.json", _flow(study, work, sets))
    log = [row for mode in MODES for row in _fit_log(work.of_mode(mode), mode, salt=study.digest())]
    write_text_atomic(folder / "fit_log.jsonl", "".join(json.dumps(row, sort_keys=True) + "\n" for row in log))
    honest = {**work.fits, **work.controls}
    crossed = study.split.crossed
    content = {
        "title": study.title,
        "outcome": work.outcome,
        "design": CROSS_VALIDATION if crossed else "held-out",
        "mode": "rigorous",
        "n_patients": len(work.cohort),
        "n_positive": sum(int(case.outcome or 0) for case in work.cohort),
        "n_groups": len({case.group for case in work.cohort}),
        "n_folds": study.split.folds if study.split.method == "kfold" else None,
        "n_repeats": study.split.repeats if crossed else None,
        "test_fraction": study.split.test_fraction if study.split.method == "repeated" else None,
        "centres": dict(sorted(Counter(case.centre for case in work.cohort).items())),
        "primary_model": work.primary.model,
        "primary_reason": work.primary.reason,
        "models": {
            model: model_entry(study, model, work.fits[model], sets[model], features=work.table.features)
            for model in work.fits
        },
        "refused": dict(work.refused),
        "controls": _controls(study, ledger, work, evaluated["control"]),
        "comparisons": {} if crossed else compared_models(ledger, list(work.fits)),
        "as_published": _as_published(study, work, evaluated["as_published"]),
        "harmonisation": work.harmonisation,
        "proof": [row for mode in MODES for row in proof(work.of_mode(mode), work.parts, mode)],
        "fits_logged": sum(row["kind"] == "fit" and row["mode"] != "as_published" for row in log),
        "held_out_seen": _overlap(honest, work.parts),
    }
    write_json(folder / "results.json", content)


def _evaluated(study: Study, ledger: Predictions, model: str, mode: str, fits: Sequence[Any]) -> dict[str, Any]:
    return evaluate_model(rows_of(ledger, model, mode), recalibrated=_probabilities(fits), test_share=test_share(study))


def test_share(study: Study) -> float | None:
    """Test over training size of repeated splits; ``None`` where the folds tell it."""
    fraction = study.split.test_fraction
    return fraction / (1 - fraction) if study.split.method == "repeated" else None


def _controls(study: Study, ledger: Predictions, work: FinishedWork, sets: Mapping[str, Any]) -> dict[str, Any]:
    primary = work.primary.model
    alone = []
    for name, fits in work.controls.items():
        differences = {
            set_: difference(ledger, primary, name, set_, test_share=test_share(study))
            for set_ in sets[name]
            if set_ != TRAINING
        }
        notes = dict.fromkeys(note for result in fits for note in result["fit"]["notes"])
        alone.append(
            {
                "name": name,
                "columns": list(work.control_columns[name]),
                "sets": sets[name],
                "differences": {set_: found for set_, found in differences.items() if found is not None},
                "notes": list(notes),
            }
        )
    return {
        "permutation": permutation_results(ledger, primary, work.shuffled, work.shuffled_partitions),
        "alone": alone,
        "absent": list(work.absent_controls),
    }


def _as_published(study: Study, work: FinishedWork, sets: Mapping[str, Any]) -> dict[str, Any] | None:
    if not work.as_published:
        return None
    model = next(iter(work.as_published))
    return {"model": model, "how": list(study.as_published), "sets": sets[model]}


def make_ledger(study: Study, work: FinishedWork) -> Predictions:
    """Scores of all models in all modes; out-of-fold training scores only where one training set exists."""
    centre = {case.patient: case.centre for case in work.cohort}
    keep_training = not study.split.crossed
    return Predictions.from_rows(
        {**row, "centre": centre[row["patient"]]}
        for mode in MODES
        for results in work.of_mode(mode).values()
        for result in results
        for row in result["scores"]
        if keep_training or row["set"] != TRAINING
    )


def _probabilities(results: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the scores of every fit count as probabilities."""
    return all(result["fit"]["probabilities"] for result in results)


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


def _fit_log(fits: Fits, mode: str, *, salt: str) -> Iterable[dict[str, Any]]:
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
                    "kind": "fit", "mode": mode, "model": model, **place, "inner_fold": record["inner_fold"],
                    "step": record["step"], "view": view,
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
