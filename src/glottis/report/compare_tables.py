"""A comparison's tables, as data frames with every digit (for CSV); the page formats the same rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

Stored = Mapping[str, Any]
METRICS = (
    "accuracy", "sensitivity", "specificity", "ppv", "npv", "f1", "balanced_accuracy", "youden", "mcc", "lr_positive",
    "lr_negative", "odds_ratio",
)  # fmt: skip
CALIBRATION = ("brier", "brier_scaled", "ici", "e50", "e90", "emax")


def compared_tables(results: Stored) -> dict[str, pd.DataFrame]:
    """Every table that the comparison fills, by the name of its file."""
    rows = {
        "raters": [row for set_ in results["sets"] for row in _raters(results, set_)],
        "cross_validated": [row for set_ in results["sets"] for row in _folds(set_)],
        "auc_differences": [row for set_ in results["sets"] for row in _areas(set_)],
        "call_differences": [row for set_ in results["sets"] for row in _calls(set_)],
        "agreement": [row for set_ in results["sets"] for row in _agreement(set_)],
        "reclassification": [row for set_ in results["sets"] for row in _reclassified(set_)],
        "readers": [row for set_ in results["sets"] for row in _readers(set_)],
        "groups": [row for set_ in results["sets"] for row in _groups(set_)],
        "survival": [row for set_ in results["sets"] for row in _survival(set_)],
    }
    return {name: pd.DataFrame(own) for name, own in rows.items() if own}


def _limits(name: str, stored: Stored | None) -> dict[str, Any]:
    if stored is None:
        return {}
    return {name: stored["value"], f"{name}_low": stored["low"], f"{name}_high": stored["high"]}


def _raters(results: Stored, set_: Stored) -> Iterable[dict[str, Any]]:
    for name, rater in set_["raters"].items():
        cutoff, confusion, calibration = rater["cutoff"], rater["confusion"] or {}, rater["calibration"]
        row = {"set": set_["name"], "rater": name, **results["raters"][name]}
        row |= {key: rater[key] for key in ("scale", "n", "n_positive")}
        row |= _limits("auc", rater["auc"]["interval"])
        row |= {f"auc_delong_{side}": rater["auc"]["delong"][side] for side in ("low", "high")}
        row |= _limits("average_precision", rater["precision_recall"]["average_precision"])
        if cutoff is not None:
            row |= {f"threshold_{key}" if key != "value" else "threshold": value for key, value in cutoff.items()}
            row |= {key: confusion[key] for key in ("tp", "fp", "fn", "tn")}
            for metric in METRICS:
                row |= _limits(metric, confusion[metric])
        if rater["predictive"] is not None:
            row["prevalence"] = rater["predictive"]["prevalence"]
            for key in ("ppv", "npv", "missed_per_100", "over_treated_per_100"):
                row |= _limits(f"{key}_at_prevalence", rater["predictive"][key])
        if calibration is not None:
            for key in ("slope", "intercept", "in_the_large"):
                row |= _limits(f"calibration_{key}", calibration[key])
            row |= {key: calibration[key] for key in CALIBRATION}
            row["hosmer_lemeshow_p"] = rater["hosmer_lemeshow"]["p_value"]
            row["spiegelhalter_p"] = rater["spiegelhalter"]["p_value"]
        yield row


def _folds(set_: Stored) -> Iterable[dict[str, Any]]:
    for name, rater in set_["folds"].items():
        row = {"set": set_["name"], "rater": name, "n": rater["n"], "n_positive": rater["n_positive"]}
        row |= _limits("auc", rater["auc"]["interval"])
        row |= {"auc_sd_over_repeats": rater["auc"]["sd_over_repeats"], "folds": len(rater["auc"]["fold_values"])}
        for metric in rater["metrics"]:
            row |= {metric["name"]: metric["mean"], f"{metric['name']}_sd_over_repeats": metric["sd"]}
        yield row


def _pairs(set_: Stored, key: str) -> list[Stored]:
    return [] if set_["pairs"] is None else list(set_["pairs"][key])


def _areas(set_: Stored) -> Iterable[dict[str, Any]]:
    for pair in _pairs(set_, "areas"):
        test = pair["test"]
        yield {
            "set": set_["name"],
            "first": pair["first"],
            "second": pair["second"],
            "auc_first": test["first"],
            "auc_second": test["second"],
            **_limits("difference", test["difference"]),
            "z": test["statistic"],
            "p": test["p_value"],
            "p_holm": pair["p_holm"],
            "conclusion": pair["conclusion"],
        }


def _calls(set_: Stored) -> Iterable[dict[str, Any]]:
    for pair in _pairs(set_, "calls"):
        for metric in ("accuracy", "sensitivity", "specificity"):
            test = pair[metric]
            yield {
                "set": set_["name"],
                "first": pair["first"],
                "second": pair["second"],
                "metric": metric,
                "first_only_right": test["first_only"],
                "second_only_right": test["second_only"],
                **_limits("difference", test["difference"]),
                "p": test["p_value"],
                "p_holm": pair["p_holm"][metric],
            }


def _agreement(set_: Stored) -> Iterable[dict[str, Any]]:
    for row in _pairs(set_, "agreement"):
        kappa = row["kappa"]
        yield {
            "set": set_["name"],
            "first": row["first"],
            "second": row["second"],
            "of": row["of"],
            "kind": kappa["kind"],
            **_limits("kappa", kappa["interval"]),
            "observed": kappa["observed"],
            "expected": kappa["expected"],
            "n": kappa["n"],
        }


def _reclassified(set_: Stored) -> Iterable[dict[str, Any]]:
    for row in _pairs(set_, "reclassification"):
        yield {
            "set": set_["name"],
            "model": row["model"],
            "reference": row["reference"],
            **_limits("nri", row["nri"]["total"]),
            "nri_p": row["nri"]["p_value"],
            **_limits("idi", row["idi"]["total"]),
            "idi_p": row["idi"]["p_value"],
        }


def _readers(set_: Stored) -> Iterable[dict[str, Any]]:
    study = None if set_["pairs"] is None else set_["pairs"]["readers"]
    if study is None:
        return
    for modality, areas, mean in zip(study["modalities"], study["auc"], study["means"], strict=True):
        for reader, area in zip(study["readers"], areas, strict=True):
            yield {"set": set_["name"], "what": "AUC", "modality": modality, "reader": reader, "value": area}
        yield {"set": set_["name"], "what": "mean AUC", "modality": modality, **_limits("value", mean)}
    for row in study["differences"]:
        own = {
            "modality": row["first"],
            "less": row["second"],
            **_limits("value", row["difference"]),
            "p": row["p_value"],
        }
        yield {"set": set_["name"], "what": "difference of means", **own}


def _groups(set_: Stored) -> Iterable[dict[str, Any]]:
    for name, rater in set_["raters"].items():
        for variable in rater["groups"]:
            for group in variable["groups"]:
                confusion, auc = group["confusion"] or {}, group["auc"]
                row = {"set": set_["name"], "rater": name, "variable": variable["variable"], "group": group["group"]}
                row |= {"n": group["n"], "n_positive": group["n_positive"]}
                row |= _limits("auc", auc["interval"] if auc else None)
                for metric in ("sensitivity", "specificity"):
                    row |= _limits(metric, confusion.get(metric))
                row |= _recalibrated(group)
                yield row | {
                    "heterogeneity_p": variable["heterogeneity"]["p_value"],
                    "i_squared": variable["heterogeneity"]["i_squared"],
                    "note": group["note"],
                }
    for name, rater in set_["survival"].items():
        for group in rater["groups"]:
            row = {"set": set_["name"], "rater": name, "variable": group["variable"], "group": group["group"]}
            row |= {"n": group["n"], "n_events": group["n_events"]}
            yield row | _limits("harrell_c", group["harrell"]["interval"])


def _recalibrated(group: Stored) -> dict[str, Any]:
    """Calibration in a group, and what moving the intercept to it changes; empty for scores without probabilities."""
    update = group["recalibration"]
    if update is None:
        return {}
    row = _limits("intercept_moved_by", update["shift"])
    for when in ("before", "after"):
        row |= {f"calibration_{key}_{when}": update[when][key]["value"] for key in ("slope", "in_the_large")}
        row |= {f"brier_{when}": update[when]["brier"], f"ici_{when}": update[when]["ici"]}
    for metric in ("sensitivity", "specificity"):
        row |= _limits(f"{metric}_after", (group["confusion_updated"] or {}).get(metric))
    return row


def _survival(set_: Stored) -> Iterable[dict[str, Any]]:
    for name, rater in set_["survival"].items():
        cox = rater["cox"] or {"terms": [{"hazard_ratio": None, "p_value": None}], "proportional_hazards": []}
        term, tests = cox["terms"][0], cox["proportional_hazards"]
        row = {"set": set_["name"], "rater": name, "n": rater["n"], "n_events": rater["n_events"]}
        row |= _limits("harrell_c", rater["harrell"]["interval"]) | _limits("uno_c", rater["uno"]["interval"])
        row |= _limits("hazard_ratio_per_sd", term["hazard_ratio"]) | {"hazard_ratio_p": term["p_value"]}
        row |= {"threshold": rater["cutoff"]["value"], "threshold_source": rater["cutoff"]["source"]}
        row["logrank_p"] = None if rater["logrank"] is None else rater["logrank"]["p_value"]
        for point in (rater["time_auc"] or {"points": []})["points"]:
            row |= _limits(f"auc_by_{point['at']:g}", point["interval"])
        yield row | {"proportional_hazards_p": tests[0]["p_value"] if tests else None}
