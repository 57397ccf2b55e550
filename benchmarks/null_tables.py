"""Null feature tables through the real chain: labels that know nothing must give a mean AUC of one half.

python benchmarks/null_tables.py --tables 200 --jobs 2 --cache null_tables.json
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from scipy import stats

from glottis.evaluation import roc_auc
from glottis.modelling import TunedChain
from glottis.selection import ICCFilter, radiomics_chain

SEED = 20250901
N_TRAINING, N_TEST, N_FEATURES, N_READ = 50, 97, 300, 40
N_TEST_POSITIVE = 49
BAR = 0.015
PAGE = Path(__file__).parents[1] / "docs" / "benchmarks" / "null_tables.md"


def null_table(number: int) -> tuple[pd.DataFrame, pd.Series, dict[str, pd.DataFrame]]:
    """Correlated features of training and test patients, labels drawn apart from them, two tables of repeats."""
    rng = np.random.default_rng([SEED, number])
    n = N_TRAINING + N_TEST
    patients = pd.Index([f"P{i:03d}" for i in range(n)], name="patient")
    hidden = rng.standard_normal((n, 30))
    values = hidden @ rng.standard_normal((30, N_FEATURES)) / math.sqrt(30) + 0.5 * rng.standard_normal((n, N_FEATURES))
    values[:, ::3] = np.exp(values[:, ::3])  # a third is skewed, as energies and variances are
    X = pd.DataFrame(values, index=patients, columns=[f"feature_{i:03d}" for i in range(N_FEATURES)])
    sizes = ((N_TRAINING, N_TRAINING // 2), (N_TEST, N_TEST_POSITIVE))
    labels = [rng.permutation(np.arange(size) < positive) for size, positive in sizes]
    y = pd.Series(np.concatenate(labels).astype(int), index=patients, name="outcome")
    read = patients[np.sort(rng.choice(n, N_READ, replace=False))]
    noise = rng.uniform(0.05, 1.0, N_FEATURES) * X.std().to_numpy()
    repeats = {kind: X.loc[read] + noise * rng.standard_normal((N_READ, N_FEATURES)) for kind in ("intra", "inter")}
    return X, y, repeats


def test_auc(number: int) -> tuple[int, float, float]:
    """AUC of one null table's test patients, and the CPU seconds it took."""
    start = time.process_time()
    X, y, repeats = null_table(number)
    training = X.index[:N_TRAINING]
    model = TunedChain(radiomics_chain(ICCFilter(repeats), random_state=number), random_state=number)
    model.fit(X.loc[training], y.loc[training])
    test = X.index[N_TRAINING:]
    auc = roc_auc(y.loc[test], model.predict_proba(X.loc[test])[:, 1]).value
    return number, auc, time.process_time() - start


def read_cache(path: Path | None) -> dict[int, float]:
    if path is None or not path.exists():
        return {}
    return {int(number): auc for number, auc in json.loads(path.read_text(encoding="utf-8")).items()}


def write_cache(path: Path | None, aucs: dict[int, float]) -> None:
    if path is not None:
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(dict(sorted(aucs.items()))), encoding="utf-8")
        os.replace(partial, path)


def page(aucs: list[float]) -> str:
    n_negative = N_TEST - N_TEST_POSITIVE
    sd = math.sqrt((N_TEST + 1) / (12 * N_TEST_POSITIVE * n_negative))
    expected = sd / math.sqrt(len(aucs))
    failing = 2 * stats.norm.sf(BAR / expected)
    mean, se = float(np.mean(aucs)), float(np.std(aucs, ddof=1) / math.sqrt(len(aucs)))
    verdict = "within" if abs(mean - 0.5) <= BAR else "NOT within"
    seen = float(np.std(aucs, ddof=1))
    return f"""# Null tables

{len(aucs)} feature tables whose labels know nothing of the features go through the whole chain: variance, ICC,
Spearman, z-score, LASSO, recursive elimination, random forest tuned over its default grid. Each has {N_TRAINING}
training patients ({N_TRAINING // 2} of class 1), {N_TEST} test patients ({N_TEST_POSITIVE} of class 1),
{N_FEATURES} correlated features and two tables of repeats for {N_READ} patients.
Table i is drawn from the seed ({SEED}, i); the seeds were fixed before the first run.
Labels are shuffled within the training and within the test set.

| tables | mean test AUC | standard error | bar | verdict |
|---|---|---|---|---|
| {len(aucs)} | {mean:.4f} | {se:.4f} | 0.5 ± {BAR:g} | {verdict} the bar |

The test AUC of a model that learnt nothing has the standard deviation sqrt((n1 + n0 + 1) / (12 n1 n0)) = {sd:.4f},
whatever the model; seen: {seen:.4f}. The mean of {len(aucs)} has the standard error {expected:.4f}, so a correct
program misses the bar with probability {failing:.1g}. The mean does not see small leaks such as scaling: the
planted-marker tests in `tests/laws` are the guard there.

Made by `python benchmarks/null_tables.py --tables {len(aucs)}`.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--cache", type=Path, default=None, help="file that keeps finished AUCs")
    parser.add_argument("--out", type=Path, default=PAGE, help="page to write")
    given = parser.parse_args()
    aucs = read_cache(given.cache)
    open_tables = [number for number in range(given.tables) if number not in aucs]
    work = Parallel(n_jobs=given.jobs, return_as="generator_unordered")(map(delayed(test_auc), open_tables))
    for number, auc, seconds in work:
        aucs[number] = auc
        write_cache(given.cache, aucs)
        print(f"table {number}: AUC {auc:.4f} ({seconds:.1f} s CPU)", flush=True)
    text = page([aucs[number] for number in range(given.tables)])
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
