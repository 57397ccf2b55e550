"""Grey level dependence matrix: how many neighbours share a voxel's grey level (IBSI REK0, coarseness 0)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from glottis.features.texture._emphasis import measure

MEASURES = {
    "DependenceEntropy": "entropy",
    "DependenceNonUniformity": "size_nonuniformity",
    "DependenceNonUniformityNormalized": "size_nonuniformity_normalised",
    "DependenceVariance": "size_variance",
    "GrayLevelNonUniformity": "level_nonuniformity",
    "GrayLevelVariance": "level_variance",
    "HighGrayLevelEmphasis": "high",
    "LargeDependenceEmphasis": "large",
    "LargeDependenceHighGrayLevelEmphasis": "large_high",
    "LargeDependenceLowGrayLevelEmphasis": "large_low",
    "LowGrayLevelEmphasis": "low",
    "SmallDependenceEmphasis": "small",
    "SmallDependenceHighGrayLevelEmphasis": "small_high",
    "SmallDependenceLowGrayLevelEmphasis": "small_low",
}


def features(dependences: NDArray[Any], levels: NDArray[Any]) -> dict[str, float]:
    """Dependence features.

    Args:
        dependences: ``(G, 27)``, voxels by grey level and number of equal neighbours; a voxel's dependence counts the
            voxel itself, so it is that number plus one.
        levels: ``(G,)`` grey levels present.
    """
    found = measure(dependences[None], levels, np.arange(1, dependences.shape[1] + 1))
    return {name: float(found[source][0]) for name, source in MEASURES.items()}
