"""Models and human readers on the same patients: the whole evaluation, composed from the functions of this package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from glottis._errors import CohortError, SettingsError
from glottis.data.ratings import TRAINING_SET, Paired, Rater, Ratings, paired, same_patients
from glottis.evaluation.cutoffs import Cutoff, CutoffRule, check_rater, check_rule, cutoff_of
from glottis.evaluation.followup import check_survival
from glottis.evaluation.interval import check_level
from glottis.evaluation.rater import RaterResult, Scale, rate, scale_of
from glottis.evaluation.rater_folds import FOLDED, RaterFolds, rate_folds
from glottis.evaluation.rater_pairs import RaterPairs, compare_raters
from glottis.evaluation.rater_survival import RaterSurvival, rate_survival, risk_cutoff

OF_OUTCOME = (
    "AUC: DeLong's interval on the logit scale; plain DeLong beside it in the tables.",
    "Two AUCs: DeLong's paired test; p adjusted after Holm over the comparisons of a set.",
    "Proportions: Wilson's interval. Calls: McNemar's exact test. Positive: score at or above the threshold.",
    'A p of 0.05 or more after adjustment means "not shown to differ", not that there is no difference.',
)
OF_SURVIVAL = (
    "Harrell's and Uno's C: infinitesimal jackknife, limits on the logit scale. AUC by a time: inverse probability of "
    "censoring weights.",
    "Risk groups: high risk is above a median, or at or above a threshold. The log-rank p are not adjusted for the "
    "number of raters.",
    "Kaplan-Meier: limits on the log scale. Cox: Efron's ties, Wald's limits, Grambsch and Therneau's test.",
)


@dataclass(frozen=True, kw_only=True)
class CompareOptions:
    """What a comparison is to do.

    Attributes:
        cutoffs: how thresholds are found.
        reference: compare with this rater alone.
        prevalence: give predictive values at this prevalence.
        horizons: times for the AUC by a time.
        common: compare on the patients that all raters have, where they differ.
        level: confidence level.
    """

    cutoffs: CutoffRule = field(default_factory=CutoffRule)
    reference: str | None = None
    prevalence: float | None = None
    horizons: tuple[float, ...] = ()
    common: bool = False
    level: float = 0.95


@dataclass(frozen=True, kw_only=True)
class SetComparison:
    """The raters of one set.

    Attributes:
        name: of the set; "" where the table has none.
        n: patients.
        n_positive: of them, of class 1; None where only survival is known.
        raters: rater to its evaluation alone; empty in cross-validation and where only survival is known.
        folds: rater to its cross-validated evaluation.
        survival: rater to its evaluation as a risk.
        pairs: raters against each other.
        n_dropped: rater to how many of its patients others lack, left out.
        notes: what was not done, and why.
    """

    name: str
    n: int
    n_positive: int | None
    raters: dict[str, RaterResult]
    folds: dict[str, RaterFolds]
    survival: dict[str, RaterSurvival]
    pairs: RaterPairs | None
    n_dropped: dict[str, int]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        parts = {
            key: {name: item.to_dict() for name, item in getattr(self, key).items()}
            for key in ("raters", "folds", "survival")
        }
        pairs = {"pairs": None if self.pairs is None else self.pairs.to_dict()}
        return vars(self) | parts | pairs | {"notes": list(self.notes)}


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Models and readers on the same patients.

    Attributes:
        outcome: its column, positive and negative value; empty texts where only survival is known.
        raters: name to reader and modality (None for a model).
        sets: one evaluation each.
        level: confidence level.
        notes: what was left out, and how much.
        conventions: how the numbers were made.
    """

    outcome: Mapping[str, str]
    raters: Mapping[str, Mapping[str, str | None]]
    sets: tuple[SetComparison, ...]
    level: float
    notes: tuple[str, ...]
    conventions: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; no patient's id is among them."""
        return vars(self) | {
            "sets": [item.to_dict() for item in self.sets],
            "notes": list(self.notes),
            "conventions": list(self.conventions),
        }


def compare(ratings: Ratings, options: CompareOptions | None = None) -> Comparison:
    """Evaluate raters, alone and against each other, in every set but the training set.

    Args:
        ratings: scores of models and readers.
        options: thresholds, reference, prevalence, horizons; see `CompareOptions`.

    Raises:
        CohortError: raters on different patients, a set without both classes, no set to test on.
        SettingsError: an unknown rater, a number out of range, a Youden threshold without training rows.
    """
    wanted = options or CompareOptions()
    _check(ratings, wanted)
    names = [rater.name for rater in ratings.raters]
    scales = {name: scale_of(_scores(ratings, name)) for name in names}
    sets = tuple(_set(ratings, set_, scales, wanted) for set_ in ratings.sets)
    return Comparison(
        outcome={"column": ratings.outcome, "positive": ratings.positive, "negative": ratings.negative},
        raters={rater.name: {"reader": rater.reader, "modality": rater.modality} for rater in ratings.raters},
        sets=sets,
        level=wanted.level,
        notes=ratings.notes,
        conventions=(OF_OUTCOME if any(set_.raters for set_ in sets) else ())
        + ((FOLDED,) if any(set_.folds for set_ in sets) else ())
        + (OF_SURVIVAL if any(set_.survival for set_ in sets) else ()),
    )


def _scores(ratings: Ratings, name: str) -> Any:
    frame = ratings.frame
    return frame.loc[frame["rater"] == name, "y_score"].to_numpy(dtype=float)


def _check(ratings: Ratings, wanted: CompareOptions) -> None:
    names = [rater.name for rater in ratings.raters]
    check_level(wanted.level)
    check_rule(wanted.cutoffs, names)
    if wanted.reference is not None:
        check_rater(wanted.reference, names, "--reference")
    if wanted.prevalence is not None and not 0 < wanted.prevalence < 1:
        message = f"A prevalence lies between 0 and 1; got {wanted.prevalence:g}: give 0.1 for 10%."
        raise SettingsError(message)
    if wanted.horizons and not ratings.has_survival:
        message = "A horizon needs survival: name the columns with --time and --event."
        raise SettingsError(message)
    if not ratings.sets:
        message = f"Every row is of the set '{TRAINING_SET}': add the rows of the patients to test on."
        raise CohortError(message)
    for set_ in ratings.sets:
        rows = ratings.frame[ratings.frame["set"] == set_]
        if ratings.outcome and rows["y_true"].nunique() < 2:
            only = ratings.positive if rows["y_true"].iloc[0] == 1 else ratings.negative
            where = f" in the set '{set_}'" if set_ else ""
            message = f"Every patient{where} has {ratings.outcome} = {only}: nothing can be told apart, leave it out."
            raise CohortError(message)


def _set(ratings: Ratings, set_: str, scales: Mapping[str, Scale], wanted: CompareOptions) -> SetComparison:
    rows = ratings.frame[ratings.frame["set"] == set_]
    if ratings.outcome and len(rows[["repeat", "fold"]].drop_duplicates()) > 1:
        return _folded(ratings, set_, rows, wanted)
    on = paired(ratings, set_, common=wanted.common)
    raters = [rater for rater in ratings.raters if rater.name in on.scores]
    binary = {name: scales[name] == "binary" for name in on.scores}
    cutoffs = {name: cutoff_of(name, ratings, on, wanted.cutoffs, binary=binary[name]) for name in on.scores}
    if on.y_true is not None and len(set(on.y_true.tolist())) < 2:
        message = "The patients that all raters have are of one class: leave the rater with the fewest out."
        raise CohortError(message)
    return SetComparison(
        name=set_,
        n=len(next(iter(on.scores.values()))),
        n_positive=None if on.y_true is None else int(on.y_true.sum()),
        raters=_alone(on, scales, cutoffs, wanted) if on.y_true is not None else {},
        folds={},
        survival=_survival(ratings, on, scales, cutoffs, wanted),
        pairs=compare_raters(raters, on, scales, cutoffs, reference=wanted.reference, level=wanted.level),
        n_dropped=on.n_dropped,
        notes=_absent(ratings, raters, wanted.reference),
    )


def _alone(
    on: Paired, scales: Mapping[str, Scale], cutoffs: Mapping[str, Cutoff | None], wanted: CompareOptions
) -> dict[str, RaterResult]:
    return {
        name: rate(name, on, scales[name], cutoffs[name], prevalence=wanted.prevalence, level=wanted.level)
        for name in on.scores
    }


def _survival(
    ratings: Ratings,
    on: Paired,
    scales: Mapping[str, Scale],
    cutoffs: Mapping[str, Cutoff | None],
    wanted: CompareOptions,
) -> dict[str, RaterSurvival]:
    if on.time is None or on.event is None:
        return {}
    try:
        check_survival(on.time, on.event)
    except ValueError as error:
        raise CohortError(str(error)) from error
    if not on.event.any():
        message = "No patient has the event: survival cannot be evaluated; check the coding (1 for the event)."
        raise CohortError(message)
    longest = float(on.time.max())
    if longest == 0:
        message = "Every follow-up time is 0: survival cannot be evaluated; check the column of times."
        raise CohortError(message)
    for at in wanted.horizons:
        if not 0 < at < longest:
            message = f"A horizon lies within the follow-up, 0 to {longest:g}; got {at:g}: give it in the unit of time."
            raise SettingsError(message)
        if not on.event[on.time <= at].any():
            message = f"Nobody has the event by the horizon {at:g}: give a later one, in the unit of time."
            raise SettingsError(message)
    return {
        name: rate_survival(
            name,
            on,
            risk_cutoff(name, ratings, on, cutoffs[name]),
            wanted.horizons,
            probability=scales[name] == "probability",
            level=wanted.level,
        )
        for name in on.scores
    }


def _folded(ratings: Ratings, set_: str, rows: pd.DataFrame, wanted: CompareOptions) -> SetComparison:
    tables = {str(name): part for name, part in rows.groupby("rater", sort=False)}
    patients, dropped = same_patients(
        {name: part["patient"] for name, part in tables.items()}, set_, common=wanted.common
    )
    if wanted.cutoffs.youden is not None:
        message = "A cross-validated set has a threshold a fold: put it into the column threshold, or give a number."
        raise SettingsError(message)
    of = {name: part[part["patient"].isin(patients)] for name, part in tables.items()}
    rule = wanted.cutoffs
    first = next(iter(of.values())).drop_duplicates("patient")
    survival = ("No survival from cross-validated scores.",) if ratings.has_survival else ()
    groups = ("No centres or subgroups from cross-validated scores.",) if ratings.groups else ()
    return SetComparison(
        name=set_,
        n=len(patients),
        n_positive=int(first["y_true"].sum()),
        raters={},
        folds={
            name: rate_folds(part, rule.by_rater.get(name, rule.for_all), wanted.level) for name, part in of.items()
        },
        survival={},
        pairs=None,
        n_dropped=dropped,
        notes=(FOLDED, *survival, *groups),
    )


def _absent(ratings: Ratings, raters: list[Rater], reference: str | None) -> tuple[str, ...]:
    """Raters of the table who have no score in a set."""
    here = {rater.name for rater in raters}
    absent = [rater.name for rater in ratings.raters if rater.name not in here]
    notes = [f"Without scores here: {', '.join(absent)}."] if absent else []
    if reference is not None and reference not in here:
        notes.append(f"The reference, {reference}, has no scores here: all pairs are compared.")
    return tuple(notes)
