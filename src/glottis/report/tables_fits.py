"""Tables of what fits found: stability, blocks, harmonisation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

Results = Mapping[str, Any]


def tables_of_fits(results: Results) -> dict[str, pd.DataFrame]:
    """Every one by the name of its file; that of the harmonisation only where there was one."""
    found = {"stability": stability(results), "blocks": blocks(results)}
    return found if results["harmonisation"] is None else {**found, "harmonisation": harmonisation(results)}


def stability(results: Results) -> pd.DataFrame:
    """One row a model and feature: how often it was chosen, with Nogueira's index of the model."""
    columns = ["model", "feature", "chosen", "of", "index", "index_low", "index_high"]
    rows = []
    for model, entry in results["models"].items():
        stored = entry["stability_index"]
        index = {} if stored is None else stored["index"]
        limits = {"index": index.get("value"), "index_low": index.get("low"), "index_high": index.get("high")}
        rows += [{"model": model, **row, **limits} for row in entry["stability"]]
    return pd.DataFrame(rows, columns=columns)


def blocks(results: Results) -> pd.DataFrame:
    """One row a model and block: what the block contributes."""
    columns = ["model", "fusion", "classifier", "block", "n_selected", "share_selected", "share_importance", "weight"]
    rows = [
        {"model": model, "fusion": entry["fusion"], "classifier": entry["classifier"], **block}
        for model, entry in results["models"].items()
        for block in entry["blocks"]
    ]
    return pd.DataFrame(rows, columns=columns)


def harmonisation(results: Results) -> pd.DataFrame:
    """One row a measure of the batch effect and time: of the table as a whole, and of every feature."""
    stored = results["harmonisation"]
    rows: list[dict[str, Any]] = []
    for when in ("before", "after"):
        effect = stored[when]
        if effect is None:
            continue
        rows += [
            {"when": when, "measure": measure, "feature": "", "value": effect[measure]}
            for measure in ("eta_squared_median", "share_significant", "auc", "chance", "chance_sd")
        ]
        for measure in ("eta_squared", "p_adjusted"):
            rows += [
                {"when": when, "measure": measure, "feature": feature, "value": value}
                for feature, value in effect[measure].items()
            ]
    return pd.DataFrame(rows, columns=["when", "measure", "feature", "value"])
