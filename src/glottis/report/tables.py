"""The report's tables, as data frames with every digit (for CSV); the report formats the same rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from glottis.io.files import write_text_atomic
from glottis.report.tables_controls import tables_of_controls
from glottis.report.tables_final import tables_of_final
from glottis.report.tables_fits import tables_of_fits
from glottis.report.wording import METRICS
from glottis.study.result import StudyResult


def all_tables(result: StudyResult) -> dict[str, pd.DataFrame]:
    """Every table by the name of its file."""
    return {
        "models": models(result.results),
        "features_selected": features_selected(result.results),
        "count_ledger": count_ledger(result.extraction),
        "selection_steps": selection_steps(result.results),
        "flow": flow(result.flow),
        "checks": checks(result.checks),
        **tables_of_controls(result.results),
        **tables_of_fits(result.results),
        **tables_of_final(result),
    }


def write_tables(tables: Mapping[str, pd.DataFrame], folder: Path) -> None:
    """Store each table as CSV; numbers keep every digit."""
    for name, table in tables.items():
        write_text_atomic(folder / f"{name}.csv", table.to_csv(index=False, lineterminator="\n"))


def models(results: Mapping[str, Any]) -> pd.DataFrame:
    """One row a model and set: size, AUC and every metric with its interval."""
    rows = []
    for model, entry in results["models"].items():
        for name, values in entry["sets"].items():
            auc = values["auc"]
            row = {
                "model": model,
                "classifier": entry["classifier"],
                "fusion": entry["fusion"],
                "inner_auc": entry["inner_auc"],
                "set": name,
                "n": values["n"],
                "n_positive": values["n_positive"],
                "auc": auc["interval"]["value"],
                "auc_low": auc["interval"]["low"],
                "auc_high": auc["interval"]["high"],
                "auc_interval": auc["interval"]["method"],
                "auc_sd_over_repeats": auc.get("sd_over_repeats"),
                "auc_note": auc["interval"]["note"],
                "threshold": values["threshold"],
                **values["confusion"],
            }
            for metric in METRICS:
                stored = values["metrics"][metric]
                row |= {
                    metric: stored["value"],
                    f"{metric}_low": stored.get("low"),
                    f"{metric}_high": stored.get("high"),
                    f"{metric}_sd_over_repeats": stored.get("sd"),
                }
            rows.append(row)
    return pd.DataFrame(rows)


def features_selected(results: Mapping[str, Any]) -> pd.DataFrame:
    """One row a model, fit and selected feature."""
    columns = ["model", "repeat", "fold", "feature", "importance", "lasso", "icc_intra", "icc_inter"]
    rows = [
        {"model": model, "repeat": fit["repeat"], "fold": fit["fold"], **feature}
        for model, entry in results["models"].items()
        for fit in entry["fits"]
        for feature in fit["selected"]
    ]
    return pd.DataFrame(rows, columns=columns)


def count_ledger(extraction: Mapping[str, Any]) -> pd.DataFrame:
    """How many features came from which filter and class, a sequence at a time."""
    return pd.DataFrame(extraction["counts"], columns=["sequence", "filter", "class", "n"])


def selection_steps(results: Mapping[str, Any]) -> pd.DataFrame:
    """How many features were left after each step of each fit."""
    rows = [
        {"model": model, "repeat": fit["repeat"], "fold": fit["fold"], "step": step["step"], "n_left": step["n"]}
        for model, entry in results["models"].items()
        for fit in entry["fits"]
        for step in fit["kept"]
    ]
    return pd.DataFrame(rows, columns=["model", "repeat", "fold", "step", "n_left"])


def flow(stored: Mapping[str, Any]) -> pd.DataFrame:
    """One row a patient that was left out: of the study, or of one model."""
    rows = [{"left_out_of": "study", **entry} for entry in stored["excluded"]]
    for model, entry in stored["models"].items():
        rows += [{"left_out_of": f"model {model}", **missing} for missing in entry["missing"]]
    return pd.DataFrame(rows, columns=["left_out_of", "patient", "reason"])


def checks(stored: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Findings as the checks stored them."""
    return pd.DataFrame(
        [dict(entry) for entry in stored], columns=["severity", "code", "patient", "sequence", "message", "remedy"]
    )
