"""Numbers by name in little memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


class NamedValues(Mapping[str, float]):
    """Values by name, as an array beside names that all rows with the same ones share.

    A thousand features take 8 kB a row in place of some 150 kB as a dictionary, also after a row has come back from
    another process.

    >>> NamedValues({"Mean": 2.5, "Entropy": 1.0})["Entropy"]
    1.0
    """

    __slots__ = ("_places", "_values")

    def __init__(self, values: Mapping[str, float]) -> None:
        self._places = _places(tuple(values))
        self._values = np.fromiter(values.values(), dtype=np.float64, count=len(values))

    def __getitem__(self, name: str) -> float:
        return float(self._values[self._places[name]])

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __reduce__(self) -> tuple[object, tuple[tuple[str, ...], NDArray[np.float64]]]:
        return _restored, (tuple(self._places), self._values)


def _restored(names: tuple[str, ...], values: NDArray[np.float64]) -> NamedValues:
    return NamedValues(dict(zip(names, values.tolist(), strict=True)))


@lru_cache(maxsize=256)
def _places(names: tuple[str, ...]) -> dict[str, int]:
    """Place of every name; one dictionary for equal names."""
    return {name: place for place, name in enumerate(names)}
