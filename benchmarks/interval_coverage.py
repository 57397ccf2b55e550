"""How often the intervals hold the truth: AUC and sensitivity of simulated held-out sets.

python benchmarks/interval_coverage.py [--runs N] [--out FILE]

Scores of both classes are normal with variance 1, so that the true AUC is Phi(distance / sqrt(2)); the cut-off for
sensitivity lies half-way between the means and is fixed, as one from a training set is.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import stats

from glottis.evaluation import Interval, hanley_mcneil_ci, roc_auc
from glottis.evaluation.proportion import proportion

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks" / "coverage.md"
SEED = 20250903
SIZES = ((97, 52), (401, 215))  # patients, of them positive
AREAS = (0.70, 0.85, 0.95)
LIMITS = {
    "DeLong, logit scale": (0.93, 0.97),
    "DeLong, plain": None,
    "Hanley-McNeil": None,
    "Wilson": (0.93, 0.97),
    "Clopper-Pearson": (0.95, 1.0),
}


@dataclass(frozen=True)
class Coverage:
    """How often one interval held one truth."""

    measure: str
    interval: str
    n: int
    truth: float
    runs: int
    held: int
    without: int

    @property
    def share(self) -> float:
        """Of the runs that have an interval."""
        return self.held / (self.runs - self.without)

    @property
    def error(self) -> float:
        """Standard error of the share."""
        return math.sqrt(self.share * (1 - self.share) / (self.runs - self.without))


def holds(interval: Interval, truth: float) -> bool | None:
    """None where there is no interval."""
    return None if interval.low is None else interval.low <= truth <= interval.high


def count(measure: str, interval: str, n: int, truth: float, answers: Iterable[bool | None]) -> Coverage:
    seen = list(answers)
    return Coverage(measure, interval, n, truth, len(seen), seen.count(True), seen.count(None))


def simulate(n: int, n_positive: int, area: float, runs: int, rng: np.random.Generator) -> list[Coverage]:
    distance = math.sqrt(2) * float(stats.norm.ppf(area))
    truth = np.arange(n) < n_positive
    answers: dict[str, list[bool | None]] = {name: [] for name in LIMITS}
    sensitivity = float(stats.norm.cdf(distance / 2))
    of_count = {  # limits follow from the count alone
        name: [proportion(hits, n_positive, method=name.lower()) for hits in range(n_positive + 1)]
        for name in ("Wilson", "Clopper-Pearson")
    }
    for _ in range(runs):
        score = rng.standard_normal(n) + distance * truth
        found = roc_auc(truth, score)
        answers["DeLong, logit scale"].append(holds(found.interval, area))
        answers["DeLong, plain"].append(holds(found.delong, area))
        answers["Hanley-McNeil"].append(holds(hanley_mcneil_ci(truth, score), area))
        hits = int((score[truth] >= distance / 2).sum())
        for name, limits in of_count.items():
            answers[name].append(holds(limits[hits], sensitivity))
    rows = []
    for name, seen in answers.items():
        of_sensitivity = name in of_count
        measure, value = ("sensitivity", sensitivity) if of_sensitivity else ("AUC", area)
        rows.append(count(measure, name, n_positive if of_sensitivity else n, value, seen))
    return rows


def page(rows: list[Coverage], runs: int) -> str:
    lines = []
    for row in sorted(rows, key=lambda row: (list(LIMITS).index(row.interval), row.n, row.truth)):
        bar = LIMITS[row.interval]
        asked = "as it is" if bar is None else f"{bar[0]:.0%} to {bar[1]:.0%}"
        verdict = "" if bar is None else ("yes" if bar[0] <= row.share <= bar[1] else "NO")
        lines.append(
            f"| {row.measure} | {row.interval} | {row.n} | {row.truth:.3f} | {row.share:.1%} | {row.error:.1%} | "
            f"{row.without} | {asked} | {verdict} |"
        )
    return f"""# Where 95% intervals hold

Written by `benchmarks/interval_coverage.py`: {runs:,} simulated held-out sets a row (seed {SEED}), normal scores;
of 97 patients 52 are positive, of 401 215. For sensitivity n counts the positives, and the cut-off is fixed beforehand.
"None" counts the sets without an interval: the classes are separated completely.

| of | interval | n | truth | coverage | standard error | none | asked | held |
|---|---|---|---|---|---|---|---|---|
{chr(10).join(lines)}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5000)
    parser.add_argument("--out", type=Path, default=PAGE)
    given = parser.parse_args()
    rng = np.random.default_rng(SEED)
    cases = [(n, n_positive, area) for n, n_positive in SIZES for area in AREAS]
    rows = [row for case in cases for row in simulate(*case, given.runs, rng)]
    text = page(rows, given.runs)
    given.out.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
