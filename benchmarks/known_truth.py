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
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from joblib import Parallel, delayed
from sklearn.pipeline import Pipeline

from glottis.evaluation import confusion_metrics, roc_auc, youden_threshold
from glottis.modelling import CLASSIFIERS, TunedChain, choose, fit_together
from known_truth_page import page
from known_truth_tables import Cohort, cheap_chain, full_steps

SEED = 20260311
FAST = ("logistic_regression", "svm", "xgboost")
PAGE = Path(__file__).parents[1] / "docs" / "benchmarks" / "known_truth.md"
Found = dict[str, float]


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


def fitted_together(cohort: Cohort, number: int, names: Iterable[str]) -> dict[str, TunedChain]:
    """The full chain with each of these classifiers, selection from training patients alone."""
    steps = full_steps(cohort, number)
    return fit_together({name: TunedChain(steps, name, random_state=number) for name in names}, *cohort.training)


def scored(models: dict[str, TunedChain], rows: pd.DataFrame) -> dict[str, Any]:
    return {name: model.predict_proba(rows)[:, 1] for name, model in models.items()}


def areas(models: dict[str, TunedChain], rows: pd.DataFrame, outcome: pd.Series) -> dict[str, float]:
    return {name: roc_auc(outcome, score).value for name, score in scored(models, rows).items()}


def seven_cohort(number: int) -> Found:
    """Seven classifiers on a shuffled outcome: the best on the test patients, and the best of the inner folds."""
    cohort = Cohort.of((SEED, number, 4), 300, 97, shuffled=True)
    (X, y), (test, outcome) = cohort.training, cohort.test
    chosen = Pipeline(full_steps(cohort, number)).fit(cohort.X, cohort.y)
    of_all = fit_together(
        {name: TunedChain([], name, random_state=number) for name in CLASSIFIERS}, chosen.transform(X), y
    )
    honest = fitted_together(cohort, number, CLASSIFIERS)
    found = areas(honest, test, outcome)
    return {
        "by inner": found[choose(honest)],
        "inner": honest[choose(honest)].inner_auc_,
        "by test": max(found.values()),
        "by test, selection on all": max(areas(of_all, chosen.transform(test), outcome).values()),
        **{f"of {name}": value for name, value in found.items()},
    }


def three_cohort(number: int) -> Found:
    """As `seven_cohort`, fresh cohorts and three fast classifiers: what the choice of the inner folds gets."""
    cohort = Cohort.of((SEED, number, 5), 300, 97, shuffled=True)
    models = fitted_together(cohort, number, FAST)
    found = areas(models, *cohort.test)
    return {
        "by inner": found[choose(models)],
        "inner": models[choose(models)].inner_auc_,
        **{f"of {name}": value for name, value in found.items()},
    }


def inverted_cohort(number: int) -> Found:
    """A cohort of `seven_cohort` and its copy with inverted test outcomes: do any two scores differ?"""
    cohort = Cohort.of((SEED, number, 4), 300, 97, shuffled=True)
    (rows, _), other = cohort.test, cohort.inverted()
    first, second = (fitted_together(own, number, CLASSIFIERS) for own in (cohort, other))
    of_first, of_second = scored(first, rows), scored(second, rows)
    return {
        "models": float(len(first)),
        "same": float(sum(of_first[name].tobytes() == of_second[name].tobytes() for name in first)),
        "same choice": float(choose(first) == choose(second)),
        "inverted": float((cohort.test[1] != other.test[1]).sum()),
    }


TASKS: dict[str, tuple[Callable[[int], Found], int]] = {
    "cheap": (partial(covered_cohort, full=False), 1000),
    "full": (partial(covered_cohort, full=True), 50),
    "published": (partial(published_cohort, shuffled=False), 50),
    "published, shuffled": (partial(published_cohort, shuffled=True), 50),
    "seven": (seven_cohort, 50),
    "three": (three_cohort, 1000),
    "inverted": (inverted_cohort, 10),
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
