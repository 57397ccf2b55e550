"""The ROC curve and its band."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from glottis.evaluation import roc_auc, roc_curve
from glottis.evaluation.roc import BAND_AT, sensitivities

RNG = np.random.default_rng(4)
Y = np.arange(60) % 2
S = np.round(0.8 * Y + RNG.standard_normal(60), 1)


def test_a_resamples_sensitivities_are_those_of_sklearns_weighted_curve() -> None:
    levels, level_of = np.unique(-S, return_inverse=True)
    weights = RNG.integers(1, 4, 60)
    counts = [
        np.bincount(level_of[kind == Y], weights[kind == Y], minlength=levels.size)[None].astype(float)
        for kind in (1, 0)
    ]
    fpr, tpr, _ = metrics.roc_curve(Y, S, sample_weight=weights, drop_intermediate=False)
    upper = [tpr[fpr <= at].max() if at in fpr else np.interp(at, fpr, tpr) for at in BAND_AT]
    np.testing.assert_allclose(sensitivities(*counts)[0], upper, atol=1e-12)


def test_the_band_holds_the_curve_of_real_markers(asah: pd.DataFrame) -> None:
    curve = roc_curve(asah["poor"], asah["s100b"], n_resamples=500)
    at = np.interp(curve.band_at, curve.false_positive_rate, curve.sensitivity)
    assert (curve.band_low <= at).all()
    assert (at <= curve.band_high).all()
    assert curve.band_high[0] < 1


def test_a_wider_level_gives_a_wider_band() -> None:
    narrow, wide = (roc_curve(Y, S, level=level, n_resamples=300) for level in (0.8, 0.99))
    assert (wide.band_low <= narrow.band_low).all()
    assert (wide.band_high - wide.band_low).mean() > (narrow.band_high - narrow.band_low).mean()


def test_the_curve_carries_its_auc() -> None:
    assert roc_curve(Y, S).auc == roc_auc(Y, S).interval


def test_a_band_is_made_when_asked_for_and_where_it_can_be() -> None:
    assert roc_curve(Y, S).band_note == "no band was asked for"
    separated = roc_curve([0, 0, 1, 1], [0, 1, 2, 3], n_resamples=200)
    assert separated.band_at.size == 0
    assert "separated completely" in separated.to_dict()["band_note"]


def test_too_few_resamples_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 100 resamples; got 5: 2000 is usual"):
        roc_curve(Y, S, n_resamples=5)
