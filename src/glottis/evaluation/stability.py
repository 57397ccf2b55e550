"""How alike the feature sets of repeated selections are: Nogueira's index."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from glottis.evaluation.interval import Bools, Floats, Interval, check_level, plain

NOGUEIRA = "Nogueira 2018, normal approximation"


@dataclass(frozen=True)
class Stability:
    """Stability of a selection over resamples.

    Attributes:
        index: Nogueira's index: 1 for the same set every time, about 0 for sets drawn at random; below 0.4 poor, 0.4 to
            0.75 intermediate to good, above 0.75 excellent (Nogueira, Sechidis and Brown 2018, on interpretation, after
            Fleiss' scale for agreement beyond chance). The limits of its interval are not cut at 1.
        variance: of the index; None where it is undefined.
        frequency: (n_features,) share of the resamples that chose each feature.
        n_resamples: selections that were compared.
        n_features: candidates.
        mean_size: features chosen in the mean.
    """

    index: Interval
    variance: float | None
    frequency: Floats
    n_resamples: int
    n_features: int
    mean_size: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


def selection_stability(chosen: ArrayLike, *, level: float = 0.95) -> Stability:
    """Nogueira's index of stability with its interval, and how often each feature is chosen.

    Index and its asymptotic variance after Nogueira, Sechidis and Brown, J Mach Learn Res 2018;18(174):1-54. The index
    corrects for chance and takes sets of any size. The resamples must be drawn alike and independently, such as
    bootstraps; folds and repeats of one split share patients, so that their interval is too short.

    Args:
        chosen: (n_resamples, n_features) True where the selection of a resample holds the feature.
        level: confidence level.

    Raises:
        ValueError: fewer than two resamples, no feature, or values other than True and False.

    >>> round(selection_stability([[1, 1, 0, 0], [1, 0, 1, 0], [1, 1, 0, 0]]).index.value, 3)
    0.333
    """
    check_level(level)
    Z = _checked(chosen)
    n, d = Z.shape
    frequency = np.asarray(Z.mean(axis=0))
    mean_size = float(frequency.sum())
    share = mean_size / d
    if Z.all() or not Z.any():
        note = f"undefined: every resample chose {'all features' if Z.all() else 'no feature'}"
        return Stability(Interval(None, None, None, NOGUEIRA, level, note), None, frequency, n, d, mean_size)
    chance = share * (1 - share)
    spread = n / (n - 1) * frequency * (1 - frequency)
    value = float(1 - spread.mean() / chance)
    sizes = Z.sum(axis=1)
    each = (
        Z @ frequency / d - sizes * mean_size / d**2 + value / 2 * (2 * share * sizes / d - sizes / d - share + 1)
    ) / chance
    variance = float(4 / n**2 * ((each - each.mean()) ** 2).sum())
    reach = float(stats.norm.ppf((1 + level) / 2)) * math.sqrt(variance)
    index = Interval(value, value - reach, value + reach, NOGUEIRA, level)
    return Stability(index, variance, frequency, n, d, mean_size)


def _checked(chosen: ArrayLike) -> Bools:
    values = np.asarray(chosen)
    if values.ndim != 2 or len(values) < 2 or not values.shape[1]:
        message = f"Stability needs (resamples, features) with two resamples or more; got the shape {values.shape}."
        raise ValueError(message)
    if not np.isin(values, (0, 1)).all():
        message = "Stability needs True where a feature was chosen, else False; got other values: give each support_."
        raise ValueError(message)
    return values.astype(bool)
