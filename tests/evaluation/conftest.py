"""Real data of the statistics."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest


@pytest.fixture(scope="session")
def asah(shared_data: Path) -> pd.DataFrame:
    """PROC's data set aSAH: 113 patients, ``poor`` (0/1) and three markers."""
    table = pd.read_csv(shared_data / "stats" / "aSAH.csv")
    return table.assign(poor=(table["outcome"] == "Poor").astype(int), wfns=table["wfns"].astype(float))
