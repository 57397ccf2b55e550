"""What an audit says about a printed row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Verdict = Literal["differs", "unusual", "noted", "unchecked", "agrees"]
VERDICTS: tuple[Verdict, ...] = ("differs", "unusual", "noted", "unchecked", "agrees")
MEANING = {
    "differs": "cannot all be right as printed",
    "unusual": "possible, worth asking about",
    "noted": "right as printed, worth knowing",
    "unchecked": "not enough is printed",
    "agrees": "follows from the other numbers, or can stand beside them",
}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One check of one printed row.

    Attributes:
        row: model, reader or variable.
        dataset: the set of patients; empty where the table names none.
        source: table, figure or page; empty where the table names none.
        check: what was checked.
        verdict: "differs" (cannot all be right as printed), "unusual" (possible, worth asking), "noted" (right, worth
            knowing), "unchecked" (not enough is printed) or "agrees".
        message: a sentence or two with the numbers.
        cells: the printed cells that do not fit.
        details: the numbers behind the message.
    """

    row: str
    dataset: str = ""
    source: str = ""
    check: str
    verdict: Verdict
    message: str
    cells: tuple[str, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return vars(self) | {"cells": list(self.cells)}

    def sentence(self) -> str:
        """The finding as one line: place, check, message."""
        place = ", ".join(part for part in (self.row, self.dataset, self.source) if part)
        return f"{place}: {self.check}: {self.message}"


@dataclass(frozen=True, kw_only=True)
class Audit:
    """All findings on a paper's tables, in the order of its rows.

    Attributes:
        findings: one or more a row.
    """

    findings: tuple[Finding, ...]

    def of(self, *verdicts: Verdict) -> tuple[Finding, ...]:
        """The findings with one of these verdicts."""
        return tuple(finding for finding in self.findings if finding.verdict in verdicts)

    @property
    def silent(self) -> bool:
        """Whether there is nothing to ask the authors."""
        return not self.of("differs", "unusual")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "counts": {verdict: len(self.of(verdict)) for verdict in VERDICTS},
            "findings": [finding.to_dict() for finding in self.findings],
        }


def listed(words: Sequence[str], last: str = "and") -> str:
    """Words in a sentence.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return f" {last} ".join(part for part in (", ".join(words[:-1]), words[-1]) if part) if words else ""
