"""Explanations and importances for the tests of figures: 0 is one patient, 8 is many long names and hard values."""

from __future__ import annotations

import numpy as np
import pandas as pd

from glottis.evaluation import PermutationImportance, permutation_importance
from glottis.modelling import Explanation

LONG = "T2WI_wavelet-LLH_glszm_SmallAreaLowGrayLevelEmphasis 喉癌影像组学特征"


def explanation(n: int) -> Explanation:
    rng = np.random.default_rng(n)
    columns = {0: (LONG,), 1: ("age",), 3: ("age", "体积 (mm³)", LONG), 8: tuple(f"{LONG} {i}" for i in range(20))}[n]
    rows = {0: 1, 1: 3, 3: 30, 8: 120}[n]
    values, data = rng.standard_normal((rows, len(columns))), rng.standard_normal((rows, len(columns))) * 1e5
    if n == 8:  # a constant feature, ties, missing values, one feature without effect
        data[:, 0], data[:, 1], data[::7, 2] = 2.0, np.arange(rows) % 2, np.nan
        values[:, 3], values[:, 1] = 0.0, np.arange(rows) % 2
    return Explanation(
        values=values,
        base=-0.4,
        scale="log-odds" if n else "probability",
        rows=tuple(f"P{i:03d}" for i in range(rows)),
        columns=columns,
        data=data,
        how="",
    )


def importance(n: int) -> PermutationImportance:
    found = explanation(n)
    truth = np.arange(40) % 2
    table = pd.DataFrame(np.random.default_rng(n).standard_normal((40, len(found.columns))), columns=found.columns)
    scored = table.iloc[:, 0] + 2 * truth if n else table.iloc[:, 0] * 0
    return permutation_importance(
        lambda rows: rows.iloc[:, 0] + scored.mean(), table + truth[:, None], truth, repeats=5
    )
