"""Tables of what a model is held against: controls, other models, the proof, the optimistic numbers."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import pandas as pd

from glottis.report.controls import as_published_rows

Results = Mapping[str, Any]


def tables_of_controls(results: Results) -> dict[str, pd.DataFrame]:
    """Every one by the name of its file; that of as-published modes only where there were any."""
    found = {
        "controls": controls(results["controls"]),
        "comparisons": comparisons(results["comparisons"]),
        "proof": proof(results),
    }
    published = as_published(results)
    return found if published.empty else {**found, "as_published": published}


def controls(stored: Mapping[str, Any]) -> pd.DataFrame:
    """One row a control and set; of a control that did not run, one with the reason."""
    columns = ["control", "columns", "set", "n", "auc", "auc_low", "auc_high", "difference", "difference_low"]
    columns += ["difference_high", "interval", "p_value", "verdict", "note"]
    rows: list[dict[str, Any]] = []
    permutation = stored["permutation"]
    if permutation is not None:
        rows += [
            {
                "control": "permuted outcomes",
                "set": name,
                "n": permutation["n"],
                "auc": entry["mean"],
                "p_value": entry["p_value"],
                "note": permutation["note"],
            }
            for name, entry in permutation["sets"].items()
        ]
    for control in stored["alone"]:
        for name, entry in control["sets"].items():
            rows.append(_alone(control, name, entry))
    rows += [{"control": row["name"], "verdict": "not run", "note": row["reason"]} for row in stored["absent"]]
    return pd.DataFrame(rows, columns=columns)


def _alone(control: Mapping[str, Any], name: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    interval = entry["auc"]["interval"]
    row = {
        "control": control["name"],
        "columns": " ".join(map(str, control["columns"])),
        "set": name,
        "n": entry["n"],
        "auc": interval["value"],
        "auc_low": interval["low"],
        "auc_high": interval["high"],
        "note": "; ".join(control["notes"]),
    }
    stored = control["differences"].get(name)
    if stored is None:
        return row
    difference = stored["difference"]
    return {
        **row,
        "difference": difference["value"],
        "difference_low": difference["low"],
        "difference_high": difference["high"],
        "interval": difference["method"],
        "p_value": stored["p_value"],
        "verdict": stored["verdict"],
    }


def comparisons(stored: Mapping[str, Any]) -> pd.DataFrame:
    """One row a set and pair of models, on their common patients."""
    columns = ["set", "n", "model", "against", "auc", "auc_against", "difference", "low", "high", "p_value", "p_holm"]
    rows = []
    for name, entry in stored.items():
        matrix = entry["matrix"]
        for i, j in combinations(range(len(matrix["models"])), 2):
            found = {key: matrix[key][i][j] for key in ("difference", "low", "high", "p_value", "p_holm")}
            pair = {"model": matrix["models"][i], "against": matrix["models"][j]}
            areas = {"auc": matrix["auc"][i], "auc_against": matrix["auc"][j]}
            rows.append({"set": name, "n": entry["n"], **pair, **areas, **found})
    return pd.DataFrame(rows, columns=columns)


def proof(results: Results) -> pd.DataFrame:
    """Every row of the proof."""
    columns = ["mode", "model", "step", "n_fits", "saw_fewest", "saw_most", "hidden_fewest", "hidden_most", "overlap"]
    rows = [
        {
            **row,
            "saw_fewest": row["saw"][0],
            "saw_most": row["saw"][1],
            "hidden_fewest": row["hidden"][0],
            "hidden_most": row["hidden"][1],
        }
        for row in results["proof"]
    ]
    return pd.DataFrame(rows, columns=columns)


def as_published(results: Results) -> pd.DataFrame:
    """The optimistic AUC and the honest one beside it."""
    rows = []
    for row in as_published_rows(results):
        sides = {
            f"auc_{side}{end}": row[kind][key]
            for kind, side in (("optimistic", "OPTIMISTIC"), ("honest", "honest"))
            for key, end in (("value", ""), ("low", "_low"), ("high", "_high"))
        }
        rows.append({"model": results["as_published"]["model"], "set": row["set"], **sides})
    return pd.DataFrame(rows)
