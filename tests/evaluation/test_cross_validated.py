from __future__ import annotations

import json
import math

import numpy as np
import pytest

from glottis.evaluation import cross_validated_auc, roc_auc

RNG = np.random.default_rng(9)
Y = np.arange(40) % 2
S = np.round(Y + RNG.standard_normal(40), 1)


def test_cross_validation_averages_folds_and_never_pools_them() -> None:
    # two folds, each perfectly ordered, on scales that pooling would mix up
    y, score = [0, 1, 0, 1], [0.1, 0.2, 0.8, 0.9]
    result = cross_validated_auc(y, score, [0] * 4, [0, 0, 1, 1])
    assert result.value == 1
    assert result.interval.note == "not estimable: every fold has the same value"
    assert roc_auc(y, score).value == 0.75


def test_the_corrected_interval_is_that_of_nadeau_and_bengio() -> None:
    fold = np.tile(np.repeat(np.arange(5), 8), 2)
    repeat = np.repeat([0, 1], 40)
    score = np.r_[S, S + RNG.standard_normal(40)]
    result = cross_validated_auc(np.r_[Y, Y], score, repeat, fold)
    values = np.array(result.fold_values)
    half = 2.2621571627409915 * math.sqrt((1 / 10 + 8 / 32) * values.var(ddof=1))  # t with 9 degrees of freedom
    assert result.interval.low == pytest.approx(values.mean() - half)
    means = values.reshape(2, 5).mean(axis=1)
    assert result.sd_over_repeats == pytest.approx(means.std(ddof=1))


def test_a_fold_of_one_class_is_skipped_and_counted() -> None:
    result = cross_validated_auc([0, 1, 0, 0, 0, 1], [1, 2, 1, 2, 3, 2], [0] * 6, [0, 0, 1, 1, 2, 2])
    assert (result.n_skipped, result.fold_values) == (1, (1.0, 0.0))
    json.dumps(result.to_dict())


def test_folds_without_both_classes_are_refused() -> None:
    with pytest.raises(ValueError, match="None of the 2 folds"):
        cross_validated_auc([0, 0, 1, 1], [1, 2, 3, 4], [0] * 4, [0, 0, 1, 1])
