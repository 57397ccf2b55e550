"""Time the chains of a radiomics study, against pandas, pingouin and scikit-learn, and what permutations add.

python benchmarks/modelling.py [--parts seven filters chain controls] [--results FILE] [--out FILE]

Results of each part are kept in a file, from which the page is written, so that parts can be run apart. pingouin is no
dependency: the parts that need it are left out with a word where it is not installed. Times are CPU seconds of one
thread, save the wall time of the seven fits on two workers.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import statistics
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from glottis.selection import ICCFilter, SpearmanFilter
from modelling_page import page
from modelling_permutations import controls, seconds, unfitted
from modelling_plain import chain, greedy, reproducible, upper_triangle
from modelling_tables import BLOCKS, COMBINATIONS, columns, shape_of, study

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks" / "modelling.md"


def one_combination(names: tuple[str, ...]) -> dict[str, Any]:
    """Fit one combination in a worker; the table is generated there, outside of the time."""
    X, y, repeats = study()
    part = X[columns(names)]
    took, model = seconds(lambda: unfitted(repeats).fit(part, y))
    return {
        "names": names,
        "seconds": took,
        "inner": model.inner_auc_,
        "kept": [part.shape[1], *(len(model.kept_[step]) for step in ("icc", "spearman", "lasso", "rfe"))],
    }


def seven() -> dict[str, Any]:
    """Seven fits, the largest first, on two workers."""
    with Parallel(n_jobs=2) as workers:
        workers(delayed(study)() for _ in range(2))  # starts the workers
        start = time.perf_counter()
        fits = workers(delayed(one_combination)(names) for names in reversed(COMBINATIONS))
        wall = time.perf_counter() - start
        return {"wall": wall, "load": os.getloadavg()[0], "fits": fits[::-1]}


def ours(X: pd.DataFrame, repeats: Mapping[str, pd.DataFrame]) -> tuple[list[str], list[str]]:
    reproduced = ICCFilter(repeats).fit(X)
    return reproduced.names_kept_, SpearmanFilter(0.9).fit(reproduced.transform(X)).names_kept_


def filters(rounds: int = 3) -> dict[str, Any]:
    """ICC and Spearman of 2,589 features, both sides in turn."""
    X, _, repeats = study()
    times: dict[str, list[float]] = {name: [] for name in ("ours", "icc", "spearman", "ours icc")}
    for _ in range(rounds):
        took, (reproduced, kept) = seconds(lambda: ours(X, repeats))
        times["ours"].append(took)
        times["ours icc"].append(seconds(lambda: ICCFilter(repeats).fit(X))[0])
        took, theirs = seconds(lambda: reproducible(X, repeats))
        times["icc"].append(took)
        took, usual = seconds(lambda: upper_triangle(X[theirs]))  # noqa: B023  called at once
        times["spearman"].append(took)
    return {
        **{name: statistics.median(values) for name, values in times.items()},
        "rounds": rounds,
        "same icc": reproduced == theirs,
        "same": kept == greedy(X[theirs]),
        "n": [len(theirs), len(kept), len(usual)],
    }


def whole_chain() -> list[dict[str, Any]]:
    """One block through both chains, with the ICC filter and without it."""
    X, y, repeats = study()
    part, rows = X[columns(BLOCKS[:1])], []
    for given in (None, repeats):
        times = []
        for _ in range(3):
            took, model = seconds(lambda: unfitted(given).fit(part, y))  # noqa: B023  called at once
            times.append(took)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            theirs, found = seconds(lambda: chain(part, y, given))  # noqa: B023  called at once
        rows.append(
            {
                "icc": given is not None,
                "ours": statistics.median(times),
                "theirs": theirs,
                "same features": model.selected_ == found["kept"],
                "same point": model.best_params_ == found["point"],
                "inner": model.inner_auc_ - found["inner"],
                "scores": float(np.abs(model._raw(part) - found["score"]).max()),
            }
        )
    return rows


def about() -> dict[str, Any]:
    """Machine, versions, and how correlated the table is."""
    names = ("numpy", "scipy", "pandas", "scikit-learn", "pingouin")
    versions = []
    for name in names:
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    models = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    X, _, _ = study()
    blocks = [X[columns((block,))] for block in BLOCKS]
    return {
        "machine": f"{models[0] if models else platform.machine()}, Python {platform.python_version()}, "
        + ", ".join(versions),
        "blocks": [{**shape_of(part), "kept": len(SpearmanFilter(0.9).fit(part).names_kept_)} for part in blocks],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parts = ("seven", "filters", "chain", "controls")
    parser.add_argument("--parts", nargs="*", default=parts, choices=parts)
    parser.add_argument("--results", type=Path, default=Path("modelling.json"), help="file that keeps results of parts")
    parser.add_argument("--out", type=Path, default=PAGE)
    given = parser.parse_args()
    results = json.loads(given.results.read_text(encoding="utf-8")) if given.results.exists() else {}
    tasks: dict[str, Callable[[], Any]] = {
        "seven": seven,
        "filters": filters,
        "chain": whole_chain,
        "controls": controls,
    }
    results["about"] = about()
    for name in given.parts:
        try:
            with threadpool_limits(1):
                results[name] = tasks[name]()
        except ModuleNotFoundError as missing:
            print(f"{name} is left out: {missing}")
        given.results.write_text(json.dumps(results, indent=1), encoding="utf-8")
        print(name, results.get(name), flush=True)
    given.out.write_text(page(results), encoding="utf-8")


if __name__ == "__main__":
    main()
