"""Tables of the final model: odds ratios of its regressions, points of its nomogram, SHAP values, importance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from glottis.modelling.nomogram import Nomogram
from glottis.study.result import StudyResult

ODDS = ("model", "variable", "level", "reference", "kind", "odds_ratio", "low", "high", "p_value", "n")


def tables_of_final(result: StudyResult) -> dict[str, pd.DataFrame]:
    """Every one that there is, by the name of the file; empty without a final model."""
    final = result.final
    if final is None or final["absent"]:
        return {}
    found = {"odds_ratios": odds_ratios(final["tables"])} if final["tables"] else {}
    if final["nomogram"] is not None:
        found["nomogram"] = Nomogram.from_dict(final["nomogram"]["points"]).to_table()
    return found if final["explanation"]["absent"] else found | _explained(final["explanation"])


def _explained(explanation: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    found = {}
    if explanation["shap"] is not None:
        stored = explanation["shap"]
        values = pd.DataFrame(stored["values"], columns=stored["columns"])
        found["shap"] = values.assign(patient=stored["rows"], base=stored["base"]).set_index("patient").reset_index()
    if explanation["permutation"] is not None:
        parts = explanation["permutation"]["parts"]
        found["importance"] = pd.DataFrame([{key: part[key] for key in ("name", "value", "sd")} for part in parts])
    return found


def odds_ratios(tables: Mapping[str, Any]) -> pd.DataFrame:
    """One row a model, column (of a word: level) and kind of regression: alone, or together with the others."""
    rows = [
        {
            "model": model,
            **{name: row[name] for name in ("variable", "level", "reference")},
            "kind": kind,
            "odds_ratio": row[kind]["ratio"]["value"],
            "low": row[kind]["ratio"]["low"],
            "high": row[kind]["ratio"]["high"],
            "p_value": row[kind]["p_value"],
            "n": row["n_univariable"] if kind == "univariable" else table["n_multivariable"],
        }
        for model, table in tables.items()
        for row in table["rows"]
        for kind in ("univariable", "multivariable")
        if row[kind] is not None
    ]
    return pd.DataFrame(rows, columns=list(ODDS))
