"""Time the statistics against the libraries that are usually called, in one run on one core.

python benchmarks/statistics_speed.py [--repeats N] [--out FILE]

Competitors that are not installed are skipped with a word: pingouin and MLstatkit are no dependencies of glottis.
Both sides get the same arrays, and their answers are compared. Times are CPU seconds, so that a busy machine slows
both sides alike.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import platform
import statistics
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

from glottis.evaluation import bootstrap_ci, delong_test, icc, roc_auc
from glottis.selection.redundancy import SpearmanFilter

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks" / "statistics.md"
SEED = 20250902


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    task: str
    ours: float
    other: str
    theirs: float | None
    agreement: str


def seconds(call: Callable[[], Any], repeats: int) -> tuple[float, Any]:
    """Median CPU time, and what the call returned."""
    times, result = [], None
    for _ in range(repeats):
        start = time.process_time()
        result = call()
        times.append(time.process_time() - start)
    return statistics.median(times), result


def scores(n: int, n_models: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(SEED)
    y = np.arange(n) % 2
    return y, 1 / (1 + np.exp(-(y + rng.standard_normal((n_models, n)))))


def delong_by_comparisons(y: np.ndarray, first: np.ndarray, second: np.ndarray) -> float:
    """Two-sided z of DeLong's test from every pair of patients, in blocks that fit into memory."""
    parts = []
    for score in (first, second):
        positive, negative = score[y == 1], score[y == 0]
        of_positives, of_negatives = np.empty(positive.size), np.zeros(negative.size)
        for start in range(0, positive.size, 500):
            block = positive[start : start + 500, None]
            wins = (block > negative) + 0.5 * (block == negative)
            of_positives[start : start + 500] = wins.mean(axis=1)
            of_negatives += wins.sum(axis=0)
        parts.append((of_positives, of_negatives / positive.size))
    (a, b), (c, d) = parts
    se = np.sqrt((a - c).var(ddof=1) / a.size + (b - d).var(ddof=1) / b.size)
    return float((a.mean() - c.mean()) / se)


def delong_rows(repeats: int) -> list[Row]:
    y, (first, second) = scores(100_000, 2)
    ours, test = seconds(lambda: delong_test(y, first, second), repeats)
    naive, z = seconds(lambda: delong_by_comparisons(y, first, second), 1)
    task = "DeLong's paired test, 100,000 patients"
    rows = [Row(task, ours, "every pair compared (NumPy)", naive, f"z differs by {abs(z - test.statistic):.0e}")]
    try:
        from MLstatkit import Delong_test
    except ImportError:
        rows.append(Row(task, ours, "MLstatkit", None, "not installed: skipped"))
    else:
        theirs, answer = seconds(lambda: Delong_test(y, first, second), repeats)
        rows.append(Row(task, ours, "MLstatkit", theirs, f"z differs by {abs(-answer[0] - test.statistic):.0e}"))
    single, auc = seconds(lambda: roc_auc(y, first), repeats)
    plain, value = seconds(lambda: roc_auc_score(y, first), repeats)
    same = f"AUC differs by {abs(value - auc.value):.0e}"
    rows.append(Row("AUC with both intervals, 100,000 patients", single, "scikit-learn, AUC alone", plain, same))
    return rows


def icc_row(repeats: int) -> Row:
    rng = np.random.default_rng(SEED)
    n_features, n_subjects, n_raters = 1400, 40, 3
    size = (n_features, n_subjects, n_raters)
    values = rng.standard_normal((n_features, n_subjects, 1)) * rng.uniform(0.2, 3, (n_features, 1, 1))
    values = values + rng.standard_normal(size)
    ours, result = seconds(lambda: icc(values), repeats)
    task = "ICC(2,1) with interval, 1,400 features x 40 patients x 3 readers"
    try:
        import pingouin
    except ImportError:
        return Row(task, ours, "pingouin", None, "not installed: skipped")
    subject, reader = (index.ravel() for index in np.indices(size[1:]))

    def one_by_one() -> list[float]:
        answers = []
        for feature in values:
            table = pd.DataFrame({"subject": subject, "reader": reader, "value": feature.ravel()})
            found = pingouin.intraclass_corr(table, targets="subject", raters="reader", ratings="value")
            answers.append(float(found["ICC"].iloc[1]))
        return answers

    theirs, answers = seconds(one_by_one, 1)
    return Row(task, ours, "pingouin", theirs, f"ICC differs by {np.abs(result.value - answers).max():.0e}")


def bootstrap_row(repeats: int) -> Row:
    y, (score,) = scores(300, 1)
    ours, result = seconds(lambda: bootstrap_ci(y, score, n_resamples=2000), repeats)

    def loop() -> np.ndarray:
        rng = np.random.default_rng(SEED)
        classes = [np.flatnonzero(y == label) for label in (0, 1)]
        values = []
        for _ in range(2000):
            rows = np.concatenate([rng.choice(rows, rows.size) for rows in classes])
            values.append(roc_auc_score(y[rows], score[rows]))
        return np.quantile(values, [0.025, 0.975])

    theirs, limits = seconds(loop, 1)
    apart = max(abs(limits[0] - result.low), abs(limits[1] - result.high))
    task = "bootstrap of an AUC, 2,000 resamples of 300 patients"
    return Row(task, ours, "loop over scikit-learn", theirs, f"limits differ by {apart:.1e} (other draws)")


def spearman_row(repeats: int) -> Row:
    rng = np.random.default_rng(SEED)
    hidden = rng.standard_normal((300, 200)) @ rng.standard_normal((200, 4000)) / 14 + rng.standard_normal((300, 4000))
    hidden[:, 1::4] = hidden[:, ::4] + 0.1 * rng.standard_normal((300, 1000))
    table = pd.DataFrame(hidden, columns=[f"f{i}" for i in range(4000)])
    ours, fitted = seconds(lambda: SpearmanFilter(0.9).fit(table), repeats)

    def by_pandas() -> list[str]:
        rho = table.corr(method="spearman").abs().to_numpy()
        alive = np.ones(4000, dtype=bool)
        for at in range(4000):
            if alive[at]:
                alive[at + 1 :] &= rho[at, at + 1 :] <= 0.9
        return table.columns[alive].tolist()

    theirs, kept = seconds(by_pandas, 1)
    same = "the same features stay" if kept == list(fitted.names_kept_) else "OTHER FEATURES STAY"
    return Row("Spearman filter, 4,000 features x 300 patients", ours, "pandas `corr`", theirs, same)


def page(rows: list[Row]) -> str:
    lines = []
    for row in rows:
        theirs = "-" if row.theirs is None else f"{row.theirs:.3f} s"
        ratio = "-" if row.theirs is None else f"{row.theirs / row.ours:.1f}"
        lines.append(f"| {row.task} | {row.ours:.4f} s | {row.other} | {theirs} | {ratio} | {row.agreement} |")
    names = ("numpy", "scipy", "pandas", "scikit-learn", "pingouin", "MLstatkit")
    versions = ", ".join(f"{name} {found}" for name in names if (found := _version(name)))
    return f"""# Statistics on one core

Written by `benchmarks/statistics_speed.py`: CPU seconds of one thread, all in one run; the median of repeats, one run
of what is slow. The data are generated (seed {SEED}).
{_processor()}, Python {platform.python_version()}, {versions}.

| task | glottis | other | time | ratio | answers |
|---|---|---|---|---|---|
{chr(10).join(lines)}
"""


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return platform.machine()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path, default=PAGE)
    given = parser.parse_args()
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the competitors' own
        rows = [*delong_rows(given.repeats)]
        rows += [make(given.repeats) for make in (icc_row, bootstrap_row, spearman_row)]
    text = page(rows)
    given.out.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
