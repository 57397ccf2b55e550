"""Texture features slowly and obviously: every voxel looked at, dense matrices of all levels, one formula a line.

The formulas are those of the IBSI reference manual (Zwanenburg 2020) with the conventions of PyRadiomics 3.0.1: 2^-52
inside every logarithm, Idn and Idmn divided by the largest level, directions without a pair left out.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict

import numpy as np

EPS = 2.0**-52
NAN = float("nan")


def directions(distances=(1,), flat_axis=None):
    """Steps ``(z, y, x)`` to the neighbours whose farthest coordinate is one of the distances, one of each two."""
    reach = range(-max(distances), max(distances) + 1)
    steps = [step for step in itertools.product(reach, repeat=3) if step > (0, 0, 0)]
    steps = [step for step in steps if max(abs(part) for part in step) in distances]
    return [step for step in steps if flat_axis is None or step[flat_axis] == 0]


def look(grid, place, step, times=1):
    """Level at ``place + times * step``; 0 outside the array as outside the mask."""
    there = tuple(int(at + times * by) for at, by in zip(place, step, strict=True))
    inside = all(0 <= at < size for at, size in zip(there, grid.shape, strict=True))
    return int(grid[there]) if inside else 0


def places(grid):
    return [tuple(place) for place in np.argwhere(grid).tolist()]


def pairs(grid, step):
    """Co-occurrences ``(top, top)`` along one step, each pair once."""
    top = int(grid.max())
    found = np.zeros((top, top))
    for place in places(grid):
        other = look(grid, place, step)
        if other:
            found[grid[place] - 1, other - 1] += 1
    return found


def runs(grid, step):
    """Counter of (level, length), every run walked from its first voxel."""
    found = Counter()
    for place in places(grid):
        level = int(grid[place])
        if look(grid, place, step, -1) != level:
            length = next(n for n in itertools.count(1) if look(grid, place, step, n) != level)
            found[level, length] += 1
    return found


def has_line(grid, step):
    """Whether two voxels of the mask lie on one line along ``step``, touching or not."""
    far = range(1, max(grid.shape))
    return any(look(grid, place, step, n) for place in places(grid) for n in far)


def around(grid, place, steps):
    """Levels of the neighbours inside the mask."""
    seen = [look(grid, place, step, sign) for step in steps for sign in (1, -1)]
    return [level for level in seen if level]


def dependences(grid, steps, alpha=0):
    """Counter of (level, dependence); a voxel depends on itself."""
    found = Counter()
    for place in places(grid):
        level = int(grid[place])
        found[level, 1 + sum(abs(other - level) <= alpha for other in around(grid, place, steps))] += 1
    return found


def differences(grid, steps):
    """Summed difference between a voxel and the mean of its neighbours, by level."""
    found = defaultdict(float)
    for place in places(grid):
        level, others = int(grid[place]), around(grid, place, steps)
        found[level] += abs(level - sum(others) / len(others)) if others else 0.0
    return dict(found)


def zones(grid, steps):
    """Counter of (level, size) by flooding every zone."""
    found, seen = Counter(), set()
    for start in places(grid):
        if start in seen:
            continue
        level, zone, front = int(grid[start]), {start}, [start]
        while front:
            place = front.pop()
            for step, sign in itertools.product(steps, (1, -1)):
                other = tuple(at + sign * by for at, by in zip(place, step, strict=True))
                if other not in zone and look(grid, place, step, sign) == level:
                    zone.add(other)
                    front.append(other)
        seen |= zone
        found[level, len(zone)] += 1
    return found


def lengths(steps, spacing_mm, norm):
    """Length of every step in mm."""
    parts = [[abs(by) * size for by, size in zip(step, spacing_mm, strict=True)] for step in steps]
    return [{"manhattan": sum(p), "euclidean": sum(x * x for x in p) ** 0.5, "infinity": max(p)}[norm] for p in parts]


def glcm(grid, settings, spacing_mm):
    """Features averaged over directions, or of their weighted sum."""
    steps = directions(settings.distances, settings.flat_axis)
    matrices = [pairs(grid, step) for step in steps]
    if settings.symmetric:
        matrices = [matrix + matrix.T for matrix in matrices]
    if settings.weighting is not None:
        weights = [1.0] * len(steps)
        if settings.weighting != "no_weighting":
            weights = [np.exp(-(length**2)) for length in lengths(steps, spacing_mm, settings.weighting)]
        matrices = [sum(weight * matrix for weight, matrix in zip(weights, matrices, strict=True))]
    found = [glcm_of_one(matrix / matrix.sum(), len(np.unique(grid[grid > 0]))) for matrix in matrices if matrix.any()]
    names = glcm_of_one(np.eye(1), 1)
    known = {name: [one[name] for one in found if not np.isnan(one[name])] for name in names}
    means = {name: float(np.mean(known[name])) if known[name] else NAN for name in names}
    return means | ({"MCC": 1.0} if len(np.unique(grid[grid > 0])) == 1 else {})


def entropy(p):
    return -float((p * np.log2(p + EPS)).sum())


def glcm_of_one(p, n_levels):
    """Features of one matrix of probabilities whose row ``g`` is level ``g + 1``."""
    top = len(p)
    i, j = np.mgrid[1 : top + 1, 1 : top + 1].astype(float)
    p_i, p_j = p.sum(axis=1), p.sum(axis=0)
    mean_i, mean_j = (i * p).sum(), (j * p).sum()
    variance_i, variance_j = ((i - mean_i) ** 2 * p).sum(), ((j - mean_j) ** 2 * p).sum()
    k = np.arange(top, dtype=float)
    by_difference = np.array([p[abs(i - j) == d].sum() for d in k])
    by_sum = np.array([p[i + j == s].sum() for s in range(2, 2 * top + 1)])
    average = (k * by_difference).sum()
    h, product = entropy(p), np.outer(p_i, p_j)
    h1, h2 = -(p * np.log2(product + EPS)).sum(), entropy(product)
    h_level = max(entropy(p_i), entropy(p_j))
    spread = np.sqrt(variance_i) * np.sqrt(variance_j)
    with np.errstate(invalid="ignore"):
        imc2 = 0.0 if h2 == h else np.sqrt(1 - np.exp(-2 * (h2 - h)))
    return {
        "Autocorrelation": (i * j * p).sum(),
        "ClusterProminence": ((i + j - mean_i - mean_j) ** 4 * p).sum(),
        "ClusterShade": ((i + j - mean_i - mean_j) ** 3 * p).sum(),
        "ClusterTendency": ((i + j - mean_i - mean_j) ** 2 * p).sum(),
        "Contrast": ((i - j) ** 2 * p).sum(),
        "Correlation": 1.0 if spread == 0 else ((i - mean_i) * (j - mean_j) * p).sum() / spread,
        "DifferenceAverage": average,
        "DifferenceEntropy": entropy(by_difference),
        "DifferenceVariance": ((k - average) ** 2 * by_difference).sum(),
        "Id": (by_difference / (1 + k)).sum(),
        "Idm": (by_difference / (1 + k**2)).sum(),
        "Idmn": (by_difference / (1 + (k / top) ** 2)).sum(),
        "Idn": (by_difference / (1 + k / top)).sum(),
        "Imc1": 0.0 if h_level == 0 else (h - h1) / h_level,
        "Imc2": imc2,
        "InverseVariance": (by_difference[1:] / k[1:] ** 2).sum(),
        "JointAverage": mean_i,
        "JointEnergy": (p**2).sum(),
        "JointEntropy": h,
        "MCC": correlation(p) if n_levels > 1 else 1.0,
        "MaximumProbability": p.max(),
        "SumAverage": (np.arange(2, 2 * top + 1) * by_sum).sum(),
        "SumEntropy": entropy(by_sum),
        "SumSquares": variance_i,
    }


def correlation(p):
    """Root of the second largest eigenvalue of Q(i, j) = sum over k of p(i, k) p(j, k) / (p(i) p(k))."""
    p = p[p.sum(axis=1) > 0][:, p.sum(axis=0) > 0]
    q = (p / p.sum(axis=1)[:, None]) @ (p / p.sum(axis=0)).T
    values = np.sort(np.linalg.eigvals(q).real)
    return float(np.sqrt(max(values[-2], 0.0))) if len(values) > 1 else 0.0


def measure(counts):
    """Emphases and so on of a mapping from (level, size) to a count, by neutral name."""
    level, size, n = (
        np.array(part, dtype=float) for part in zip(*((*key, c) for key, c in counts.items()), strict=True)
    )
    total = n.sum()
    by_level, by_size = Counter(), Counter()
    for g, s, count in zip(level, size, n, strict=True):
        by_level[g] += count
        by_size[s] += count
    level_squares, size_squares = (sum(c * c for c in by.values()) for by in (by_level, by_size))
    p = n / total
    return {
        "Small": (p / size**2).sum(),
        "Large": (p * size**2).sum(),
        "Low": (p / level**2).sum(),
        "High": (p * level**2).sum(),
        "SmallLow": (p / level**2 / size**2).sum(),
        "SmallHigh": (p * level**2 / size**2).sum(),
        "LargeLow": (p / level**2 * size**2).sum(),
        "LargeHigh": (p * level**2 * size**2).sum(),
        "LevelNonUniformity": level_squares / total,
        "LevelNonUniformityNormalized": level_squares / total**2,
        "SizeNonUniformity": size_squares / total,
        "SizeNonUniformityNormalized": size_squares / total**2,
        "LevelVariance": (p * (level - (p * level).sum()) ** 2).sum(),
        "SizeVariance": (p * (size - (p * size).sum()) ** 2).sum(),
        "Percentage": total / (n * size).sum(),
        "Entropy": entropy(p),
    }


def named(found, thing, small, large, size):
    """Neutral names to those of one matrix, whose elements are called ``thing`` (Run, Zone, Dependence or nothing)."""
    mid = "" if thing == "Dependence" else thing
    return {
        f"{small}Emphasis": found["Small"],
        f"{large}Emphasis": found["Large"],
        f"LowGrayLevel{mid}Emphasis": found["Low"],
        f"HighGrayLevel{mid}Emphasis": found["High"],
        f"{small}LowGrayLevelEmphasis": found["SmallLow"],
        f"{small}HighGrayLevelEmphasis": found["SmallHigh"],
        f"{large}LowGrayLevelEmphasis": found["LargeLow"],
        f"{large}HighGrayLevelEmphasis": found["LargeHigh"],
        "GrayLevelNonUniformity": found["LevelNonUniformity"],
        "GrayLevelNonUniformityNormalized": found["LevelNonUniformityNormalized"],
        f"{size}NonUniformity": found["SizeNonUniformity"],
        f"{size}NonUniformityNormalized": found["SizeNonUniformityNormalized"],
        "GrayLevelVariance": found["LevelVariance"],
        f"{thing}Variance": found["SizeVariance"],
        f"{thing}Percentage": found["Percentage"],
        f"{thing}Entropy": found["Entropy"],
    }


def glrlm(grid, settings, spacing_mm):
    steps = [step for step in directions((1,), settings.flat_axis) if has_line(grid, step)]
    found = [runs(grid, step) for step in steps]
    if settings.weighting is not None and steps:
        weights = [1.0] * len(steps)
        if settings.weighting != "no_weighting":
            weights = lengths(steps, spacing_mm, settings.weighting)
        joined = Counter()
        for weight, one in zip(weights, found, strict=True):
            for key, count in one.items():
                joined[key] += weight * count
        found = [joined]
    measured = [named(measure(one), "Run", "ShortRun", "LongRun", "RunLength") for one in found]
    names = named(measure({(1, 1): 1}), "Run", "ShortRun", "LongRun", "RunLength")
    return {name: float(np.mean([one[name] for one in measured])) if measured else NAN for name in names}


def glszm(grid, settings):
    return named(
        measure(zones(grid, directions((1,), settings.flat_axis))), "Zone", "SmallArea", "LargeArea", "SizeZone"
    )


def gldm(grid, settings):
    steps = directions(settings.distances, settings.flat_axis)
    found = measure(dependences(grid, steps, settings.alpha))
    found = named(found, "Dependence", "SmallDependence", "LargeDependence", "Dependence")
    return {
        name: found[name] for name in found if name not in ("GrayLevelNonUniformityNormalized", "DependencePercentage")
    }


def ngtdm(grid, settings):
    """Amadasun and King: sums over all pairs of levels present."""
    by_level = differences(grid, directions(settings.distances, settings.flat_axis))
    n = int((grid > 0).sum())
    p = {level: int((grid == level).sum()) / n for level in by_level}
    weighted, total = sum(p[i] * by_level[i] for i in p), sum(by_level.values())
    both = list(itertools.product(p, repeat=2))
    spread = sum(abs(i * p[i] - j * p[j]) for i, j in both)
    contrast = sum(p[i] * p[j] * (i - j) ** 2 for i, j in both) * total / n
    steps = sum(abs(i - j) * (p[i] * by_level[i] + p[j] * by_level[j]) / (p[i] + p[j]) for i, j in both)
    return {
        "Busyness": weighted / spread if spread else 0.0,
        "Coarseness": 1 / weighted if weighted else 1e6,
        "Complexity": steps / n,
        "Contrast": contrast / (len(p) * (len(p) - 1)) if len(p) > 1 else 0.0,
        "Strength": sum((p[i] + p[j]) * (i - j) ** 2 for i, j in both) / total if total else 0.0,
    }


def features(grid, settings, spacing_mm):
    """All texture features by class of a grid of grey levels, 0 outside the mask."""
    return {
        "glcm": glcm(grid, settings, spacing_mm),
        "gldm": gldm(grid, settings),
        "glrlm": glrlm(grid, settings, spacing_mm),
        "glszm": glszm(grid, settings),
        "ngtdm": ngtdm(grid, settings),
    }
