"""A comparison in words, for the terminal and the first screen: no claim beyond what was shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from glottis.report.wording import MISSING, bare_reason, counted, event_name, joined, level, limits, number, set_name

Stored = Mapping[str, Any]
LISTED_PAIRS = 10
ALL_PATIENTS = "All patients"


def p_text(p: float | None) -> str:
    """``0.016``, ``< 0.001``, or a dash; as papers print it."""
    if p is None:
        return MISSING
    return "< 0.001" if p < 0.001 else number(p) if p < 0.995 else "> 0.99"


def p_words(p: float | None, name: str = "p") -> str:
    """``p = 0.016``, ``p < 0.001``."""
    text = p_text(p)
    return f"{name} not estimable" if p is None else f"{name} {text}" if text[0] in "<>" else f"{name} = {text}"


def set_words(name: str) -> str:
    """What a set is called; a table without sets is all its patients."""
    return set_name(name) if name else ALL_PATIENTS


def size(results: Stored, set_: Stored) -> str:
    """``113 patients, 41 with Poor``."""
    text = counted(set_["n"], "patient")
    if set_["n_positive"] is not None:
        return f"{text}, {set_['n_positive']} with {event_name(results['outcome'])}"
    events = next(iter(set_["survival"].values()))["n_events"]
    return f"{text}, {counted(events, 'event')}"


def interval_words(interval: Stored) -> str:
    """``0.731 (95% CI 0.619 to 0.820)``, or why there are no limits."""
    value = number(interval["value"])
    if interval["low"] is None:
        return f"{value} (no interval: {bare_reason(interval['note'])})"
    return f"{value} ({level(interval)} CI {limits(interval)})"


def lines(results: Stored) -> list[str]:
    """What the command prints: a line a rater and a line a comparison."""
    found = [*results["notes"]]
    for set_ in results["sets"]:
        found.append(f"{set_words(set_['name'])}: {size(results, set_)}")
        found += [f"  {text}" for text in (*_rater_lines(set_), *findings(results, set_), *set_["notes"])]
        found += [f"  {text}" for text in dropped(set_)]
    return found


def _rater_lines(set_: Stored) -> Iterable[str]:
    for name, rater in set_["raters"].items():
        yield f"{name}: AUC {interval_words(rater['auc']['interval'])}{_at_cutoff(rater)}"
    for name, rater in set_["folds"].items():
        yield f"{name}: mean AUC over folds {interval_words(rater['auc']['interval'])}, approximate"
    for name, rater in set_["survival"].items():
        yield f"{name}: Harrell's C {interval_words(rater['harrell']['interval'])}"


def _at_cutoff(rater: Stored) -> str:
    if rater["confusion"] is None:
        return ""
    sensitivity, specificity = (rater["confusion"][key] for key in ("sensitivity", "specificity"))
    stamp = " OPTIMISTIC" if rater["cutoff"]["optimistic"] else ""
    where = "" if rater["scale"] == "binary" else f" at {rater['cutoff']['value']:g}"
    return f"; sensitivity {number(sensitivity['value'])}, specificity {number(specificity['value'])}{where}{stamp}"


def findings(results: Stored, set_: Stored) -> list[str]:
    """What the comparisons say: readers in modalities first, then the pairs, the shown before the not shown."""
    pairs = set_["pairs"]
    if pairs is None:
        return []
    found = reader_findings(pairs["readers"]) if pairs["readers"] else []
    shown = [area for area in pairs["areas"] if area["p_holm"] is not None and area["p_holm"] < 1 - results["level"]]
    found += [area_words(area) for area in shown[:LISTED_PAIRS]]
    if len(shown) > LISTED_PAIRS:
        found.append(f"{len(shown) - LISTED_PAIRS} further pairs differ: see the table of differences.")
    others = [area for area in pairs["areas"] if area not in shown]
    if others and len(pairs["areas"]) <= LISTED_PAIRS:
        found += [area_words(area) for area in others]
    elif others:
        found.append(f"{len(others)} of {len(pairs['areas'])} pairs of AUCs are not shown to differ.")
    return found


def area_words(area: Stored) -> str:
    """One paired difference of AUCs with its interval, its adjusted p and what follows."""
    difference = area["test"]["difference"]
    if area["p_holm"] is None:
        return f"{area['first']} less {area['second']}: difference of AUC {interval_words(difference)}"
    return (
        f"{area['first']} less {area['second']}: difference of AUC {interval_words(difference)}, "
        f"{p_words(area['p_holm'], 'Holm-adjusted p')}: {area['conclusion']}"
    )


def reader_findings(study: Stored) -> list[str]:
    """The Obuchowski-Rockette analysis in sentences."""
    who = f"{counted(len(study['readers']), 'reader')}, {joined(study['modalities'])}"
    alpha = 1 - study["means"][0]["level"]
    found = []
    for row in study["differences"]:
        shown = row["p_value"] is not None and row["p_value"] < alpha
        better = row["first"] if row["difference"]["value"] > 0 else row["second"]
        verdict = f"{better} has the higher mean AUC" if shown else "not shown to differ"
        found.append(
            f"Readers ({who}): mean AUC with {row['first']} less {row['second']} {interval_words(row['difference'])}, "
            f"{p_words(row['p_value'])}: {verdict} (Obuchowski-Rockette)"
        )
    return found


def dropped(set_: Stored) -> list[str]:
    """Who was left out so that all raters have the same patients."""
    if not set_["n_dropped"]:
        return []
    parts = joined(f"{n} of {name}" for name, n in set_["n_dropped"].items())
    return [f"Compared on the {counted(set_['n'], 'patient')} that all raters have; left out: {parts}."]


def notes(results: Stored) -> list[str]:
    """What was left out or not done, each once, with the set and the raters that it concerns."""
    found = list(results["notes"])
    for set_ in results["sets"]:
        where = f"{set_words(set_['name'])}: " if len(results["sets"]) > 1 else ""
        found += [f"{where}{note}" for note in (*set_["notes"], *(set_["pairs"] or {"notes": []})["notes"])]
        concerned = _rater_notes(set_)
        everybody = {name for names in concerned.values() for name in names} | set(set_["raters"] or set_["survival"])
        for note, names in concerned.items():
            who = "" if len(names) == len(everybody) else f"{joined(names)}: "
            found.append(f"{where}{who}{note}")
    return found


def _rater_notes(set_: Stored) -> dict[str, list[str]]:
    rows: dict[str, list[str]] = {}
    for part, measure in (("raters", "auc"), ("folds", "auc"), ("survival", "harrell")):
        for name, rater in set_[part].items():
            reason = rater[measure]["interval"]["note"]
            for note in (*rater["notes"], *((f"No interval: {bare_reason(reason)}.",) if reason else ())):
                rows.setdefault(note, []).append(name)
    return {note: list(dict.fromkeys(names)) for note, names in rows.items()}


def tiles(set_: Stored) -> list[dict[str, Any]]:
    """The first numbers of a set: means over readers where modalities are compared, else a number a rater."""
    study = None if set_["pairs"] is None else set_["pairs"]["readers"]
    if study is not None:
        what = f"mean AUC of {counted(len(study['readers']), 'reader')}"
        means = zip(study["modalities"], study["means"], strict=True)
        return [{"name": name, "what": what, "kind": "", "interval": mean} for name, mean in means]
    found = [_tile(name, "AUC", "", rater["auc"]) for name, rater in set_["raters"].items()]
    found += [_tile(name, "mean AUC over folds", "approx. ", rater["auc"]) for name, rater in set_["folds"].items()]
    if not found:
        found = [_tile(name, "Harrell's C", "", rater["harrell"]) for name, rater in set_["survival"].items()]
    return found


def _tile(name: str, what: str, kind: str, stored: Stored) -> dict[str, Any]:
    return {"name": name, "what": what, "kind": kind, "interval": stored["interval"]}
