"""The page of `known_truth.py`."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy import stats

LEVEL, LOW, HIGH, BIAS = 0.95, 0.93, 0.97, 0.02
NULL_BIAS = 0.006  # of a choice on shuffled outcomes, asked before the cohorts of "three" were drawn
SEEN_LOWEST = 0.946  # the lowest coverage of this interval at n = 97 in docs/benchmarks/coverage.md


def mean_text(values: pd.Series) -> str:
    """Mean and its standard error."""
    return f"{values.mean():.3f} ± {values.std(ddof=1) / math.sqrt(len(values)):.3f}"


def share_limits(n: int) -> tuple[int, int]:
    """Fewest and most of ``n`` intervals that may hold their truth."""
    return math.ceil(LOW * n - 1e-9), math.floor(HIGH * n + 1e-9)


def missing_share(n: int, coverage: float) -> float:
    """Chance that intervals of this coverage miss the bar of 93% to 97%."""
    fewest, most = share_limits(n)
    return float(stats.binom.cdf(fewest - 1, n, coverage) + stats.binom.sf(most, n, coverage))


def coverage_row(name: str, found: pd.DataFrame) -> str:
    n = len(found)
    held = n - int(found[["without", "too high", "too low"]].to_numpy().sum())
    if name == "cheap":
        fewest, most = share_limits(n)
        asked, failing = "93% to 97%", missing_share(n, LEVEL)
    else:
        fewest, most = int(stats.binom.ppf(0.01, n, LEVEL)), n
        asked, failing = f"at least {fewest}", float(stats.binom.cdf(fewest - 1, n, LEVEL))
    met = "yes" if fewest <= held <= most else "**no**"
    sides = f"{found['too high'].sum():.0f} / {found['too low'].sum():.0f} / {found['without'].sum():.0f}"
    cells = [name, str(n), f"{held} ({held / n:.1%})", sides, asked, f"{failing:.2%}", met]
    return f"| {' | '.join(cells)} |"


def bias_row(name: str, found: pd.DataFrame) -> str:
    bias = found["found"] - found["true"]
    error = bias.std(ddof=1) / math.sqrt(len(bias))
    failing = 2 * stats.norm.sf(BIAS / error)
    met = "yes" if abs(bias.mean()) <= BIAS else "**no**"
    spread = f"{found['true'].min():.2f} to {found['true'].max():.2f}"
    values = [mean_text(found[column]) for column in ("found", "true")]
    cells = [name, *values, spread, f"{bias.mean():+.4f} ± {error:.4f}", f"± {BIAS}", f"{failing:.1g}", met]
    return f"| {' | '.join([*cells, mean_text(found['ideal'])])} |"


def design_rows(name: str, found: pd.DataFrame) -> list[str]:
    rows = []
    for design, says in (("published", "as published"), ("honest", "training patients alone")):
        cells = []
        for measure in ("auc", "accuracy"):
            reported, true = found[f"{design} {measure}"], found[f"{design} true {measure}"]
            cells += [mean_text(reported), mean_text(true), f"**{mean_text(reported - true)}**"]
        rows.append(f"| {name} | {len(found)} | {says} | {' | '.join(cells)} |")
    return rows


def choice_rows(found: pd.DataFrame) -> list[str]:
    names = {
        "by test, selection on all": "best of seven on the test patients, selection on all patients",
        "by test": "best of seven on the test patients, selection on training patients",
        "by inner": "best of seven in the inner folds (`choose`), its test AUC",
        "inner": "the inner AUC of that choice, which is never reported as a result",
    }
    rows = [
        f"| {says} | {mean_text(found[column])} | {found[column].mean() - 0.5:+.3f} |" for column, says in names.items()
    ]
    singles = found[[column for column in found if column.startswith("of ")]].mean()
    return [
        *rows,
        f"| one classifier fixed beforehand (mean of the seven) | {singles.mean():.3f} | {singles.mean() - 0.5:+.3f} |",
    ]


def null_error(n: int) -> float:
    """Standard error of the mean of ``n`` AUCs on 97 patients whose outcome nobody can know."""
    return math.sqrt((97 + 1) / (12 * 49 * 48)) / math.sqrt(n)


def null_row(says: str, found: pd.DataFrame, *, asked: bool) -> str:
    n, mean, error = len(found), float(found["by inner"].mean()), null_error(len(found))
    distance = (mean - 0.5) / error
    cells = [says, str(n), mean_text(found["by inner"]), f"{distance:+.1f}", f"{2 * stats.norm.sf(abs(distance)):.2g}"]
    if asked:
        failing = 2 * stats.norm.sf(NULL_BIAS / error)
        cells += [f"0.5 ± {NULL_BIAS}", f"{failing:.2%}", "yes" if abs(mean - 0.5) <= NULL_BIAS else "**no**"]
    else:
        cells += ["", "", ""]
    return f"| {' | '.join(cells)} |"


def of_leak(found: dict[str, pd.DataFrame]) -> str:
    seven, three, inverted = found["seven"], found["three"], found["inverted"]
    same, models = int(inverted["same"].sum()), int(inverted["models"].sum())
    choices = int(inverted["same choice"].sum())
    clean = same == models and choices == len(inverted) and abs(three["by inner"].mean() - 0.5) <= NULL_BIAS
    verdict = "chance, not a leak" if clean else "**a leak, or not explained**"
    return f"""
## Is the choice's test AUC above 0.5 a leak?

Training and test outcomes are shuffled together, so that their class counts depend on one another; but given these
counts every order of the test outcomes is equally likely, and the AUC, taken in each test set by itself, of any score
that does not know them has a mean of exactly 0.5. Two checks, fixed before they were run:

- {len(inverted)} of the cohorts above, each beside a copy in which the outcome of all 97 test patients is inverted: the
  scores of {same} of {models} fitted models are the same bit for bit, and so are {choices} of {len(inverted)} choices.
- {len(three)} fresh cohorts on the same path (tables, steps, `fit_together`, `choose`) with three fast classifiers:
  logistic regression, SVM and XGBoost.

| test AUC of the inner choice | cohorts | mean | standard errors from 0.5 | p | asked | by chance | met |
|---|---|---|---|---|---|---|---|
{null_row("of seven, above", seven, asked=False)}
{null_row("of three, fresh cohorts", three, asked=True)}

Result: {verdict}. Of the cohorts above the first 30 had a mean of {seven["by inner"][:30].mean():.3f}, the other
{len(seven) - 30} of {seven["by inner"][30:].mean():.3f}. The seven classifiers share their test patients, so that
a lucky draw of these lifts all test AUCs above together.
"""


def page(found: dict[str, pd.DataFrame], seed: int) -> str:
    cheap, full = found["cheap"], found["full"]
    truth_error = math.sqrt(10_001 / (12 * 5_000**2))  # of an AUC of 0.5 with balanced classes; less above
    width = float(np.nanmean(cheap["width"]))
    return f"""# Feature tables with a known truth

Written by `benchmarks/known_truth.py`. Features are mixtures of 30 hidden traits with noise of their own, a third of
them skewed; four traits decide on the outcome, with a strength drawn for each cohort from none to strong. The truth
of a fitted model is its AUC on 10,000 fresh rows of its world; the ideal score (the log odds) is no target. 116
patients train. Cohort i of task k has the seed ({seed}, i, k); seeds and bars were fixed before the first run.

- **cheap**: Spearman, z-score and a logistic regression of one penalty on 40 features; 97 patients held out.
- **full**: ICC, Spearman, z-score, LASSO, recursive elimination and a forest tuned over its default grid on 300
  features; 200 patients held out, since with 97 a correct program would miss the bar for the bias in 1 run of 85.

## Does the held-out interval hold the true AUC?

The interval is DeLong's on the logit scale, 95%. A cohort without an interval counts as missed. "By chance" is how
often a correct program would miss the bar; were the interval's real coverage {SEEN_LOWEST:.1%}, the lowest of
[Where 95% intervals hold](coverage.md), the cheap chain would miss it in {missing_share(len(cheap), SEEN_LOWEST):.1%}.

| chain | cohorts | truth held | interval too high / too low / none | asked | by chance | met |
|---|---|---|---|---|---|---|
{coverage_row("cheap", cheap)}
{coverage_row("full", full)}

The error of the truth itself (standard error at most {truth_error:.4f}) is small beside the interval (mean width
{width:.2f}).

## Is the held-out AUC biased?

Means with their standard error; "by chance" follows from it (a correct program's mean is normal round 0).

| chain | held-out AUC | true AUC | true AUCs | bias | asked | by chance | met | ideal score |
|---|---|---|---|---|---|---|---|---|
{bias_row("cheap", cheap)}
{bias_row("full", full)}

## What the usual design adds

As published: selection on all patients, test patients included, and a threshold chosen on the 97 test patients.
Beside it the same chain on the same patients, selection and threshold from training patients alone. Bias: what the
test patients said, less the truth of that same model and threshold on fresh rows.

| outcome | cohorts | design | AUC reported | true | bias | accuracy reported | true | bias |
|---|---|---|---|---|---|---|---|---|
{chr(10).join(design_rows("with signal", found["published"]))}
{chr(10).join(design_rows("shuffled", found["published, shuffled"]))}

## What a choice between classifiers adds

{len(found["seven"])} cohorts with a shuffled outcome, seven classifiers with their default grids, 97 test patients.
Nothing can be learnt, so that every true AUC is 0.5; the mean of a design that does not choose on test patients has
a standard error of {null_error(len(found["seven"])):.4f}.

| what is reported | mean AUC | bias |
|---|---|---|
{chr(10).join(choice_rows(found["seven"]))}
{of_leak(found)}"""
