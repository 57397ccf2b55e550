"""Real data of the statistics."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest


@pytest.fixture(scope="session")
def asah(shared_data: Path) -> pd.DataFrame:
    """PROC's data set aSAH: 113 patients, ``poor`` (0/1) and three markers."""
    table = pd.read_csv(shared_data / "stats" / "aSAH.csv")
    return table.assign(poor=(table["outcome"] == "Poor").astype(int), wfns=table["wfns"].astype(float))


@pytest.fixture(scope="session")
def cancer_predictors(shared_data: Path) -> tuple[np.ndarray, np.ndarray]:
    """Three predictors and the outcome of 750 patients (df_binary of dcurves)."""
    table = pd.read_csv(shared_data / "stats" / "df_binary.csv")
    return table[["age", "famhistory", "marker"]].to_numpy(dtype=float), table["cancer"].to_numpy(dtype=int)
