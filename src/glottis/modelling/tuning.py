"""Which parameters tuning tries: all points of a grid, a random sample, or proposals of a tree-structured sampler."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

import numpy as np
from sklearn.model_selection import ParameterGrid, ParameterSampler
from sklearn.utils import check_random_state

from glottis import _optional
from glottis._errors import SettingsError, nearest
from glottis.evaluation.interval import Floats

Kind = Literal["grid", "random", "bayes"]
Point = dict[str, Any]
Evaluate = Callable[[list[Point]], tuple[Floats, Floats]]
TIE = 1e-12  # sums of the same areas in another order differ in the last bits; equal means are equals


@dataclass(frozen=True, kw_only=True)
class Range:
    """Numbers between two ends, for random and Bayesian search.

    Attributes:
        low: the smallest value.
        high: the largest value.
        log: spread evenly on the log scale; ``low`` is then above 0.
        integer: whole numbers, both ends among them.

    >>> 2 <= Range(low=2, high=5, integer=True).rvs(random_state=0) <= 5
    True
    """

    low: float
    high: float
    log: bool = False
    integer: bool = False

    def __post_init__(self) -> None:
        """Refuse a range without width, or a log scale that reaches 0."""
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            message = f"A range runs from a lower to a higher number; got {self.low} to {self.high}: swap or widen it."
            raise SettingsError(message)
        if self.integer and (self.low != int(self.low) or self.high != int(self.high)):
            message = f"A range of whole numbers has whole ends; got {self.low} to {self.high}: leave 'integer' out."
            raise SettingsError(message)
        if self.log and self.low <= 0:
            message = f"A range on the log scale starts above 0; got {self.low}: raise 'low' or leave 'log' out."
            raise SettingsError(message)

    def rvs(self, random_state: Any = None) -> float | int:
        """One value, as `sklearn.model_selection.ParameterSampler` asks for it."""
        random = check_random_state(random_state)
        if self.integer and not self.log:
            return int(random.randint(int(self.low), int(self.high) + 1))
        if not self.log:
            return float(random.uniform(self.low, self.high))
        value = math.exp(random.uniform(math.log(self.low), math.log(self.high)))
        return round(value) if self.integer else float(value)


@dataclass(frozen=True, kw_only=True)
class Search:
    """How parameters are searched.

    Attributes:
        kind: ``"grid"``, every combination; ``"random"``, ``n_trials`` combinations drawn from lists and ranges;
            ``"bayes"``, ``n_trials`` proposals of optuna's tree-structured Parzen estimator (Bergstra 2011), the first
            ten at random (extra ``search``).
        n_trials: combinations that ``"random"`` and ``"bayes"`` try.
        grid: parameter to its values, or to a `Range` (or its fields ``low`` and ``high``) for ``"random"`` and
            ``"bayes"``; None leaves this to the chain.

    >>> Search(kind="random").space({"C": {"low": 0.1, "high": 10, "log": True}}, {})
    {'C': Range(low=0.1, high=10, log=True, integer=False)}
    """

    kind: Kind = "grid"
    n_trials: int = 20
    grid: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        """Refuse an unknown kind and no trials."""
        if self.kind not in get_args(Kind):
            message = f"Unknown search {self.kind!r}: {nearest(str(self.kind), get_args(Kind))}"
            raise SettingsError(message)
        if self.n_trials < 1:
            message = f"A search tries at least one point; got n_trials={self.n_trials}: 20 is the default."
            raise SettingsError(message)

    def space(self, grid: Mapping[str, Any] | None, ranges: Mapping[str, Any]) -> dict[str, Any]:
        """What is searched: the user's grid or the model's own, as lists and ranges.

        Args:
            grid: of the user, or None.
            ranges: of the model, for this kind of search.

        Raises:
            SettingsError: a parameter without values, or a range in a grid search.
        """
        chosen = self.grid or grid or ranges
        return {name: self._values(name, values) for name, values in chosen.items()}

    def _values(self, name: str, values: Any) -> Any:
        if isinstance(values, Mapping):
            values = _range_of(name, values)
        if isinstance(values, Range):
            if self.kind == "grid":
                message = f"{name} is a range, which a grid cannot hold: give a list, or search 'random' or 'bayes'."
                raise SettingsError(message)
            return values
        if isinstance(values, str) or not hasattr(values, "__iter__") or not len(values):
            message = f"{name} needs a list of values to try; got {values!r}: give for example [{values!r}]."
            raise SettingsError(message)
        return list(values)


def _range_of(name: str, ends: Mapping[str, Any]) -> Range:
    known = {field.name for field in fields(Range)}
    if not {"low", "high"} <= set(ends) <= known:
        message = f"{name} needs 'low' and 'high', and may have 'log' and 'integer'; got {', '.join(map(str, ends))}."
        raise SettingsError(message)
    return Range(**ends)


def run_search(
    search: Search, space: Mapping[str, Any], seed: int, evaluate: Evaluate
) -> tuple[list[Point], Floats, Floats]:
    """Try points.

    Args:
        search: how.
        space: parameter to a list or a `Range`.
        seed: of the sampler.
        evaluate: points to their (points, patients) scores and (points, folds) results, nan where a fold has none.

    Returns:
        Points in the order in which they were tried, their scores and their results.
    """
    if search.kind == "bayes":
        return _bayes(search, space, seed, evaluate)
    points = list(ParameterGrid(dict(space))) if search.kind == "grid" else _sample(search, space, seed)
    return (points, *evaluate(points))


def best_of(results: Floats) -> int:
    """The point with the highest mean over folds; the first of equals."""
    mean = np.nanmean(results, axis=1)
    return int(np.argmax(mean >= mean.max() - TIE))


def _sample(search: Search, space: Mapping[str, Any], seed: int) -> list[Point]:
    lists = [values for values in space.values() if not isinstance(values, Range)]
    n_points = math.prod(map(len, lists)) if len(lists) == len(space) else search.n_trials
    return list(ParameterSampler(dict(space), min(search.n_trials, n_points), random_state=seed))


def _bayes(
    search: Search, space: Mapping[str, Any], seed: int, evaluate: Evaluate
) -> tuple[list[Point], Floats, Floats]:
    optuna = _optional.require("optuna", extra="search")
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
        points: list[Point] = []
        scores: list[Floats] = []
        results: list[Floats] = []
        for _ in range(search.n_trials):
            trial = study.ask()
            point = {name: _suggest(trial, name, values) for name, values in space.items()}
            if point in points:  # proposed again: known, and worth no second fit
                known = points.index(point)
                study.tell(trial, float(np.nanmean(results[known])))
                continue
            score, result = evaluate([point])
            study.tell(trial, float(np.nanmean(result[0])))
            points.append(point)
            scores.append(score[0])
            results.append(result[0])
    finally:
        optuna.logging.set_verbosity(level)
    return points, np.array(scores), np.array(results)


def _suggest(trial: Any, name: str, values: Any) -> Any:
    if not isinstance(values, Range):
        return values[trial.suggest_categorical(name, list(range(len(values))))]
    if values.integer:
        return trial.suggest_int(name, int(values.low), int(values.high), log=values.log)
    return trial.suggest_float(name, values.low, values.high, log=values.log)
