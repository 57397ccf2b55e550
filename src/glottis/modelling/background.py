"""Rows that stand for the training patients in a model file and are none of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import ndtri
from scipy.stats import rankdata

from glottis._errors import StatisticsError

PATIENTS_A_VALUE = 5


def background_of(X: pd.DataFrame, *, n: int = 50, random_state: int = 0) -> pd.DataFrame:
    """Synthetic rows with the distribution of every feature and their rank correlations.

    Each feature is cut into ``n`` equal slices of its sorted values; their means, each of at least 5 patients, are its
    values here. They are put into rows by ranks that keep the features' correlations on the normal scale (after Iman
    and Conover 1982). No row and no value is a patient's, other than by chance where a feature has few values. Centres
    of clusters would shrink every spread, and a cluster of one is a patient.

    Args:
        X: (n_patients, p) training patients as the classifier sees them, in any order.
        n: rows wanted; fewer where there are not 5 patients a row. All count the same.
        random_state: seed of the pairing.

    Returns:
        (min(n, n_patients // 5), p) table; each column's mean is the patients' (nearly, unless n divides them).

    Raises:
        ValueError: fewer than 5 patients, a value that is not finite, n below 1.

    >>> background_of(pd.DataFrame({"volume": range(20)}), n=2)["volume"].sort_values().tolist()
    [4.5, 14.5]
    """
    patients = np.asarray(X, dtype=np.float64)
    if n < 1 or len(patients) < PATIENTS_A_VALUE:
        message = (
            f"A background needs n of 1 or more and {PATIENTS_A_VALUE} patients a row; got n={n} and {len(patients)} "
            "patients: give the training patients."
        )
        raise StatisticsError(message)
    if not np.isfinite(patients).all():
        name = X.columns[int(np.argmin(np.isfinite(patients).all(axis=0)))]
        message = f"Feature {name!r} has a value that is not finite: impute it before the background is made."
        raise StatisticsError(message)
    patients = patients[np.lexsort(patients.T[::-1])]
    rows = min(n, len(patients) // PATIENTS_A_VALUE)
    edges = np.arange(rows + 1) * len(patients) // rows
    means = np.add.reduceat(np.sort(patients, axis=0), edges[:-1], axis=0) / np.diff(edges)[:, None]
    scores = ndtri((rankdata(patients, axis=0) - 0.5) / len(patients))
    drawn = np.random.default_rng(random_state).standard_normal((rows, len(patients))) @ scores
    ranks = rankdata(drawn, method="ordinal", axis=0).astype(np.intp) - 1
    return pd.DataFrame(np.take_along_axis(means, ranks, axis=0), columns=X.columns)
