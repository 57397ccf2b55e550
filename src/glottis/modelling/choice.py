"""The choice between fitted chains."""

from __future__ import annotations

from collections.abc import Mapping

from glottis.modelling.chain import Chain
from glottis.modelling.tuning import TIE


def choose(chains: Mapping[str, Chain]) -> str:
    """The chain with the best inner result (AUC, or Harrell's C), which no held-out patient has entered.

    Of equals the first is taken, in the order of ``chains``. The winner's inner result is optimistic, since it is the
    best of several: report its held-out result.

    Args:
        chains: name to a chain fitted on the same patients with the same inner folds, as by `fit_together`.

    Raises:
        ValueError: no chain, or chains of other patients or folds, whose results do not compare.
    """
    if not chains:
        message = "There is no chain to choose from: give at least one."
        raise ValueError(message)
    first = next(iter(chains.values()))
    for name, chain in chains.items():
        if chain._RESULT != first._RESULT or not chain.fold_.equals(first.fold_):
            message = f"Chain {name!r} was tuned on other patients or folds than the first: use fit_together for all."
            raise ValueError(message)
    results = {name: float(getattr(chain, f"inner_{chain._RESULT}_")) for name, chain in chains.items()}
    highest = max(results.values())
    return next(name for name, value in results.items() if value >= highest - TIE)
