"""Tables that are right: counts, scores and tests drawn at random, printed as papers print them."""

from __future__ import annotations

import csv
import io
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from glottis.evaluation.discrimination import roc_auc

Random = np.random.Generator
Row = dict[str, str]
PROPORTIONS = ("wilson", "beta", "normal", "agresti_coull", "jeffreys", "prop.test")
METRICS = ("Sensitivity", "Specificity", "PPV", "NPV", "Accuracy", "F1")


class Printer:
    """Prints with a fixed number of digits, one way of rounding, as fractions or percentages."""

    def __init__(self, random: Random) -> None:
        self.digits = int(random.integers(2, 4))
        self.percent = bool(random.random() < 0.4)
        self.sign = bool(random.random() < 0.5)
        self.way = str(random.choice(["half up", "half even", "float"]))

    def ratio(self, value: Fraction) -> str:
        scaled, digits = (100 * value, self.digits - 2) if self.percent else (value, self.digits)
        if self.way == "float":
            text = f"{float(scaled):.{digits}f}"
        else:
            exact = Decimal(scaled.numerator) / Decimal(scaled.denominator)
            rounding = ROUND_HALF_UP if self.way == "half up" else ROUND_HALF_EVEN
            text = str(exact.quantize(Decimal(1).scaleb(-digits), rounding=rounding))
        return f"{text}%" if self.percent and self.sign else text

    def number(self, value: float) -> str:
        return self.ratio(Fraction(float(value)))


def print_p(random: Random, p: float) -> str:
    if p < 0.001 and random.random() < 0.7:
        return "<0.001"
    return f"{p:.{int(random.integers(2, 5))}f}"


def metrics_of(tp: int, fn: int, tn: int, fp: int) -> dict[str, tuple[int, int]]:
    return {
        "Sensitivity": (tp, tp + fn), "Specificity": (tn, tn + fp), "PPV": (tp, tp + fp), "NPV": (tn, tn + fn),
        "Accuracy": (tp + tn, tp + fn + tn + fp), "F1": (2 * tp, 2 * tp + fp + fn),
    }  # fmt: skip


def limits_of(count: int, total: int, method: str) -> tuple[float, float]:
    if method == "prop.test":  # R's formula, by inverting the corrected score test
        z, p = stats.norm.ppf(0.975), count / total

        def edge(side: int) -> float:
            shifted = p + side * 0.5 / total
            spread = z * np.sqrt(shifted * (1 - shifted) / total + z**2 / (4 * total**2))
            return float((shifted + z**2 / (2 * total) + side * spread) / (1 + z**2 / total))

        return (0.0 if count == 0 else edge(-1)), (1.0 if count == total else edge(1))
    low, high = proportion_confint(count, total, method=method)
    return max(0.0, float(low)), min(1.0, float(high))


def area_limits(random: Random, truth: np.ndarray, score: np.ndarray, method: str) -> tuple[float, float, float]:
    auc = roc_auc(truth, score)
    if method == "hanley-mcneil":
        a, n1, n0 = auc.value, truth.sum(), (~truth).sum()
        q1, q2 = a / (2 - a), 2 * a * a / (1 + a)
        half = 1.959964 * np.sqrt((a * (1 - a) + (n1 - 1) * (q1 - a * a) + (n0 - 1) * (q2 - a * a)) / (n1 * n0))
        return a, max(0.0, a - half), min(1.0, a + half)
    if method == "bootstrap":
        order = [random.choice(np.flatnonzero(truth == side), (400, (truth == side).sum())) for side in (True, False)]
        values = [roc_auc(truth[np.r_[p, n]], score[np.r_[p, n]]).value for p, n in zip(*order, strict=True)]
        return auc.value, *(float(edge) for edge in np.quantile(values, (0.025, 0.975)))
    interval = auc.delong if method == "delong" else auc.interval
    return auc.value, float(interval.low or 0), float(interval.high or 1)


def metric_table(random: Random, models: list[str]) -> tuple[list[Row], dict[str, Any]]:
    """Rows of one set of patients, and what the tests between its models need."""
    printer = Printer(random)
    n_positive, n_negative = (int(size) for size in random.integers(20, 140, 2))
    truth = np.r_[np.ones(n_positive, bool), np.zeros(n_negative, bool)]
    shared, weight = random.normal(size=truth.size), float(random.uniform(0.5, 0.8))
    area_method = str(random.choice(["hanley-mcneil", "delong", "logit", "bootstrap"], p=[0.3, 0.4, 0.2, 0.1]))
    known = str(random.choice(["both", "total", "none", "positive and total"]))
    kept = [name for name in METRICS if random.random() < 0.85]
    method = str(random.choice(PROPORTIONS)) if random.random() < 0.5 else ""
    rows, scores = [], {}
    for model in models:
        score = weight**0.5 * shared + (1 - weight) ** 0.5 * random.normal(size=truth.size)
        score = score + random.uniform(0.4, 1.9) * truth
        if random.random() < 0.15:
            score = np.digitize(score, [-1.0, 0.0, 1.0, 2.0]).astype(float)
        rows.append({"Set": "test", "Model": model} | _sizes(known, n_positive, n_negative))
        value, low, high = area_limits(random, truth, score, area_method)
        digits = int(random.integers(2, 5))
        rows[-1]["AUC (95% CI)"] = f"{value:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"
        called = score > np.quantile(score, random.choice([0.02, 0.2, 0.4, 0.5, 0.6, 0.8, 0.98]))
        counts = [int((called == sign)[truth == side].sum()) for side, sign in ((1, 1), (1, 0), (0, 0), (0, 1))]
        rows[-1] |= _metric_cells(random, printer, metrics_of(*counts), kept, method)
        scores[model] = score, area_method
    return rows, {"truth": truth, "scores": scores}


def _sizes(known: str, n_positive: int, n_negative: int) -> Row:
    cells = {"n_positive": "", "n_negative": "", "n": ""}
    if known in ("both", "positive and total"):
        cells["n_positive"] = str(n_positive)
    if known == "both":
        cells["n_negative"] = str(n_negative)
    if known in ("total", "positive and total"):
        cells["n"] = str(n_positive + n_negative)
    return cells


def _metric_cells(
    random: Random, printer: Printer, metrics: dict[str, tuple[int, int]], kept: list[str], method: str
) -> Row:
    cells = {}
    for name in kept:
        count, total = metrics[name]
        if total == 0:
            cells[name] = str(random.choice(["-", "NaN", "0"]))
            continue
        cells[name] = printer.ratio(Fraction(count, total))
        if method and name != "F1":
            low, high = limits_of(count, total, method)
            cells[name] += f" ({printer.number(low)}, {printer.number(high)})"
    return cells


def delong_claim(random: Random, models: list[str], drawn: dict[str, Any]) -> list[Row]:
    """The DeLong test of two models, where DeLong's intervals are printed."""
    (first, method), (second, _) = (drawn["scores"][model] for model in models[:2])
    truth = drawn["truth"]
    placed = []
    for score in (first, second):
        above = (score[truth][:, None] > score[~truth]) + 0.5 * (score[truth][:, None] == score[~truth])
        placed.append((above.mean(axis=1), above.mean(axis=0)))
    variance = sum((placed[0][side] - placed[1][side]).var(ddof=1) / placed[0][side].size for side in (0, 1))
    difference = placed[0][0].mean() - placed[1][0].mean()
    if method != "delong" or variance == 0:
        return []
    p = float(2 * stats.norm.sf(abs(difference) / variance**0.5))
    return [{"kind": "delong", "set": "test", "a": models[0], "b": models[1], "p": print_p(random, p)}]


def counts_claim(random: Random) -> Row:
    shape = (2, 2) if random.random() < 0.5 else (int(random.integers(2, 4)), int(random.integers(2, 4)))
    counts = random.integers(0, 60 if shape == (2, 2) else 25, shape)
    counts[0] += counts.sum(axis=0) == 0
    counts[:, 0] += counts.sum(axis=1) == 0
    tests = ["chi2", "likelihood", *(["yates", "fisher"] if shape == (2, 2) else [])]
    test = str(random.choice(tests))
    row = {"kind": "counts", "label": "counts", "values": "; ".join(" ".join(map(str, line)) for line in counts)}
    if test == "fisher":
        return row | {"p": print_p(random, float(stats.fisher_exact(counts)[1]))}
    power = "log-likelihood" if test == "likelihood" else None
    statistic, p, *_ = stats.chi2_contingency(counts, correction=test == "yates", lambda_=power)
    return row | {"p": print_p(random, float(p)), "statistic": f"{statistic:.3f}" if random.random() < 0.5 else ""}


def means_claim(random: Random) -> Row:
    k = int(random.integers(2, 5))
    groups = [
        random.normal(60 + random.uniform(-3, 3), random.uniform(6, 12), random.integers(8, 150)) for _ in range(k)
    ]
    digits = int(random.integers(1, 3))
    text = "; ".join(f"{g.mean():.{digits}f} ± {g.std(ddof=1):.{digits}f} n={g.size}" for g in groups)
    if k > 2:
        statistic, p = stats.f_oneway(*groups)
    else:
        statistic, p = stats.ttest_ind(*groups, equal_var=random.random() < 0.5)
    row = {"kind": "means", "label": "means", "values": text, "p": print_p(random, float(p))}
    return row | {"statistic": f"{statistic:.3f}" if random.random() < 0.5 else ""}


def odds_claim(random: Random) -> Row:
    counts = random.integers(0 if random.random() < 0.1 else 1, 80, (2, 2))
    cells = counts + (0.5 if (counts == 0).any() else 0.0)
    if random.random() < 0.5:
        cells = cells[::-1]
    log_ratio = np.log(cells[0, 0] * cells[1, 1] / cells[0, 1] / cells[1, 0])
    row = _ratio_cells(random, float(log_ratio), float(np.sqrt((1 / cells).sum())))
    values = "; ".join(" ".join(map(str, line)) for line in counts) if random.random() < 0.7 else ""
    return row | {"kind": "odds_ratio", "label": "odds", "values": values}


def hazard_claim(random: Random) -> Row:
    row = _ratio_cells(random, float(random.normal(0, 0.7)), float(random.uniform(0.08, 0.6)))
    return row | {"kind": "hazard_ratio", "label": "hazard"}


def _ratio_cells(random: Random, log_ratio: float, se: float) -> Row:
    digits = int(random.integers(2, 4))
    low, high = (np.exp(log_ratio + side * stats.norm.ppf(0.975) * se) for side in (-1, 1))
    p = float(2 * stats.norm.sf(abs(log_ratio / se)))
    ci = f"{low:.{digits}f}-{high:.{digits}f}"
    return {"estimate": f"{np.exp(log_ratio):.{digits}f}", "ci": ci, "p": print_p(random, p)}


def mcnemar_claim(random: Random) -> Row:
    both, one, other, none = (int(count) for count in random.integers(0, 25, 4))
    p = float(stats.binomtest(one, one + other).pvalue) if one + other else 1.0
    errors = f"{both + one} {both + other} {both + one + other + none}"
    return {"kind": "mcnemar", "label": "errors", "values": errors, "p": print_p(random, p)}


def write_correct_tables(folder: Path, seed: int) -> list[Path]:
    """A table of metrics and one of tests, all of them right."""
    random = np.random.default_rng(seed)
    models = [f"Model {number}" for number in range(1, int(random.integers(2, 5)))]
    if len(models) < 2:
        models.append("Model 2")
    rows, drawn = metric_table(random, models)
    claims = [
        *delong_claim(random, models, drawn), counts_claim(random), means_claim(random), odds_claim(random),
        hazard_claim(random), mcnemar_claim(random),
    ]  # fmt: skip
    columns = list(rows[0])
    random.shuffle(columns)
    tests = ["kind", "label", "set", "values", "estimate", "ci", "p", "statistic", "a", "b"]
    return [_write(folder / "metrics.csv", columns, rows), _write(folder / "tests.csv", tests, claims)]


def _write(path: Path, columns: list[str], rows: list[Row]) -> Path:
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, columns, restval="")
    table.writeheader()
    table.writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")
    return path
