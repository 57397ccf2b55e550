"""A small, consistent run folder without images: a synthetic ledger through the real evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from fake_results import Fake, fake_results

from glottis.data.tables import Predictions
from glottis.io.files import write_text_atomic
from glottis.study.spec import study_from_dict
from glottis.study.store import write_json

TEXTURES = ("glcm_Contrast", "glcm_JointEntropy", "glrlm_RunPercentage", "firstorder_Skewness", "ngtdm_Coarseness")


def write_fake_run(
    folder: Path,
    *,
    title: str = "Staging on synthetic scans",
    sequences: tuple[str, ...] = ("T1WI", "T2WI"),
    tests: tuple[str, ...] = ("internal", "external"),
    n: int = 60,
    signal: float = 1.0,
    selected: int = 4,
    failures: int = 1,
    recalibrate: bool = True,
    pictures: bool = True,
    controls: bool = True,
    **blocks: Any,
) -> Path:
    """Write a run folder; no ``tests`` means repeated 5-fold cross-validation.

    ``blocks`` goes into the study file; what its ``model`` leaves out stays.
    """
    study = study_from_dict(_study(title, sequences, tests, recalibrate, blocks))
    rng = np.random.default_rng(7)
    patients = [f"P{i:03d}" for i in range(n)]
    truth = dict(zip(patients, (rng.random(n) < 0.45).astype(int).tolist(), strict=True))
    parts = _partitions(patients, tests)
    models = study.models()
    ledger = Predictions.from_rows(
        row for model in models for part in parts for row in _rows(rng, model, part, truth, signal)
    )
    features = [f"{s}_original_{t}" for s in sequences for t in TEXTURES]
    fake = Fake(
        study=study,
        ledger=ledger,
        parts=parts,
        truth=truth,
        features=features,
        selected=selected,
        controls=controls,
    )
    results = fake_results(fake)
    folder.mkdir(parents=True, exist_ok=True)
    write_text_atomic(folder / "study.yaml", yaml.safe_dump(study.resolved(), allow_unicode=True, sort_keys=False))
    write_json(folder / "identity.json", {"study": study.digest(), "title": title})
    write_json(folder / "results.json", results)
    write_json(folder / "checks.json", _checks())
    write_json(folder / "flow.json", _flow(results, failures))
    write_json(
        folder / "split.json",
        {
            "method": study.split.method,
            "digest": "ab" * 32,
            "analyses": 2,
            "partitions": parts,
        },
    )
    write_json(folder / "extraction.json", _extraction(sequences, failures))
    table = pd.DataFrame(rng.normal(size=(n, len(features))), columns=features)
    table.insert(0, "patient", patients)
    table.insert(1, "reader", "A")
    table.insert(2, "round", 1)
    table.to_parquet(folder / "features.parquet")
    write_text_atomic(folder / "predictions.csv", ledger.frame.to_csv(index=False, lineterminator="\n"))
    write_text_atomic(folder / "fit_log.jsonl", '{"model": "T1WI", "step": "variance", "n": 35, "overlap": 0}\n' * 6)
    write_json(
        folder / "provenance.json",
        {
            "versions": {"glottis": "0.1.0", "numpy": "2.3.1"},
            "glottis": "0.1.0",
            "study": "01" * 32,
            "python": "3.11.9",
            "platform": "Linux-x86_64",
            "cores": 2,
            "jobs": 2,
            "started": "2026-01-01T10:00:00",
            "finished": "2026-01-01T10:02:00",
            "seconds": {"features": 61.2, "models": 30.1},
            "inputs": {"manifest": "cd" * 32, "scans": 2 * 60},
            "random_state": 2025,
        },
    )
    if pictures:
        np.savez(folder / "masks.npz", **_pictures(patients[:20], sequences))
    return folder


def _study(
    title: str, sequences: tuple[str, ...], tests: tuple[str, ...], recalibrate: bool, blocks: dict[str, Any]
) -> dict[str, Any]:
    split: dict[str, Any] = {"method": "kfold", "folds": 5, "repeats": 3}
    if tests:
        split = {"method": "random" if "internal" in tests else "centre"}
        if "external" in tests:
            split["external"] = ["B"]
    return {
        "title": title,
        "manifest": "manifest.csv",
        "outcome": {"column": "stage", "positive": "III-IV"},
        "centre": "centre",
        "sequences": {
            name: {
                "image": f"{name}_image",
                "mask": f"{name}_mask",
                "repeats": [{"mask": f"{name}_second", "reader": "A", "round": 2}],
            }
            for name in sequences
        },
        "split": split,
        **blocks,
        "model": {"recalibrate": recalibrate, **blocks.get("model", {})},
    }


def _partitions(patients: list[str], tests: tuple[str, ...]) -> list[dict[str, Any]]:
    n = len(patients)
    if tests:
        cuts = np.linspace(n * 0.5, n, len(tests) + 1).astype(int)
        held = {name: patients[cuts[i] : cuts[i + 1]] for i, name in enumerate(tests)}
        return [{"repeat": 0, "fold": 0, "training": patients[: cuts[0]], "tests": held}]
    parts = []
    for repeat in range(3):
        order = list(np.random.default_rng(repeat).permutation(patients))
        for fold in range(5):
            held_out = sorted(order[fold::5])
            training = sorted(set(patients) - set(held_out))
            parts.append(
                {"repeat": repeat, "fold": fold, "training": training, "tests": {"cross-validation": held_out}}
            )
    return parts


def _rows(
    rng: np.random.Generator, model: str, part: dict[str, Any], truth: dict[str, int], signal: float
) -> list[dict[str, Any]]:
    sets = dict(part["tests"])
    if "cross-validation" not in sets:
        sets["training"] = part["training"]
    return [
        {
            "patient": patient,
            "centre": "B" if name == "external" else "A",
            "set": name,
            "repeat": part["repeat"],
            "fold": number % 5 if name == "training" else part["fold"],
            "mode": "rigorous",
            "model": model,
            "y_true": truth[patient],
            "y_score": float(1 / (1 + np.exp(-(signal * (truth[patient] - 0.5) + rng.normal())))),
            "threshold": 0.48,
        }
        for name, patients in sets.items()
        for number, patient in enumerate(patients)
    ]


def _checks() -> list[dict[str, Any]]:
    return [
        {
            "severity": "warning",
            "code": "small-mask",
            "message": "The mask's largest diameter is 4.1 mm.",
            "remedy": "Look at the mask sheet.",
            "patient": "P003",
            "sequence": "T1WI",
        },
        {
            "severity": "note",
            "code": "events-per-feature",
            "message": "27 events for 1702 candidate features.",
            "remedy": "Read every AUC with its interval.",
            "patient": None,
            "sequence": None,
        },
    ]


def _flow(results: dict[str, Any], failures: int) -> dict[str, Any]:
    excluded = [{"patient": f"X{i}", "reason": "outcome missing"} for i in range(2)]
    return {
        "manifest": results["n_patients"] + 2,
        "analysed": results["n_patients"],
        "excluded": excluded,
        "models": {
            name: {
                "n": model["n_patients"] - failures,
                "refused": "",
                "missing": [{"patient": f"P{i:03d}", "reason": "no T2WI mask"} for i in range(failures)],
                "sets": {s: {"n": v["n"], "n_positive": v["n_positive"]} for s, v in model["sets"].items()},
            }
            for name, model in results["models"].items()
        },
    }


def _extraction(sequences: tuple[str, ...], failures: int) -> dict[str, Any]:
    classes = {"shape": 14, "firstorder": 18, "glcm": 24, "glrlm": 16, "glszm": 16, "gldm": 14, "ngtdm": 5}
    filters = ["original", *(f"wavelet-{b}" for b in ("LLH", "LHL", "LHH", "HLL", "HLH", "HHL", "HHH", "LLL"))]
    return {
        "failures": [
            {
                "patient": f"P{i:03d}",
                "sequence": sequences[-1],
                "reader": "A",
                "round": 1,
                "reason": "The mask is empty: draw it.",
            }
            for i in range(failures)
        ],
        "warnings": [],
        "counts": [
            {"sequence": s, "filter": f, "class": c, "n": k}
            for s in sequences
            for f in filters
            for c, k in classes.items()
            if c != "shape" or f == "original"
        ],
        "bins": {s: {f: [31, 64, 128] if f == "original" else [6, 12, 40] for f in filters} for s in sequences},
    }


def _pictures(patients: list[str], sequences: tuple[str, ...]) -> dict[str, Any]:
    y, x = np.mgrid[:96, :96] - 48.0
    mask = (np.hypot(y * 1.3, x) < 22).astype(np.uint8)
    grey = np.clip(90 + 60 * np.cos(x / 9) + 40 * mask, 0, 255).astype(np.uint8)
    return {f"{patient}/{sequence}": np.stack([grey, mask]) for patient in patients for sequence in sequences}
