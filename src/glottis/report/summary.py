"""The first screen in plain words: question, patients, test, result, and how far to trust it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from glottis.report.controls import (
    CHANCE,
    as_published_words,
    claims_signal,
    controls_paragraph,
    p_words,
    permutation_of,
    tangled_warning,
    tile_lines,
    verdict,
)
from glottis.report.failures import failed_words
from glottis.report.groups import flow_of
from glottis.report.sections import section
from glottis.report.wording import (
    bare_reason,
    capitalised,
    counted,
    event_name,
    joined,
    level,
    limits,
    number,
    set_name,
)
from glottis.study.result import StudyResult
from glottis.study.split import CROSS_VALIDATION, EXTERNAL, INTERNAL


@dataclass(frozen=True)
class Headline:
    """The primary model in one test set.

    Attributes:
        name: the set.
        auc: AUC with three decimals.
        interval: its limits, or why there are none.
        size: patients and events.
        verdict: what interval and permutations say about chance.
        controls: the verdict of every control in this set.
    """

    name: str
    auc: str
    interval: str
    size: str
    verdict: str
    controls: tuple[str, ...]


@dataclass(frozen=True)
class Summary:
    """Paragraphs, headlines and warnings of the first screen."""

    asked: str
    who: str
    tested: str
    out: tuple[str, ...]
    controls: tuple[str, ...]
    trust: tuple[str, ...]
    headlines: tuple[Headline, ...]
    tangled: str
    as_published: str


def summarise(result: StudyResult) -> Summary:
    """Write the first screen from stored results."""
    primary = primary_of(result)
    headlines = tuple(_headline(name, primary["sets"][name], result) for name in test_sets(primary))
    return Summary(
        asked=_asked(result),
        who=_who(result),
        tested=_tested(result),
        out=_came_out(result, headlines),
        controls=controls_paragraph(result.results, test_sets(primary)),
        trust=_trust(result),
        headlines=headlines,
        tangled=tangled_warning(result.results),
        as_published=as_published_words(result.results),
    )


def primary_of(result: StudyResult) -> Mapping[str, Any]:
    """The entry of the primary model."""
    entry: Mapping[str, Any] = result.results["models"][result.results["primary_model"]]
    return entry


def test_sets(entry: Mapping[str, Any]) -> list[str]:
    """The sets that count as a test, in the report's order."""
    return [name for name in (INTERNAL, EXTERNAL, CROSS_VALIDATION) if name in entry["sets"]]


def unit_of(result: StudyResult) -> str:
    """What a row is called: a patient, unless several rows of a table belong to one."""
    several = result.study.table is not None and result.results["n_groups"] < result.results["n_patients"]
    return "row" if several else "patient"


def cross_validated(result: StudyResult) -> bool:
    """Whether no test set was held out."""
    return bool(result.results["design"] == CROSS_VALIDATION)


def _asked(result: StudyResult) -> str:
    outcome = result.results["outcome"]
    table = result.study.table
    if result.study.clinical_alone:
        what = f"the clinical columns {joined(result.study.clinical)}"
    elif table is None:
        what = f"features measured inside the tumour's mask on {joined(result.study.sequences)}"
    else:
        blocks = f" ({joined(table.blocks)})" if table.blocks else ""
        what = f"the features of {table.table.name}{blocks}"
    return (
        f"Can {what} tell {unit_of(result)}s with "
        f"{outcome['column']} = {outcome['positive']} (the positive class) from those with "
        f"{outcome['column']} = {outcome['negative']}?"
    )


def _who(result: StudyResult) -> str:
    results = result.results
    centres = [name for name in results["centres"] if name]
    where = f" from {counted(len(centres), 'centre')}" if centres else ""
    unit = unit_of(result)
    text = (
        f"{capitalised(counted(results['n_patients'], unit))}{where}, {results['n_positive']} of them with "
        f"{event_name(results['outcome'])}."
    )
    if unit != "patient":
        text += (
            f" They belong to {counted(results['n_groups'], 'group')} ({result.study.group}): a group lies on one side "
            "of every split, but intervals count rows as if they were independent, and may be too narrow."
        )
    left_out = len(result.flow["excluded"])
    if left_out:
        where = section(result, "patients")
        text += f" {capitalised(counted(left_out, unit))} of the manifest could not be used; {where} says why."
    own = flow_of(result.flow["models"], results["models"], results["primary_model"])
    missing = len(result.flow["models"][own]["missing"])
    if missing:
        text += (
            f" The primary model, {results['primary_model']}, is without {counted(missing, f'further {unit}')}: "
            f"it needs every one of its {_parts(result)}."
        )
    unscored = {row["patient"] for row in primary_of(result)["unscored"]}
    if unscored:
        text += f" {capitalised(counted(len(unscored), 'held-out patient'))} lacked a feature that it needs: no score."
    return text


def _parts(result: StudyResult) -> str:
    return "sequences" if result.study.table is None else "blocks"


def _tested(result: StudyResult) -> str:
    split, entry = result.study.split, primary_of(result)
    if cross_validated(result):
        if split.method == "repeated":
            return (
                f"On {counted(split.repeats, 'random split')}: each time {split.test_fraction:.0%} of the patients "
                "were held out, and everything was selected, tuned and fitted on the others. The splits share "
                "patients, so their spread shows luck, not independent tests."
            )
        times = f", the whole procedure run {split.repeats} times with different folds" if split.repeats > 1 else ""
        return (
            f"By stratified {split.folds}-fold cross-validation{times}: every patient was scored by models that were "
            "selected, tuned and fitted without that patient. No separate test set was held out."
        )
    sets = entry["sets"]
    parts = []
    if INTERNAL in sets:
        how = "assigned by the manifest" if split.method == "given" else "chosen at random before anything was fitted"
        parts.append(f"{counted(sets[INTERNAL]['n'], 'patient')} of an internal test set ({how})")
    if EXTERNAL in sets:
        how = f"of {_centres(split.external)}" if split.external else "assigned by the manifest"
        parts.append(f"{counted(sets[EXTERNAL]['n'], 'patient')} of an external test set ({how})")
    n = entry["fits"][0]["n_training"]
    return (
        f"Everything was selected, tuned and fitted on {counted(n, 'training patient')}. The finished model was then "
        f"applied to {joined(parts)}, whom no step had seen."
    )


def _centres(names: tuple[str, ...]) -> str:
    return f"centre {names[0]}" if len(names) == 1 else f"centres {joined(names)}"


def _headline(name: str, entry: Mapping[str, Any], result: StudyResult) -> Headline:
    interval, event = entry["auc"]["interval"], event_name(result.results["outcome"])
    words = f"approx. {level(interval)} CI" if name == CROSS_VALIDATION else f"{level(interval)} CI"
    return Headline(
        name=set_name(name),
        auc=number(interval["value"]),
        interval=f"{words} {limits(interval)}" if interval["low"] is not None else "no interval",
        size=f"{counted(entry['n'], unit_of(result))}, {entry['n_positive']} with {event}",
        verdict=verdict(interval, permutation_of(result.results, name), approximate=name == CROSS_VALIDATION),
        controls=tuple(tile_lines(result.results, name)),
    )


def _came_out(result: StudyResult, headlines: tuple[Headline, ...]) -> tuple[str, ...]:
    entry, name = primary_of(result), result.results["primary_model"]
    lines = [_which_model(result, name)]
    for set_, headline in zip(test_sets(entry), headlines, strict=True):
        lines.append(_sentence(result, set_, entry["sets"][set_], headline))
    lines.append("An AUC of 0.5 is a coin toss, 1 is perfect.")
    return tuple(lines)


def _which_model(result: StudyResult, name: str) -> str:
    if len(result.results["models"]) == 1:
        return f"One model was fitted: {name}."
    return f"The primary model is {name}. {result.results['primary_reason'].strip()}"


def _sentence(result: StudyResult, set_: str, entry: Mapping[str, Any], headline: Headline) -> str:
    auc = entry["auc"]
    interval = auc["interval"]
    if set_ == CROSS_VALIDATION:
        spread = auc["sd_over_repeats"]
        over = f" (standard deviation of the repeats' means {number(spread)})" if spread is not None else ""
        over += f"; {auc['note']}" if auc["note"] else ""
        fold = "split" if result.study.split.method == "repeated" else "fold"
        text = f"Mean AUC over {counted(len(auc['fold_values']), fold)}: {headline.auc}{over}"
    else:
        text = f"{headline.name}: AUC {headline.auc}"
    if interval["low"] is None or interval["high"] is None:
        return f"{text}. No confidence interval can be given: {bare_reason(interval['note'])}."
    kind = "approximate " if set_ == CROSS_VALIDATION else ""
    text = f"{text}; {kind}{level(interval)} confidence interval {limits(interval)}"
    permutation = permutation_of(result.results, set_)
    if claims_signal(interval, permutation):
        return f"{text}: {verdict(interval, permutation, approximate=set_ == CROSS_VALIDATION)}."
    if interval["high"] < CHANCE:
        return (
            f"{text}: below chance, and no signal is claimed. Check how the outcome is coded, and whether centres "
            "differ."
        )
    if interval["low"] > CHANCE and permutation is not None:
        return (
            f"{text}. The interval lies above 0.5, but shuffled outcomes do as well too often (permutation "
            f"{p_words(permutation['p_value'])}): no signal is claimed."
        )
    return (
        f"{text}. The interval includes 0.5: the model is not shown to be better than chance, and no signal is claimed."
    )


def _trust(result: StudyResult) -> tuple[str, ...]:
    entry = primary_of(result)
    fits = entry["fits"]
    events = [min(fit["n_positive"], fit["n_training"] - fit["n_positive"]) for fit in fits]
    least = f"{min(events)}" if min(events) == max(events) else f"{min(events)} to {max(events)}"
    candidate = "clinical column" if result.study.clinical_alone else "candidate feature"
    lines = [
        f"The training patients held {least} in the smaller class, against "
        f"{counted(entry['n_candidates'], candidate)}: the fewer, the more chance decides what is selected."
    ]
    analyses = result.split.get("analyses")
    what = "these cross-validated patients" if cross_validated(result) else "this test set"
    if analyses:
        which = "the first analysis" if analyses == 1 else f"analysis number {analyses}"
        lines.append(
            f"This is {which} of {what}" + ("." if analyses == 1 else ": every further look flatters a little.")
        )
    else:
        lines.append(f"How many analyses have looked at {what} could not be counted.")
    if result.study.check.timing == "any":
        lines.append(
            "Variables that are known only after the decision were allowed (check.timing: any): it is a postoperative "
            "model, of no use before."
        )
    lines.append(_left_by_checks(result))
    lines += _of_the_table(result)
    if EXTERNAL not in entry["sets"]:
        lines.append("No other centre was held out as a test: how well this works elsewhere is not known.")
    return tuple(lines)


def _of_the_table(result: StudyResult) -> list[str]:
    """What a reader must know of features that glottis did not compute."""
    if result.study.table is None:
        return []
    lines = ["The features came from a table: no image or mask could be checked."]
    if any(finding["code"] == "scaled-before" for finding in result.checks):
        lines.append("They look scaled on all patients, test patients included, before glottis saw them.")
    return lines


def _left_by_checks(result: StudyResult) -> str:
    where = section(result, "checks")
    warnings = sum(1 for finding in result.checks if finding["severity"] == "warning")
    if result.study.table is not None:
        return f"The checks of the cohort left {counted(warnings, 'warning')} ({where})."
    if result.study.clinical_alone:
        return f"The checks of the cohort left {counted(warnings, 'warning')} ({where})."
    noted = {(row["patient"], row["sequence"]) for row in result.extraction["warnings"]}
    failed = failed_words(result.extraction["failures"])
    remark = f", {counted(len(noted), 'scan')} with a remark" if noted else ""
    return f"The checks of the cohort left {counted(warnings, 'warning')}; {failed}{remark} ({where})."
