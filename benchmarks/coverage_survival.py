"""How often the 95% intervals of C and of the time-dependent AUC hold the true value, over simulated cohorts.

python benchmarks/coverage_survival.py --runs 5000 --jobs 1 --cache coverage_survival.json
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from functools import lru_cache
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from scipy import optimize, stats

from glottis.evaluation import roc_auc
from glottis.evaluation.concordance import concordance_index
from glottis.evaluation.interval import Interval
from glottis.evaluation.time_auc import time_dependent_auc

SEED = 20250902
SIZES = (97, 401)
TRUE_C = (0.60, 0.70, 0.80, 0.90)
LEAST = 0.92
N_TRUTH, TRUTHS = 100_000, 5
INTERVALS = ("Harrell, logit", "Harrell, Wald", "Uno, logit", "Uno, Wald", "AUC(t), logit", "AUC(t), Wald")
JUDGED = "Harrell, logit"
PAGE = Path(__file__).parents[1] / "docs" / "benchmarks" / "coverage_survival.md"

Cohort = tuple[np.ndarray, np.ndarray, np.ndarray]


def log_hazard_ratio(c: float) -> float:
    """Of a standard deviation of a normal risk, for C without censoring: the mean of 1 / (1 + exp(-b |difference|))."""
    x = np.linspace(0, 12, 4001)
    density = 2 * stats.norm.pdf(x, scale=math.sqrt(2))
    return float(optimize.brentq(lambda b: np.trapezoid(density / (1 + np.exp(-b * x)), x) - c, 0.01, 30))


def cohort(n: int, b: float, rng: np.random.Generator) -> Cohort:
    """Times without censoring, times of censoring (of the same distribution: half are events), risks."""
    risk, other = rng.standard_normal((2, n))
    return rng.exponential(np.exp(-b * risk)), rng.exponential(np.exp(-b * other)), risk


@lru_cache
def truths(c: float) -> dict[str, float]:
    """True values at this C, and the times used: tau of Uno's C, and the time of the AUC."""
    b, rng = log_hazard_ratio(c), np.random.default_rng([SEED, round(100 * c)])
    times = cohort(1_000_000, b, rng)[0]
    tau, at = (float(np.quantile(times, share)) for share in (0.7, 0.5))
    values: dict[str, list[float]] = {"harrell": [], "uno": [], "auc": []}
    for _ in range(TRUTHS):
        free, end, risk = cohort(N_TRUTH, b, rng)
        values["harrell"].append(concordance_index(np.minimum(free, end), free <= end, risk).value)
        values["uno"].append(concordance_index(free, np.ones(N_TRUTH), risk, tau=tau).value)
        values["auc"].append(roc_auc(free <= at, risk).value)
    return {name: float(np.mean(each)) for name, each in values.items()} | {"b": b, "tau": tau, "at": at}


def held(interval: Interval, truth: float) -> int | None:
    return None if interval.low is None else int(interval.low <= truth <= interval.high)


def cell(n: int, c: float, runs: int) -> dict[str, list[int | None]]:
    """For each cohort and interval: 1 where it held the truth, 0 where not, None where there were no limits."""
    true = truths(c)
    found: dict[str, list[int | None]] = {name: [] for name in INTERVALS}
    for run in range(runs):
        free, end, risk = cohort(n, true["b"], np.random.default_rng([SEED, n, round(100 * c), run]))
        data = np.minimum(free, end), free <= end, risk
        harrell = concordance_index(*data)
        uno = concordance_index(*data, method="uno", tau=true["tau"])
        point = time_dependent_auc(*data, true["at"]).points[0]
        pairs = (("Harrell", harrell, true["harrell"]), ("Uno", uno, true["uno"]), ("AUC(t)", point, true["auc"]))
        for name, result, truth in pairs:
            found[f"{name}, logit"].append(held(result.interval, truth))
            found[f"{name}, Wald"].append(held(result.wald, truth))
    return found


def timed_cell(n: int, c: float, runs: int) -> tuple[str, dict[str, list[int | None]], float]:
    start = time.process_time()
    return key(n, c, runs), cell(n, c, runs), time.process_time() - start


def key(n: int, c: float, runs: int) -> str:
    return f"{n} {c:.2f} {runs}"


def read_cache(path: Path | None) -> dict[str, dict[str, list[int | None]]]:
    return json.loads(path.read_text(encoding="utf-8")) if path is not None and path.exists() else {}


def write_cache(path: Path | None, cells: dict[str, dict[str, list[int | None]]]) -> None:
    if path is not None:
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(dict(sorted(cells.items()))), encoding="utf-8")
        os.replace(partial, path)


def page(cells: dict[str, dict[str, list[int | None]]], runs: int) -> str:
    lines, judged, without = [], [], 0
    for n in SIZES:
        for c in TRUE_C:
            found = cells[key(n, c, runs)]
            rates = [float(np.mean([item for item in found[name] if item is not None])) for name in INTERVALS]
            without += sum(item is None for name in INTERVALS for item in found[name])
            judged.append(rates[INTERVALS.index(JUDGED)])
            lines.append(f"| {n} | {c:.2f} | " + " | ".join(f"{rate:.3f}" for rate in rates) + " |")
    verdict = "met" if min(judged) >= LEAST else "NOT met"
    error = math.sqrt(0.95 * 0.05 / runs)
    return f"""# Coverage of C and of the time-dependent AUC

Share of {runs:,} simulated cohorts whose 95% interval holds the true value. A normal risk sets a constant hazard, so
that C without censoring is the value of the second column; censoring has the distribution of the events, so that half
of the patients have one. Uno's C counts events to the 70th percentile of the times, the AUC is that of an event by the
median. True values are means over {TRUTHS} cohorts of {N_TRUTH:,}. Cohort i is drawn from the seed
({SEED}, n, 100 C, i).

| n | C | {" | ".join(INTERVALS)} |
|---|---|{"---|" * len(INTERVALS)}
{chr(10).join(lines)}

The standard error of a share is {error:.4f}. Bar: {JUDGED} holds the true value in at least {LEAST:.0%}: {verdict}
(least {min(judged):.3f}). Intervals that were not estimable: {without} of {runs * len(INTERVALS) * len(lines):,}.

Made by `python benchmarks/coverage_survival.py --runs {runs}`.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5000)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--cache", type=Path, default=None, help="file that keeps finished cells")
    parser.add_argument("--out", type=Path, default=PAGE, help="page to write")
    given = parser.parse_args()
    cells = read_cache(given.cache)
    wanted = [(n, c) for c in TRUE_C for n in SIZES if key(n, c, given.runs) not in cells]
    work = Parallel(n_jobs=given.jobs, return_as="generator_unordered")(
        delayed(timed_cell)(n, c, given.runs) for n, c in wanted
    )
    for name, found, seconds in work:
        cells[name] = found
        write_cache(given.cache, cells)
        print(f"cell {name}: {seconds:.0f} s CPU", flush=True)
    text = page(cells, given.runs)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
