"""A fitted late fusion as it is used on the next patient."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from glottis.evaluation.interval import Floats, plain
from glottis.modelling.deployed import Classes, Scorer, refuse_no_numbers, two_classes
from glottis.modelling.stacking import Stacker


@dataclass(frozen=True, kw_only=True)
class FusedScorer:
    """Scorers of blocks of features, and the stacker that makes one probability of theirs.

    Attributes:
        blocks: block to its scorer, in the order of the stacker's weights.
        stacker: as fitted.
        threshold: positive when the probability is at least this.
        classes: the two outcomes, the second is the positive one.
    """

    blocks: Mapping[str, Scorer]
    stacker: Stacker
    threshold: float | None = None
    classes: Classes = (0, 1)

    def __post_init__(self) -> None:
        """Refuse weights that do not fit the blocks."""
        weights = np.asarray(self.stacker.weights, dtype=np.float64)
        if weights.shape != (len(self.blocks),) or not self.blocks or self.stacker.kind not in ("logistic", "mean"):
            message = f"A stacker needs one weight a block ({len(self.blocks)}); got {weights.tolist()}."
            raise ValueError(message)
        refuse_no_numbers(self.threshold, self.stacker.intercept, *weights.tolist())

    @property
    def columns(self) -> tuple[str, ...]:
        """Features that are read, block by block."""
        return tuple(dict.fromkeys(self._of_blocks("columns")))

    @property
    def batch_columns(self) -> tuple[str, ...]:
        """What is needed beside the features."""
        return tuple(dict.fromkeys(self._of_blocks("batch_columns")))

    @property
    def known_batches(self) -> tuple[str, ...]:
        """Batches that the corrections were trained on."""
        return tuple(dict.fromkeys(self._of_blocks("known_batches")))

    def _of_blocks(self, attribute: str) -> Iterator[str]:
        return (name for scorer in self.blocks.values() for name in getattr(scorer, attribute))

    def probability(self, X: pd.DataFrame, batches: pd.DataFrame | None = None) -> Floats:
        """(n,) probabilities of the second class; arguments and errors as of `Scorer.prepared`."""
        return self.stacker(np.column_stack([scorer.probability(X, batches) for scorer in self.blocks.values()]))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, without the classifiers."""
        return {
            "kind": "fusion",
            "blocks": {block: scorer.to_dict() for block, scorer in self.blocks.items()},
            "stacker": self.stacker.to_dict(),
            "threshold": self.threshold,
            "classes": plain(list(self.classes)),
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], classifiers: Mapping[str, Any]) -> Self:
        """The scorer that ``to_dict`` wrote, with the classifier of each block.

        Raises:
            ValueError: malformed.
        """
        stacker = content["stacker"]
        arrays = {name: np.array(stacker[name], dtype=np.float64) for name in ("weights", "standardised")}
        return cls(
            blocks={block: Scorer.from_dict(own, classifiers[block]) for block, own in content["blocks"].items()},
            stacker=Stacker(**{**stacker, **arrays}),
            threshold=content["threshold"],
            classes=two_classes(content["classes"]),
        )


AnyScorer = Scorer | FusedScorer
"""What a fitted model of features does to a row."""
