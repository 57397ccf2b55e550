"""The primary model against its controls and the other models, and what every fitted step saw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from glottis.data.tables import Predictions
from glottis.evaluation.comparison import delong_matrix, delong_test
from glottis.evaluation.cross_validated import cross_validated_difference
from glottis.evaluation.discrimination import area
from glottis.study.split import CROSS_VALIDATION, TRAINING, Partition

Fits = Mapping[str, Sequence[Mapping[str, Any]]]
MOST_COMPARED = 100
KEY = ["set", "repeat", "fold", "patient"]


def rows_of(ledger: Predictions, model: str, mode: str = "rigorous") -> pd.DataFrame:
    """A model's rows of the ledger in one mode."""
    frame = ledger.frame
    return frame[(frame["model"] == model) & (frame["mode"] == mode)]


def compared_models(ledger: Predictions, models: Sequence[str]) -> dict[str, Any]:
    """DeLong's tests with Holm's adjustment between all models of every held-out set, on the patients that all have.

    Scores of cross-validation are not compared so: their training patients overlap.
    """
    found: dict[str, Any] = {}
    tables = {model: rows_of(ledger, model) for model in models[:MOST_COMPARED]}
    sets = {name for rows in tables.values() for name in rows["set"]} - {TRAINING, CROSS_VALIDATION}
    for name in sorted(sets):
        scores = {model: rows[rows["set"] == name].set_index("patient") for model, rows in tables.items()}
        scores = {model: rows for model, rows in scores.items() if len(rows)}
        common = sorted(set.intersection(*(set(rows.index) for rows in scores.values())))
        truth = next(iter(scores.values())).loc[common, "y_true"]
        if len(scores) < 2 or truth.nunique() < 2:
            continue
        table = {model: rows.loc[common, "y_score"].to_numpy(dtype=float) for model, rows in scores.items()}
        dropped = {model: len(rows) - len(common) for model, rows in scores.items() if len(rows) > len(common)}
        matrix = delong_matrix(truth.to_numpy(dtype=int), table)
        found[name] = {"n": len(common), "n_dropped": dropped, "matrix": matrix.to_dict()}
    return found


def difference(
    ledger: Predictions, primary: str, control: str, set_: str, *, test_share: float | None
) -> dict[str, Any] | None:
    """AUC of the primary model less that of a control, on the patients that both have; None without both classes."""
    first, second = (
        rows[rows["set"] == set_].set_index(KEY)
        for rows in (rows_of(ledger, primary), rows_of(ledger, control, "control"))
    )
    both = first.join(second["y_score"].rename("y_score_second"), how="inner").reset_index()
    truth = both["y_true"].to_numpy(dtype=int)
    if len(set(truth.tolist())) < 2:
        return None
    scores = both["y_score"].to_numpy(dtype=float), both["y_score_second"].to_numpy(dtype=float)
    n = both["patient"].nunique()
    if set_ == CROSS_VALIDATION:
        places = both["repeat"].to_numpy(), both["fold"].to_numpy()
        interval = cross_validated_difference(truth, *scores, *places, test_share=test_share).interval
        p_value = None
    else:
        test = delong_test(truth, *scores)
        interval, p_value = test.difference, test.p_value
    beats = interval.low is not None and interval.low > 0
    verdict = f"beats {control}" if beats else f"not shown to beat {control} (n = {n})"
    return {"difference": interval.to_dict(), "p_value": p_value, "n": n, "verdict": verdict}


def permutation_results(
    ledger: Predictions,
    primary: str,
    areas: Sequence[tuple[int, Mapping[str, float | None]]],
    counted: set[tuple[int, int]],
) -> dict[str, Any] | None:
    """The primary model's AUC among those of shuffled outcomes, by set.

    Args:
        ledger: scores of all models.
        primary: the model.
        areas: number of the permutation, and held-out AUC by set of one partition.
        counted: repeat and fold of the partitions that permutations went through.
    """
    if not areas:
        return None
    rows = rows_of(ledger, primary)
    sets: dict[str, Any] = {}
    for name in sorted({name for _, found in areas for name in found}):
        values: dict[int, list[float]] = {}
        for number, found in areas:
            if found.get(name) is not None:
                values.setdefault(number, []).append(float(found[name] or 0.0))
        observed = _observed(rows[rows["set"] == name], counted)
        if observed is None or not values:
            continue
        null = [float(np.mean(own)) for own in values.values()]
        reached = sum(value >= observed - 1e-12 for value in null)
        sets[name] = {
            "observed": observed,
            "values": null,
            "mean": float(np.mean(null)),
            "se": float(np.std(null, ddof=1) / np.sqrt(len(null))) if len(null) > 1 else None,
            "p_value": (1 + reached) / (1 + len(null)),
        }
    n = len({number for number, _ in areas})
    return {"n": n, "sets": sets, "note": f"the smallest p that {n} permutations can give is {1 / (n + 1):.3f}"}


def _observed(rows: pd.DataFrame, counted: set[tuple[int, int]]) -> float | None:
    """Mean AUC of the partitions that count."""
    areas = []
    for (repeat, fold), part in rows.groupby(["repeat", "fold"], sort=True):
        truth = part["y_true"].to_numpy(dtype=bool)
        if (repeat, fold) in counted and 0 < truth.sum() < truth.size:
            areas.append(area(truth, part["y_score"].to_numpy(dtype=float)))
    return float(np.mean(areas)) if areas else None


def proof(fits: Fits, parts: Iterable[Partition], mode: str) -> list[dict[str, Any]]:
    """For every model and step: how many patients its fits saw, how many they must not see, and how many were both.

    A fit of an inner fold must not see that fold's own patients either, who are scored by it.
    """
    held_out = {(part.repeat, part.fold): part.held_out() for part in parts}
    found: dict[tuple[str, str], list[tuple[int, int, int]]] = {}
    for model, results in fits.items():
        for result in results:
            outside = held_out[result["fit"]["repeat"], result["fit"]["fold"]]
            inner: dict[int, set[str]] = {}
            for row in result["scores"]:
                if row["set"] == TRAINING:
                    inner.setdefault(row["fold"], set()).add(row["patient"])
            for record in result["log"]:
                saw, fold = set(record["patients"]), record["inner_fold"]
                hidden = outside | (inner.get(fold, set()) if isinstance(fold, int) else set())
                found.setdefault((model, record["step"]), []).append((len(saw), len(hidden), len(saw & hidden)))
    return [
        {
            "mode": mode,
            "model": model,
            "step": step,
            "n_fits": len(rows),
            "saw": [min(row[0] for row in rows), max(row[0] for row in rows)],
            "hidden": [min(row[1] for row in rows), max(row[1] for row in rows)],
            "overlap": sum(row[2] for row in rows),
        }
        for (model, step), rows in found.items()
    ]
