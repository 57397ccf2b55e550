"""A small study that starts from a table of features."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from glottis.cli import run_command
from glottis.study.source import Source, read_source
from glottis.study.spec import read_study

N = 40
SETTINGS: dict[str, Any] = {
    "title": "A table",
    "id": "ID",
    "outcome": {"column": "Target"},
    "features": "table.csv",
    "split": {"method": "kfold", "folds": 2, "repeats": 1},
    "selection": {"lasso": None, "n_features": 3},
    "model": {"folds": 2, "grid": {"n_estimators": [5], "max_depth": [2]}},
}


def features_of(seed: int = 3, *, n: int = N, prefixes: tuple[str, ...] = ("original",)) -> pd.DataFrame:
    """Six features a prefix, the first of which is a little higher in every second row, and the last two columns."""
    rng = np.random.default_rng(seed)
    names = [f"{prefix}_glcm_F{number}" for prefix in prefixes for number in range(6)]
    values = 100 + 10 * rng.normal(size=(n, len(names)))
    values[1::2, 0] += 12
    ids = {"ID": [f"N{number:02d}" for number in range(n)], "Target": [number % 2 for number in range(n)]}
    return pd.DataFrame(values, columns=names).assign(**ids)


@dataclass
class TableStudy:
    """Tables and a study file in a folder; a test may change either."""

    folder: Path
    table: pd.DataFrame = field(default_factory=features_of)
    settings: dict[str, Any] = field(default_factory=lambda: dict(SETTINGS))
    others: dict[str, pd.DataFrame] = field(default_factory=dict)

    @property
    def run(self) -> Path:
        return self.folder / "run"

    def write(self) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        for name, table in {"table.csv": self.table, **self.others}.items():
            table.to_csv(self.folder / name, index=False)
        study = self.folder / "study.yaml"
        study.write_text(yaml.safe_dump(self.settings, sort_keys=False))
        return study

    def with_features(self, **block: Any) -> TableStudy:
        """The same with a ``features`` block."""
        return TableStudy(
            self.folder, self.table, self.settings | {"features": {"table": "table.csv", **block}}, self.others
        )

    def source(self, *, strict: bool = False) -> Source:
        return read_source(read_study(self.write()), strict=strict)

    def finish(self) -> Path:
        assert run_command(["run", str(self.write()), "--out", str(self.run)]) == 0
        return self.run
