"""Neighbouring grey tone difference matrix (Amadasun and King 1989; IBSI IPET)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

PERFECTLY_COARSE = 1e6
"""Coarseness where no voxel differs from its neighbours (the limit is infinite)."""


def features(counts: NDArray[Any], differences: NDArray[Any], levels: NDArray[Any]) -> dict[str, float]:
    """Coarseness, contrast, busyness, complexity and strength.

    Args:
        counts: ``(G,)``, voxels of each grey level, all positive.
        differences: ``(G,)``, summed absolute difference between those voxels and the mean of their neighbours.
        levels: ``(G,)`` grey levels present.
    """
    n = counts.sum()
    p = counts / n
    i = levels.astype(np.float64)
    weighted = float(p @ differences)
    total = float(differences.sum())
    gap = i[:, None] - i
    p_sum = p[:, None] + p
    joint = p * differences
    spread = float(np.abs((i * p)[:, None] - i * p).sum())
    n_levels = len(levels)
    contrast = float(((p[:, None] * p) * gap**2).sum()) * total / n
    return {
        "Busyness": weighted / spread if spread != 0 else 0.0,
        "Coarseness": 1 / weighted if weighted != 0 else PERFECTLY_COARSE,
        "Complexity": float((np.abs(gap) * (joint[:, None] + joint) / p_sum).sum()) / n,
        "Contrast": contrast / (n_levels * (n_levels - 1)) if n_levels > 1 else 0.0,
        "Strength": float((p_sum * gap**2).sum()) / total if total != 0 else 0.0,
    }
