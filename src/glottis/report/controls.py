"""What the controls say, in words: what a model must beat before its AUC means anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from glottis.report.wording import bare_reason, capitalised, counted, joined, level, limits, number, plain, set_name

CHANCE = 0.5
LEVEL = 0.05
OPTIMISTIC = "OPTIMISTIC"
NO_SIGNAL = "no signal is claimed"
STEPS_SEEN = {
    "selection": "features selected on all patients (those of the test included)",
    "threshold": "the threshold chosen on the test patients",
}


def permutation_of(results: Mapping[str, Any], set_: str) -> Mapping[str, Any] | None:
    """The permutation control in a set; ``None`` without one."""
    stored = results["controls"]["permutation"]
    found: Mapping[str, Any] | None = None if stored is None else stored["sets"].get(set_)
    return found


def claims_signal(interval: Mapping[str, Any], permutation: Mapping[str, Any] | None) -> bool:
    """Whether an AUC may be called better than chance: its interval lies above 0.5, and shuffled outcomes do worse."""
    low, p = interval["low"], None if permutation is None else permutation["p_value"]
    return low is not None and low > CHANCE and (p is None or p <= LEVEL)


def verdict(interval: Mapping[str, Any], permutation: Mapping[str, Any] | None, *, approximate: bool) -> str:
    """What interval and permutations say about chance; the headline says no more than this."""
    low, high = interval["low"], interval["high"]
    if claims_signal(interval, permutation):
        return "better than chance" + (", as far as an approximate interval can say" if approximate else "")
    if high is not None and high < CHANCE:
        return f"{NO_SIGNAL}: below chance"
    p = None if permutation is None else permutation["p_value"]
    if low is not None and low > CHANCE and p is not None:
        return f"{NO_SIGNAL}: permutation p = {p_value(p)}"
    return f"{NO_SIGNAL}: not shown to be better than chance"


def p_value(p: float | None) -> str:
    """``0.048``, ``< 0.001``; a dash where there is none."""
    return "< 0.001" if p is not None and p < 0.001 else number(p)


def p_words(p: float | None) -> str:
    """``p = 0.048``, ``p < 0.001``."""
    return f"p {p_value(p)}" if p is not None and p < 0.001 else f"p = {p_value(p)}"


def difference_text(stored: Mapping[str, Any]) -> str:
    """``−0.019 (95% CI −0.070 to 0.032)``."""
    interval = stored["difference"]
    if interval["value"] is None:
        return "not estimable"
    value = ("+" if interval["value"] > 0 else "") + number(interval["value"])
    if interval["low"] is None:
        return f"{value} (no interval: {bare_reason(interval['note'])})"
    return f"{value} ({level(interval)} CI {limits(interval)})"


def tile_lines(results: Mapping[str, Any], set_: str) -> list[str]:
    """The verdicts of a set for its headline: the stored ones, with the difference."""
    lines = [
        f"{capitalised(stored['verdict'])}: {difference_text(stored)}"
        for control in results["controls"]["alone"]
        for stored in [control["differences"].get(set_)]
        if stored is not None
    ]
    permutation = permutation_of(results, set_)
    if permutation is not None:
        lines.append(f"Permutation p: {p_value(permutation['p_value'])}")
    return lines


def controls_paragraph(results: Mapping[str, Any], sets: list[str]) -> tuple[str, ...]:
    """What the first page says of the controls."""
    controls = results["controls"]
    lines = [_alone(control, sets) for control in controls["alone"]]
    if controls["permutation"] is not None:
        lines.append(_permutations(controls["permutation"], sets))
    if controls["absent"]:
        lines.append(f"Not run: {joined(_absent(row) for row in controls['absent'])}.")
    return tuple(line for line in lines if line)


def _absent(row: Mapping[str, str]) -> str:
    return f"{row['name']} ({row['reason'].rstrip('.')})"


def _alone(control: Mapping[str, Any], sets: list[str]) -> str:
    said = []
    for set_ in sets:
        stored, entry = control["differences"].get(set_), control["sets"].get(set_)
        if stored is None or entry is None:
            continue
        p = "" if stored["p_value"] is None else f"; {p_words(stored['p_value'])}"
        where = f"{set_name(set_).lower()} " if len(sets) > 1 else ""
        said.append(
            f"{where}AUC {number(entry['auc']['interval']['value'])}; the primary model less it "
            f"{difference_text(stored)}{p}: {stored['verdict']}"
        )
    if not said:
        return f"{capitalised(control['name'])} has no result in a test set."
    return f"{capitalised(control['name'])} ({joined(_columns(control))}): {'. '.join(map(capitalised, said))}."


def _columns(control: Mapping[str, Any]) -> list[str]:
    columns = [str(column) for column in control["columns"]]
    return columns if len(columns) <= 4 else [*columns[:3], f"{len(columns) - 3} more"]


def _permutations(stored: Mapping[str, Any], sets: list[str]) -> str:
    known = {name: stored["sets"][name] for name in sets if name in stored["sets"]}
    parts = [
        f"{f'{set_name(name).lower()} ' if len(sets) > 1 else ''}mean AUC {number(entry['mean'])}, permutation "
        f"{p_words(entry['p_value'])}"
        for name, entry in known.items()
    ]
    text = f"The same model on {counted(stored['n'], 'shuffled outcome')}: {'; '.join(parts) or 'no result'}."
    if any(entry["p_value"] is not None and entry["p_value"] > LEVEL for entry in known.values()):
        text += " Where p is above 0.05, no signal is claimed."
    least = 1 / (stored["n"] + 1)
    return f"{text} So few permutations cannot show a p below {plain(round(least, 3))}." if least > LEVEL else text


def tangled_warning(results: Mapping[str, Any]) -> str:
    """The stored warning that batch and outcome go together; empty without one."""
    harmonisation = results["harmonisation"]
    stored = None if harmonisation is None else harmonisation["tangled"]
    return "" if stored is None else str(stored["warning"])


def as_published_rows(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Set, the optimistic AUC and the honest one beside it; empty without as-published modes."""
    stored = results["as_published"]
    if stored is None:
        return []
    honest = results["models"][stored["model"]]["sets"]
    return [
        {"set": name, "optimistic": stored["sets"][name]["auc"]["interval"], "honest": entry["auc"]["interval"]}
        for name, entry in honest.items()
        if name in stored["sets"] and name != "training"
    ]


def as_published_words(results: Mapping[str, Any]) -> str:
    """One sentence of the first page; empty without as-published modes."""
    rows = as_published_rows(results)
    if not rows:
        return ""
    parts = [
        f"{set_name(row['set']).lower()} {OPTIMISTIC} AUC {number(row['optimistic']['value'])}, honest "
        f"{number(row['honest']['value'])}"
        for row in rows
    ]
    how = capitalised(how_published(results))
    return f"{how}: {'; '.join(parts)}. An optimistic number counts for nothing."


def how_published(results: Mapping[str, Any]) -> str:
    """What the as-published modes let see held-out patients."""
    return joined(STEPS_SEEN.get(step, step) for step in results["as_published"]["how"])
