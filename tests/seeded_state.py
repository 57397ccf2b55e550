"""A state dict with every number drawn from a seed, so that reference and test load the same network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np


def seeded_state(shapes: Mapping[str, Sequence[int]], seed: int = 5) -> dict[str, np.ndarray]:
    """Values by name: kernels keep the scale of what runs through, batch norms have statistics of their own."""
    rng = np.random.default_rng(seed)
    return {name: _values(name, tuple(shapes[name]), rng) for name in sorted(shapes)}


def _values(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    if name.endswith("num_batches_tracked"):
        return np.array(7)
    drawn = rng.normal(size=shape)
    if len(shape) > 1:
        drawn *= (2 / np.prod(shape[1:])) ** 0.5
    elif name.endswith("running_var"):
        drawn = 0.5 + drawn**2
    elif name.endswith("weight"):
        drawn = 0.6 + 0.1 * drawn
    else:
        drawn *= 0.2
    return drawn.astype(np.float32)


def fixed_image(*shape: int) -> np.ndarray:
    """A picture without chance."""
    places = np.meshgrid(*(np.arange(n, dtype=float) for n in shape), indexing="ij")
    return sum(np.sin(0.1 * (i + 1) * place + i) for i, place in enumerate(places)).astype(np.float32)
