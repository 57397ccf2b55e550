"""Co-occurrence features of any matrix: one that is not symmetric, or a weighted sum of directions.

The same measures as in ``glcm``, from every cell of the matrix: slower, and without the assumptions that make
``glcm`` fast.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from glottis.features.texture._kernels import EPSILON

Array = NDArray[Any]


def features(pairs: Array, levels: Array, *, symmetric: bool, weights: Array | None = None) -> dict[str, float]:
    """Co-occurrence features, each averaged over the directions that hold a pair, or of their weighted sum.

    Args:
        pairs: ``(K, G, G)``, pairs (voxel, next voxel) by direction and grey levels, each pair once.
        levels: ``(G,)`` grey levels present, from 1.
        symmetric: count every pair in both orders.
        weights: ``(K,)``, adds the directions up; None averages their features.

    Returns:
        24 features; all NaN but MCC where no voxel has a neighbour.
    """
    counts = (pairs + pairs.transpose(0, 2, 1) if symmetric else pairs).astype(np.float64)
    if weights is not None:
        counts = np.tensordot(weights, counts, axes=1)[None]
    counts = counts[counts.any(axis=(1, 2))]
    found = [_of_one(matrix / matrix.sum(), levels) for matrix in counts]
    names = sorted(_of_one(np.eye(1), np.ones(1, dtype=np.int64)))
    means = {name: _mean([each[name] for each in found]) for name in names}
    if len(levels) < 2:
        means["MCC"] = 1.0
    return means


def _mean(values: list[float]) -> float:
    """Mean, those without a value (Imc2 of independent levels) left out; NaN where none has one."""
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def _of_one(p: Array, levels: Array) -> dict[str, float]:
    """Features of one matrix of probabilities ``(G, G)``."""
    i, j = levels[:, None].astype(np.float64), levels[None, :].astype(np.float64)
    p_i, p_j = p.sum(axis=1), p.sum(axis=0)
    mean_i, mean_j = float(p_i @ levels), float(p_j @ levels)
    deviation = float(np.sqrt((p * (i - mean_i) ** 2).sum()) * np.sqrt((p * (j - mean_j) ** 2).sum()))
    covariance = float((p * (i - mean_i) * (j - mean_j)).sum())
    centred = i + j - mean_i - mean_j
    return {
        "Autocorrelation": float((p * i * j).sum()),
        "ClusterProminence": float((p * centred**4).sum()),
        "ClusterShade": float((p * centred**3).sum()),
        "ClusterTendency": float((p * centred**2).sum()),
        "Contrast": float((p * (i - j) ** 2).sum()),
        "Correlation": covariance / (deviation + EPSILON) if deviation != 0 else 1.0,
        "JointAverage": mean_i,
        "JointEnergy": float((p**2).sum()),
        "MaximumProbability": float(p.max()),
        "MCC": _correlation(p, p_i, p_j),
        "SumSquares": float((p * (i - mean_i) ** 2).sum()),
        **_of_differences(p, levels),
        **_of_sums(p, levels),
        **_of_information(p, p_i, p_j),
    }


def _bits(p: Array, of: Array | None = None) -> float:
    """Cross entropy of ``p`` with ``of`` (itself where None)."""
    return -float((p * np.log2((p if of is None else of) + EPSILON)).sum())


def _of_differences(p: Array, levels: Array) -> dict[str, float]:
    top = int(levels[-1])
    by_difference = np.bincount(np.abs(levels[:, None] - levels).ravel(), weights=p.ravel(), minlength=top)
    k = np.arange(len(by_difference), dtype=np.float64)
    average = float(by_difference @ k)
    return {
        "DifferenceAverage": average,
        "DifferenceEntropy": _bits(by_difference),
        "DifferenceVariance": float(by_difference @ (k - average) ** 2),
        "Id": float(by_difference @ (1 / (1 + k))),
        "Idm": float(by_difference @ (1 / (1 + k**2))),
        "Idmn": float(by_difference @ (1 / (1 + k**2 / top**2))),
        "Idn": float(by_difference @ (1 / (1 + k / top))),
        "InverseVariance": float(by_difference[1:] @ (1 / k[1:] ** 2)),
    }


def _of_sums(p: Array, levels: Array) -> dict[str, float]:
    by_sum = np.bincount((levels[:, None] + levels).ravel(), weights=p.ravel())
    return {"SumAverage": float(by_sum @ np.arange(len(by_sum))), "SumEntropy": _bits(by_sum)}


def _of_information(p: Array, p_i: Array, p_j: Array) -> dict[str, float]:
    product = np.outer(p_i, p_j)
    joint, cross_1, cross_2 = _bits(p), _bits(p, product), _bits(product)
    largest = max(_bits(p_i), _bits(p_j))
    with np.errstate(invalid="ignore"):
        imc2 = float(np.sqrt(1 - np.exp(-2 * (cross_2 - joint)))) if cross_2 != joint else 0.0
    return {
        "Imc1": (joint - cross_1) / largest if largest != 0 else 0.0,
        "Imc2": imc2,
        "JointEntropy": joint,
    }


def _correlation(p: Array, p_i: Array, p_j: Array) -> float:
    """Maximal correlation coefficient: second singular value of D_i^-1/2 P D_j^-1/2; 1 where one level exists."""
    if len(p) < 2:
        return 1.0
    rows, columns = p_i > 0, p_j > 0
    product = np.outer(p_i[rows], p_j[columns])
    scaled = p[np.ix_(rows, columns)] / np.sqrt(product + EPSILON)
    values = np.linalg.svd(scaled, compute_uv=False)
    return float(values[1]) if len(values) > 1 else 0.0
