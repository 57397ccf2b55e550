"""Made clinical tables with a known truth, for the tests of this folder."""

from __future__ import annotations

import numpy as np
import pandas as pd

TRUTH = {"age": 0.5, "size": 0.5, "stage: per step": 0.4, "site: b": 0.8, "site: c": -0.8}
STAGES = ("one", "two", "three", "four")


def clinical(seed: int = 0, *, n: int = 200, gaps: bool = True) -> tuple[pd.DataFrame, pd.Series]:
    """Age, size, an ordered stage and a site that all matter; gaps in the last three, likelier in old positives."""
    rng = np.random.default_rng(seed)
    age = rng.standard_normal(n)
    size = 0.6 * age + 0.8 * rng.standard_normal(n)
    stage = np.digitize(0.7 * size + 0.7 * rng.standard_normal(n), [-0.8, 0, 0.8])
    pull = np.column_stack([np.zeros(n), 0.6 * age, 0.4 * size - 0.6 * age])
    site = np.array(["a", "b", "c"])[(pull + rng.gumbel(size=(n, 3))).argmax(axis=1)]
    log_odds = -1 + 0.5 * age + 0.5 * size + 0.4 * (stage - 1.5) + 0.8 * (site == "b") - 0.8 * (site == "c")
    y = rng.random(n) < 1 / (1 + np.exp(-log_odds))
    words = {"stage": np.array(STAGES)[stage].astype(object), "site": site.astype(object)}
    table = pd.DataFrame({"age": age, "size": size, **words}, index=[f"P{i:03d}" for i in range(n)])
    for name in ("size", "stage", "site") if gaps else ():
        gone = rng.random(n) < 1 / (1 + np.exp(2.0 - 1.6 * y - 0.8 * age))
        table[name] = table[name].mask(gone, np.nan if name == "size" else None)
    return table, pd.Series(y.astype(int), index=table.index)
