from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import precision_recall_curve

from glottis.evaluation import precision_recall
from stored import reference

R = reference("discrimination")["single"]
Y = np.arange(40) % 2
S = np.round(Y + np.random.default_rng(9).standard_normal(40), 1)


@pytest.mark.parametrize("marker", ["s100b", "ndka", "wfns"])
def test_average_precision_follows_its_definition(asah: pd.DataFrame, marker: str) -> None:
    result = precision_recall(asah["poor"], asah[marker], n_resamples=200)
    assert result.average_precision.value == pytest.approx(R[marker]["average_precision"], rel=1e-12)
    assert result.average_precision.low < result.average_precision.value < result.average_precision.high


def test_the_curve_is_that_of_scikit_learn() -> None:
    precision, recall, thresholds = precision_recall_curve(Y, S)
    result = precision_recall(Y, S)
    np.testing.assert_allclose(result.precision[::-1], precision[:-1], rtol=1e-12)
    np.testing.assert_allclose(result.recall[::-1], recall[:-1], rtol=1e-12)
    np.testing.assert_array_equal(result.thresholds[::-1], thresholds)
    json.dumps(result.to_dict())


def test_a_score_without_information_has_the_prevalence_as_average_precision() -> None:
    result = precision_recall([0, 0, 0, 1], [0.5] * 4)
    assert result.average_precision.value == result.prevalence == 0.25
    assert result.average_precision.low is None


def test_a_perfect_score_has_an_average_precision_of_one() -> None:
    assert precision_recall([0, 0, 1], [1, 2, 3]).average_precision.value == 1


def test_a_missing_score_is_refused() -> None:
    with pytest.raises(ValueError, match="1 of 2 scores are not finite"):
        precision_recall([0, 1], [0.1, np.nan])
