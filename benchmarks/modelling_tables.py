"""A generated table with the size and the correlations of a radiomics study: 213 patients, three blocks of 863."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

SEED = 20260312
N_PATIENTS, N_FEATURES, N_READ = 213, 863, 40
BLOCKS = ("T1WI", "T2WI", "CE-T1WI")
N_HIDDEN, N_SHARED, N_PROTOTYPES = 40, 5, 60
COMBINATIONS = [names for size in (1, 2, 3) for names in combinations(BLOCKS, size)]


def study() -> tuple[pd.DataFrame, pd.Series, dict[str, pd.DataFrame]]:
    """Features, outcome (two hidden traits decide) and two tables of repeats of 40 patients.

    A block has 40 hidden traits of falling variance (k to the power -2.4), of which the first five are the same in all
    blocks. Its features descend from 60 prototypes, as one texture seen through several filters does, with loadings of
    their own beside; noise (0 to 0.7 of a feature's deviation, mostly little) comes on top; a third is exponential.
    """
    rng = np.random.default_rng(SEED)
    patients = pd.Index([f"P{i:03d}" for i in range(N_PATIENTS)], name="patient")
    shared = rng.standard_normal((N_PATIENTS, N_SHARED))
    parts = []
    for block in BLOCKS:
        hidden = np.hstack([shared, rng.standard_normal((N_PATIENTS, N_HIDDEN - N_SHARED))])
        of_prototype = rng.standard_normal((N_HIDDEN, N_PROTOTYPES))[:, rng.integers(N_PROTOTYPES, size=N_FEATURES)]
        own = 0.3 * rng.random(N_FEATURES) ** 2 * rng.standard_normal((N_HIDDEN, N_FEATURES))
        loadings = (of_prototype + own) * (np.arange(1, N_HIDDEN + 1.0) ** -1.2)[:, None]
        noise = 0.7 * rng.random(N_FEATURES) ** 4 * rng.standard_normal((N_PATIENTS, N_FEATURES))
        values = hidden @ (loadings / np.sqrt((loadings**2).sum(axis=0))) + noise
        values[:, ::3] = np.exp(0.5 * values[:, ::3])
        parts.append(pd.DataFrame(values, patients, [f"{block}_{i:03d}" for i in range(N_FEATURES)]))
    X = pd.concat(parts, axis=1)
    log_odds = shared[:, 1] - shared[:, 2]
    y = pd.Series((rng.random(N_PATIENTS) < 1 / (1 + np.exp(-log_odds))).astype(int), index=patients)
    read = patients[np.sort(rng.choice(N_PATIENTS, N_READ, replace=False))]
    error = rng.uniform(0.05, 1.0, X.shape[1]) * X.std().to_numpy()
    size = (N_READ, X.shape[1])
    repeats = {kind: X.loc[read] + error * rng.standard_normal(size) for kind in ("intra", "inter")}
    return X, y, repeats


def columns(names: tuple[str, ...]) -> list[str]:
    """Of the blocks of a combination."""
    return [f"{block}_{i:03d}" for block in names for i in range(N_FEATURES)]


def shape_of(X: pd.DataFrame) -> dict[str, float]:
    """How correlated a block is, in the terms in which the page compares it with real tables."""
    rho = X.rank().corr().to_numpy()
    of_pairs = np.quantile(np.abs(rho[np.triu_indices(len(rho), 1)]), [0.5, 0.95])
    spectrum = np.linalg.eigvalsh(rho)[::-1]
    components = int(np.searchsorted(np.cumsum(spectrum) / spectrum.sum(), 0.9)) + 1
    return {"median": float(of_pairs[0]), "q95": float(of_pairs[1]), "components": components}
