"""What a second scanner does to a radiomics model, and what normalisation gives back.

A synthetic cohort of two centres is studied twice: with the intensities as the scanners give them, and normalised by
z-score over the whole image. For each fitted model the script prints its external AUC with the interval, and its true
AUC: that of the same fitted model on fresh patients of the external centre.

usage: python benchmarks/scanner_effect.py [--patients 200] [--fresh 1000] [--jobs 2] [--work DIR] [--out FILE]
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from glottis import workflows
from glottis.data.cohort import MaskSource
from glottis.data.phantom import PhantomDesign, draw_patient, ideal_auc
from glottis.data.tables import FeatureTable
from glottis.evaluation import roc_auc
from glottis.io.files import write_text_atomic
from glottis.study.extraction import ScanTask, extract_scan
from glottis.study.fitting import fit_chain, units_of
from glottis.study.parallel import map_units
from glottis.study.run import run as run_study
from glottis.study.settings import case_settings
from glottis.study.spec import Study, read_study
from glottis.study.split import Partition
from glottis.study.store import read_json

SEED = 2026
BLOCKS: dict[str, dict[str, Any]] = {
    "as scanned": {"n4": None, "normalise": {"method": "none"}, "bins": {"width": 10}},
    "z-score": {"n4": None, "normalise": {"method": "zscore", "scale": 100}, "bins": {"width": 5}},
}


@dataclass(frozen=True)
class Fresh:
    """One fresh patient, to be drawn and measured under every study."""

    design: PhantomDesign
    index: int
    studies: Mapping[str, Study]


def features_of(fresh: Fresh) -> dict[str, Any]:
    """Outcome, ideal score and, by study, the features of one fresh patient."""
    patient = draw_patient(fresh.design, fresh.index)
    rows: dict[str, dict[str, float]] = {}
    for name, study in fresh.studies.items():
        rows[name] = {}
        for sequence, (image, mask) in patient.scans.items():
            task = ScanTask(
                patient=patient.truth.patient,
                sequence=sequence,
                image=image,
                masks=(MaskSource(source=mask),),
                settings=case_settings(study, sequence),
            )
            (row,) = extract_scan(task).rows
            rows[name] |= {f"{sequence}_{key}": value for key, value in row.features.items()}
    return {
        "patient": patient.truth.patient,
        "outcome": patient.truth.outcome,
        "score": patient.truth.score,
        "rows": rows,
    }


def study_of(folder: Path, name: str) -> Path:
    """Write the study file of one way to treat the scanner; original image only, the model of all sequences."""
    content = yaml.safe_load((folder / "study.yaml").read_text(encoding="utf-8"))
    content |= {
        "title": f"Two scanners, {name}",
        "features": {"wavelet": None},
        "preprocessing": {"MR": BLOCKS[name]},
        "combinations": [list(content["sequences"])],
    }
    path = folder / f"study-{name.replace(' ', '-')}.yaml"
    write_text_atomic(path, yaml.safe_dump(content, sort_keys=False))
    return path


def fitted_model(study: Study, run: Path) -> Any:
    """The model of a finished run, fitted again from its stored features: the same model, bit for bit."""
    table = FeatureTable(pd.read_parquet(run / "features.parquet"))
    ledger = pd.read_csv(run / "predictions.csv", dtype={"patient": str})
    (part,) = read_json(run / "split.json")["partitions"]
    outcome = ledger.drop_duplicates("patient").set_index("patient")["y_true"]
    partition = Partition(
        repeat=0, fold=0, training=tuple(part["training"]), tests={k: tuple(v) for k, v in part["tests"].items()}
    )
    (model,) = study.models()
    groups = pd.Series(outcome.index, index=outcome.index)
    (unit,) = units_of(study, table, (partition,), model=model, outcome=outcome, groups=groups, cache=run / "cache")
    return fit_chain(unit)


def compare(work: Path, *, patients: int, fresh: int, jobs: int) -> list[str]:
    """Run both studies, measure both models on fresh patients, and give the lines of the table."""
    workflows.phantom(work, patients=patients, seed=SEED)
    design = PhantomDesign(n_patients=patients, seed=SEED)
    external = design.centres[-1].centre
    studies = {name: read_study(study_of(work, name)) for name in BLOCKS}
    runs = {
        name: run_study(study, work / f"run-{number}", jobs=jobs)
        for number, (name, study) in enumerate(studies.items())
    }
    indices = (i for i in range(patients, 10**6) if design.scanner_of(i).centre == external)
    tasks = [Fresh(design, next(indices), studies) for _ in range(fresh)]
    drawn = map_units(features_of, tasks, jobs=jobs, stage="fresh", progress=_say)
    truth = pd.DataFrame(drawn)
    lines = [
        "| intensities | internal AUC (95% CI) | external AUC (95% CI) | "
        f"true external AUC ({fresh} fresh patients of centre {external}; 95% CI) |",
        "|---|---|---|---|",
    ]
    for name, study in studies.items():
        (entry,) = read_json(runs[name] / "results.json")["models"].values()
        rows = pd.DataFrame([row["rows"][name] for row in drawn], index=truth["patient"])
        scores = fitted_model(study, runs[name]).predict_proba(rows)[:, 1]
        true = roc_auc(truth["outcome"], scores).interval
        cells = [_cell(entry["sets"][s]["auc"]["interval"]) for s in ("internal", "external")]
        lines.append(f"| {name} | {' | '.join(cells)} | {_cell(true.to_dict())} |")
    best = ideal_auc(truth)
    lines += [
        "",
        f"The generator's own log-odds have AUC {best:.3f} on the fresh patients; no fitted model can know them.",
    ]
    return lines


def _cell(interval: Mapping[str, Any]) -> str:
    return f"{interval['value']:.3f} ({interval['low']:.3f} to {interval['high']:.3f})"


def _say(stage: str, done: int, total: int) -> None:
    if done % 100 == 0:
        print(f"{stage}: {done} of {total}", flush=True)


def main() -> None:
    """Parse the arguments, compare, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=200)
    parser.add_argument("--fresh", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--work", type=Path, help="folder for cohort and runs; kept, so that a stopped run goes on")
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks/scanner_effect.md"))
    options = parser.parse_args()
    work = partial(compare, patients=options.patients, fresh=options.fresh, jobs=options.jobs)
    if options.work is not None:
        lines = work(options.work)
    else:
        with tempfile.TemporaryDirectory() as folder:
            lines = work(Path(folder))
    text = "\n".join(
        [
            "# A second scanner",
            "",
            f"Written by `benchmarks/scanner_effect.py`: {options.patients} synthetic patients of two centres "
            f"(seed {SEED}), original-image features of three sequences, random forest. Centre 2 has another gain, "
            "offset, noise and bias field.",
            "",
            *lines,
        ]
    )
    write_text_atomic(options.out, text + "\n")
    print(text)


if __name__ == "__main__":
    main()
