"""What every statistic does where data are hard: an answer that JSON takes, or one sentence that says what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from glottis import evaluation

RNG = np.random.default_rng(12)


def _called(score: Any, cut_off: float) -> Any:
    values = np.asarray(score, dtype=float)
    return np.where(np.isfinite(values), values >= cut_off, values)


# each of outcome and probability
OF_SCORES: dict[str, Callable[[Any, Any], Any]] = {
    "roc_auc": evaluation.roc_auc,
    "roc_curve": evaluation.roc_curve,
    "hanley_mcneil_ci": evaluation.hanley_mcneil_ci,
    "bootstrap_ci": lambda y, s: evaluation.bootstrap_ci(y, s, n_resamples=100),
    "partial_auc": lambda y, s: evaluation.partial_auc(y, s, n_resamples=100),
    "precision_recall": lambda y, s: evaluation.precision_recall(y, s, n_resamples=100),
    "youden_threshold": evaluation.youden_threshold,
    "sensitivity_threshold": lambda y, s: evaluation.sensitivity_threshold(y, s, 0.9),
    "confusion_metrics": lambda y, s: evaluation.confusion_metrics(y, s, 0.5),
    "predictive_values": lambda y, s: evaluation.predictive_values(y, s, 0.5, prevalence=0.2),
    "delong_test": lambda y, s: evaluation.delong_test(y, s, np.asarray(s)[::-1]),
    "delong_test unpaired": lambda y, s: evaluation.delong_test(y, s, s, y_true_second=y),
    "delong_matrix": lambda y, s: evaluation.delong_matrix(y, {"a": s, "b": np.asarray(s)[::-1], "c": s}),
    "mcnemar_test": lambda y, s: evaluation.mcnemar_test(y, _called(s, 0.5), _called(s, 0.3)),
    "net_reclassification": lambda y, s: evaluation.net_reclassification(y, s, np.asarray(s)[::-1]),
    "integrated_discrimination": lambda y, s: evaluation.integrated_discrimination(y, s, np.asarray(s)[::-1]),
    "calibration": evaluation.calibration,
    "update_intercept": evaluation.update_intercept,
    "hosmer_lemeshow": evaluation.hosmer_lemeshow,
    "spiegelhalter": evaluation.spiegelhalter,
    "decision_curve": evaluation.decision_curve,
    "performance_by_group": lambda y, s: evaluation.performance_by_group(
        y, s, {"half": np.arange(len(y)) % 2}, threshold=0.5
    )[0],
}
LARGE = np.arange(100_000) % 2
ANSWERED = {
    "ties": ([0, 1] * 10, [0.2, 0.2, 0.7, 0.7] * 5),
    "all tied": ([0, 1] * 10, [0.4] * 20),
    "perfect separation": ([0] * 8 + [1] * 8, np.linspace(0.1, 0.9, 16)),
    "perfectly wrong": ([1] * 8 + [0] * 8, np.linspace(0.1, 0.9, 16)),
    "certain": ([0, 1] * 8, [0.0, 1.0] * 8),
    "certain and wrong": ([0, 1] * 8, [1.0, 0.0] * 8),
    "zero cells": ([0, 1] * 8, [0.6, 0.7] * 8),
    "one event": ([1] + [0] * 19, np.linspace(0.9, 0.1, 20)),
    "two patients": ([0, 1], [0.4, 0.3]),
    "three patients": ([0, 1, 1], [0.2, 0.1, 0.6]),
    "booleans": (np.arange(40) % 3 == 0, RNG.random(40)),
    "100,000 patients": (LARGE, np.round(np.clip(0.5 + 0.1 * LARGE + RNG.normal(0, 0.15, LARGE.size), 0, 1), 3)),
}
REFUSED = {
    "one class": ([1, 1, 1], [0.1, 0.2, 0.3], r"only 1 in 3 rows|only True in 3 rows"),
    "nobody": ([], [], "no patient in 0 rows"),
    "a missing score": ([0, 1, 1], [0.1, np.nan, 0.3], "1 of 3 scores are not finite"),
    "an infinite score": ([0, 1, 1], [0.1, np.inf, 0.3], "1 of 3 scores are not finite"),
    "a missing outcome": ([0, 1, np.nan], [0.1, 0.2, 0.3], "must be 0 or 1; got .*nan"),
    "another outcome": ([0, 1, 2], [0.1, 0.2, 0.3], "must be 0 or 1; got 0, 1, 2"),
    "another length": ([0, 1, 1], [0.1, 0.2], "equal length|Cannot pair"),
}


@pytest.mark.parametrize("data", ANSWERED)
@pytest.mark.parametrize("name", OF_SCORES)
def test_hard_data_give_an_answer_in_plain_values(name: str, data: str) -> None:
    y, score = ANSWERED[data]
    shown = json.dumps(OF_SCORES[name](y, score).to_dict(), allow_nan=False)
    assert json.loads(shown)


@pytest.mark.parametrize("data", REFUSED)
@pytest.mark.parametrize("name", OF_SCORES)
def test_data_that_cannot_be_measured_are_refused_in_a_sentence(name: str, data: str) -> None:
    y, score, match = REFUSED[data]
    with pytest.raises(ValueError, match=match):
        OF_SCORES[name](y, score)
