"""A figure of a page before it is drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from matplotlib.figure import Figure


@dataclass(frozen=True)
class Plan:
    """A figure to be drawn; ``draw`` gives ``None`` where the run has nothing to show."""

    name: str
    caption: str
    draw: Callable[[], Figure | None]
