"""Grey level co-occurrence matrix: pairs of neighbouring voxels along thirteen directions (Haralick; IBSI LFYI)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from glottis.features.texture._eigenvalues import second_eigenvalues
from glottis.features.texture._kernels import EPSILON, joint_entropies, sum_cooccurrences

Array = NDArray[Any]


def features(pairs: Array, levels: Array) -> dict[str, float]:
    """Co-occurrence features of the symmetric matrices, each averaged over the directions that hold a pair.

    Args:
        pairs: ``(13, G, G)``, pairs (voxel, next voxel) by direction and grey levels, each pair once.
        levels: ``(G,)`` grey levels present, from 1.

    Returns:
        24 features; all NaN but MCC where no voxel has a neighbour.
    """
    pairs = pairs[pairs.any(axis=(1, 2))]
    top = int(levels[-1])
    rows, differences, sums = sum_cooccurrences(pairs, levels, top)
    totals = rows.sum(axis=1)
    p_level = rows / totals[:, None]
    found = {
        **_of_differences(differences / totals[:, None], top),
        **_of_sums(sums / totals[:, None], p_level @ levels),
        **_of_information(joint_entropies(pairs, rows, totals), p_level),
        "MCC": _largest_correlation(pairs, rows, totals),
    }
    mean = p_level @ levels
    found["JointAverage"] = mean
    found["SumSquares"] = (p_level * (levels - mean[:, None]) ** 2).sum(axis=1)
    squares = np.arange(max(differences.shape[1], sums.shape[1]), dtype=np.float64) ** 2
    sum_square = sums @ squares[: sums.shape[1]] / totals
    found["Autocorrelation"] = (sum_square - found["Contrast"]) / 4
    covariance = (found["ClusterTendency"] - found["Contrast"]) / 4
    found["Correlation"] = np.where(found["SumSquares"] == 0, 1.0, covariance / (found["SumSquares"] + EPSILON))
    mcc = found.pop("MCC")
    names = sorted(found)
    means = dict(zip(names, _mean(np.stack([found[name] for name in names])), strict=True))
    means["MCC"] = _mean(mcc[None])[0]
    return {name: means[name] for name in sorted(means)}


def _mean(values: Array) -> list[float]:
    """Mean over directions (the last axis), those without a value left out; NaN where none has one."""
    known = ~np.isnan(values)
    n = known.sum(axis=1)
    means = np.full(len(values), np.nan)
    np.divide(np.where(known, values, 0.0).sum(axis=1), n, out=means, where=n > 0)
    return [float(mean) for mean in means]


def _bits(p: Array) -> Array:
    return np.asarray(-(p * np.log2(p + EPSILON)).sum(axis=1))


def _of_differences(p: Array, top: int) -> dict[str, Array]:
    k = np.arange(p.shape[1], dtype=np.float64)
    average = p @ k
    return {
        "Contrast": p @ k**2,
        "DifferenceAverage": average,
        "DifferenceEntropy": _bits(p),
        "DifferenceVariance": (p * (k - average[:, None]) ** 2).sum(axis=1),
        "Id": p @ (1 / (1 + k)),
        "Idm": p @ (1 / (1 + k**2)),
        "Idmn": p @ (1 / (1 + k**2 / top**2)),
        "Idn": p @ (1 / (1 + k / top)),
        "InverseVariance": p[:, 1:] @ (1 / k[1:] ** 2),
    }


def _of_sums(p: Array, mean: Array) -> dict[str, Array]:
    k = np.arange(p.shape[1], dtype=np.float64)
    centred = k - 2 * mean[:, None]
    square = centred**2
    return {
        "ClusterTendency": (p * square).sum(axis=1),
        "ClusterShade": (p * square * centred).sum(axis=1),
        "ClusterProminence": (p * square**2).sum(axis=1),
        "SumAverage": p @ k,
        "SumEntropy": _bits(p),
    }


def _of_information(found: Array, p_level: Array) -> dict[str, Array]:
    energy, largest, joint, cross_1, cross_2 = found.T
    marginal = _bits(p_level)
    safe = np.where(marginal == 0, 1.0, marginal)
    with np.errstate(invalid="ignore"):
        imc2 = np.sqrt(1 - np.exp(-2 * (cross_2 - joint)))
    return {
        "JointEnergy": energy,
        "MaximumProbability": largest,
        "JointEntropy": joint,
        "Imc1": np.where(marginal == 0, 0.0, (joint - cross_1) / safe),
        "Imc2": np.where(cross_2 == joint, 0.0, imc2),
    }


def _largest_correlation(pairs: Array, rows: Array, totals: Array) -> Array:
    """Maximal correlation coefficient of every direction: second largest eigenvalue size of D^-1/2 P D^-1/2.

    Its squares are the eigenvalues of the matrix Q that defines the feature. One where a single grey level exists.
    """
    if pairs.shape[1] < 2:
        return np.ones(1)
    found = second_eigenvalues(pairs, rows, totals)
    hard = np.isnan(found)
    if hard.any():
        found[hard] = dense_second_eigenvalues(pairs[hard], rows[hard])
    return np.asarray(found)


def dense_second_eigenvalues(pairs: Array, rows: Array) -> Array:
    """Second largest eigenvalue size of D^-1/2 P D^-1/2 for every direction, by a dense solver, ``(A,)``."""
    scale = np.zeros(rows.shape)
    np.divide(1.0, np.sqrt(rows), out=scale, where=rows > 0)
    symmetric = (pairs + pairs.transpose(0, 2, 1)) * scale[:, :, None] * scale[:, None, :]
    return np.asarray(np.sort(np.abs(np.linalg.eigvalsh(symmetric)), axis=1)[:, -2])
