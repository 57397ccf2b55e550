"""Tables of the final model: odds ratios, points, SHAP values, importance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from glottis.modelling.nomogram import Nomogram

Final = Mapping[str, Any]
RATIO = ("value", "low", "high")


def tables_of_final(final: Final | None) -> dict[str, pd.DataFrame]:
    """Every one that there is, by the name of its file."""
    if final is None or final["absent"]:
        return {}
    found = {"odds_ratios": odds_ratios(final)} if final["tables"] else {}
    if final["nomogram"] is not None:
        found["nomogram"] = Nomogram.from_dict(final["nomogram"]["points"]).to_table()
    explanation = final["explanation"]
    if not explanation["absent"] and explanation["shap"] is not None:
        stored = explanation["shap"]
        values = pd.DataFrame(stored["values"], columns=stored["columns"])
        found["shap"] = values.assign(patient=stored["rows"], base=stored["base"]).set_index("patient").reset_index()
    if not explanation["absent"] and explanation["permutation"] is not None:
        parts = explanation["permutation"]["parts"]
        found["importance"] = pd.DataFrame([{key: part[key] for key in ("name", "value", "sd")} for part in parts])
    return found


def odds_ratios(final: Final) -> pd.DataFrame:
    """One row a model, predictor and level."""
    rows = []
    for model, table in final["tables"].items():
        for row in table["rows"]:
            found = {"model": model, **{key: row[key] for key in ("variable", "level", "reference")}}
            for name in ("univariable", "multivariable"):
                stored = row[name]
                ratio = stored["ratio"] if stored is not None else dict.fromkeys(RATIO)
                found |= {f"{name}_{key}": ratio[key] for key in RATIO}
                found[f"{name}_p"] = None if stored is None else stored["p_value"]
            rows.append(found)
    return pd.DataFrame(rows)
