"""Feature tables with a known truth: do intervals of held-out results hold the true AUC of the model that was fitted?

python benchmarks/known_truth.py --jobs 2 --cache known_truth.json

The truth of a fitted model is its AUC on 10,000 fresh rows of the same generator; the AUC of the ideal score is printed
beside it and is no target. The designs of many papers are measured against the truth of their own models. The seeds
were fixed before the first run.
"""

from __future__ import annotations

import argparse
import json
import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from glottis.evaluation import confusion_metrics, roc_auc, youden_threshold
from glottis.modelling import CLASSIFIERS, TunedChain, choose, fit_together
from glottis.selection import ICCFilter, SpearmanFilter, VarianceFilter, radiomics_chain
from known_truth_page import page

SEED = 20260311
N_TRAINING, N_FRESH, N_READ = 116, 10_000, 40
N_HIDDEN, N_TELLING = 30, 4
PAGE = Path(__file__).parents[1] / "docs" / "benchmarks" / "known_truth.md"
Found = dict[str, float]


@dataclass(frozen=True, kw_only=True)
class World:
    """Features are mixtures of hidden traits with an error of their own; four traits decide on the outcome.

    Attributes:
        loadings: (hidden, features).
        noise: (features,) standard deviation of what is each feature's own.
        weights: (hidden,) of the log odds.
    """

    loadings: Any
    noise: Any
    weights: Any

    def draw(self, n: int, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.Series, Any]:
        """Features, outcome and the ideal score of ``n`` patients."""
        hidden = rng.standard_normal((n, N_HIDDEN))
        values = hidden @ self.loadings + self.noise * rng.standard_normal((n, self.noise.size))
        values[:, ::3] = np.exp(0.5 * values[:, ::3])  # a third is skewed, as energies and variances are
        log_odds = hidden @ self.weights
        index = pd.Index([f"P{i:05d}" for i in range(n)], name="patient")
        X = pd.DataFrame(values, index=index, columns=[f"feature_{i:03d}" for i in range(values.shape[1])])
        y = pd.Series((rng.random(n) < 1 / (1 + np.exp(-log_odds))).astype(int), index=index)
        return X, y, log_odds


def world(rng: np.random.Generator, n_features: int) -> World:
    """A world whose signal lies between none and strong."""
    weights = np.zeros(N_HIDDEN)
    weights[:N_TELLING] = rng.uniform(0, 1.2) * np.array([1, -1, 1, -1])
    return World(
        loadings=rng.standard_normal((N_HIDDEN, n_features)) / math.sqrt(N_HIDDEN),
        noise=rng.uniform(0.1, 1.0, n_features),
        weights=weights,
    )


@dataclass(frozen=True, kw_only=True)
class Cohort:
    """Patients of one world: 116 to learn from, some held out, 10,000 fresh ones for the truth."""

    X: pd.DataFrame
    y: pd.Series
    repeats: dict[str, pd.DataFrame]
    fresh: pd.DataFrame
    outcome: pd.Series
    ideal: Any

    @property
    def training(self) -> tuple[pd.DataFrame, pd.Series]:
        """Features and outcome of the patients to learn from."""
        return self.X.iloc[:N_TRAINING], self.y.iloc[:N_TRAINING]

    @property
    def test(self) -> tuple[pd.DataFrame, pd.Series]:
        """Features and outcome of the held-out patients."""
        return self.X.iloc[N_TRAINING:], self.y.iloc[N_TRAINING:]

    @classmethod
    def of(cls, seed: tuple[int, ...], n_features: int, n_test: int, *, shuffled: bool = False) -> Cohort:
        """The cohort of a seed; shuffled outcomes, the fresh ones too, know nothing of the features."""
        rng = np.random.default_rng(seed)
        truth = world(rng, n_features)
        X, y, _ = truth.draw(N_TRAINING + n_test, rng)
        read = X.index[np.sort(rng.choice(len(X), N_READ, replace=False))]
        error = rng.uniform(0.05, 1.0, n_features) * X.std().to_numpy()
        size = (N_READ, n_features)
        repeats = {kind: X.loc[read] + error * rng.standard_normal(size) for kind in ("intra", "inter")}
        fresh, outcome, ideal = truth.draw(N_FRESH, rng)
        if shuffled:
            y[:], outcome[:] = rng.permutation(y.to_numpy()), rng.permutation(outcome.to_numpy())
        return cls(X=X, y=y, repeats=repeats, fresh=fresh, outcome=outcome, ideal=ideal)


def cheap_chain(number: int) -> TunedChain:
    """Spearman, z-score and a logistic regression of one penalty."""
    steps = [
        ("variance", VarianceFilter()),
        ("spearman", SpearmanFilter(0.9)),
        ("z-score", StandardScaler().set_output(transform="pandas")),
    ]
    return TunedChain(steps, classifier="logistic_regression", grid={"C": (0.01,)}, folds=3, random_state=number)


def full_steps(cohort: Cohort, number: int) -> list[tuple[str, Any]]:
    """ICC, Spearman, z-score, LASSO, recursive elimination; rows outside ``fit`` are not read from the repeats."""
    return radiomics_chain(ICCFilter(cohort.repeats), random_state=number)


def covered_cohort(number: int, *, full: bool) -> Found:
    """What the held-out patients say of one fitted model, and what is true of it."""
    cohort = Cohort.of((SEED, number, int(full)), 300 if full else 40, 200 if full else 97)
    chain = TunedChain(full_steps(cohort, number), random_state=number) if full else cheap_chain(number)
    model = chain.fit(*cohort.training)
    X, y = cohort.test
    found = roc_auc(y, model.predict_proba(X)[:, 1])
    true = roc_auc(cohort.outcome, model.predict_proba(cohort.fresh)[:, 1]).value
    low, high = found.interval.low, found.interval.high
    missing = low is None or high is None
    return {
        "found": found.value,
        "true": true,
        "ideal": roc_auc(cohort.outcome, cohort.ideal).value,
        "without": float(missing),
        "too high": float(not missing and true < low),
        "too low": float(not missing and true > high),
        "width": math.nan if missing else high - low,
    }


def told(cohort: Cohort, score: Callable[[pd.DataFrame], Any], threshold: float | None, name: str) -> Found:
    """AUC and accuracy on the test patients and the truth of both; without a threshold the test patients choose it."""
    X, y = cohort.test
    of_test, of_fresh = score(X), score(cohort.fresh)
    at = youden_threshold(y, of_test).value if threshold is None else threshold
    return {
        f"{name} auc": roc_auc(y, of_test).value,
        f"{name} true auc": roc_auc(cohort.outcome, of_fresh).value,
        f"{name} accuracy": confusion_metrics(y, of_test, at).accuracy.value,
        f"{name} true accuracy": confusion_metrics(cohort.outcome, of_fresh, at).accuracy.value,
    }


def published_cohort(number: int, *, shuffled: bool) -> Found:
    """The design of many papers, selection on all patients and threshold from test patients, beside the honest one."""
    cohort = Cohort.of((SEED, number, 2 + int(shuffled)), 300, 97, shuffled=shuffled)
    X, y = cohort.training
    chosen = Pipeline(full_steps(cohort, number)).fit(cohort.X, cohort.y)
    forest = TunedChain([], random_state=number).fit(chosen.transform(X), y)
    honest = TunedChain(full_steps(cohort, number), random_state=number).fit(X, y)
    return {
        **told(cohort, lambda rows: forest.predict_proba(chosen.transform(rows))[:, 1], None, "published"),
        **told(cohort, lambda rows: honest.predict_proba(rows)[:, 1], honest.threshold_, "honest"),
    }


def seven_cohort(number: int) -> Found:
    """Seven classifiers on a shuffled outcome: the best on the test patients, and the best of the inner folds."""
    cohort = Cohort.of((SEED, number, 4), 300, 97, shuffled=True)
    (X, y), (test, outcome) = cohort.training, cohort.test
    chosen = Pipeline(full_steps(cohort, number)).fit(cohort.X, cohort.y)
    of_all = fit_together(
        {name: TunedChain([], name, random_state=number) for name in CLASSIFIERS}, chosen.transform(X), y
    )
    steps = full_steps(cohort, number)
    honest = fit_together({name: TunedChain(steps, name, random_state=number) for name in CLASSIFIERS}, X, y)

    def areas(models: dict[str, TunedChain], rows: pd.DataFrame) -> dict[str, float]:
        return {name: roc_auc(outcome, model.predict_proba(rows)[:, 1]).value for name, model in models.items()}

    found = areas(honest, test)
    return {
        "by inner": found[choose(honest)],
        "inner": honest[choose(honest)].inner_auc_,
        "by test": max(found.values()),
        "by test, selection on all": max(areas(of_all, chosen.transform(test)).values()),
        **{f"of {name}": value for name, value in found.items()},
    }


TASKS: dict[str, tuple[Callable[[int], Found], int]] = {
    "cheap": (partial(covered_cohort, full=False), 1000),
    "full": (partial(covered_cohort, full=True), 50),
    "published": (partial(published_cohort, shuffled=False), 50),
    "published, shuffled": (partial(published_cohort, shuffled=True), 50),
    "seven": (seven_cohort, 30),
}


def gathered(name: str, n: int, jobs: int, cache: Path) -> pd.DataFrame:
    """Every cohort of a task, those of the cache first; each finished one is kept there."""
    known = json.loads(cache.read_text(encoding="utf-8")) if cache.exists() else {}
    own = known.setdefault(name, {})
    task = TASKS[name][0]
    work = Parallel(n_jobs=jobs, return_as="generator_unordered")(
        delayed(lambda number: (number, task(number)))(number) for number in range(n) if str(number) not in own
    )
    for number, found in work:
        own[str(number)] = found
        partial_file = cache.with_suffix(".partial")
        partial_file.write_text(json.dumps(known), encoding="utf-8")
        os.replace(partial_file, cache)
        print(f"{name} {number}", flush=True)
    return pd.DataFrame([own[str(number)] for number in range(n)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="share of the cohorts, for a trial")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--cache", type=Path, default=Path("known_truth.json"), help="file that keeps finished cohorts")
    parser.add_argument("--out", type=Path, default=PAGE)
    given = parser.parse_args()
    found = {
        name: gathered(name, max(2, round(given.share * n)), given.jobs, given.cache) for name, (_, n) in TASKS.items()
    }
    text = page(found, SEED)
    given.out.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
