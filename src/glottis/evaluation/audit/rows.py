"""The printed rows that an audit reads: metrics of a model or reader, and the result of a statistical test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from glottis.evaluation.audit.finding import Finding, Verdict
from glottis.evaluation.audit.printed import Printed

Pair = tuple[Printed, Printed]
ClaimKind = Literal["counts", "means", "odds_ratio", "hazard_ratio", "delong", "mcnemar", "best"]
CLAIM_KINDS: tuple[str, ...] = get_args(ClaimKind)
METRICS = ("sensitivity", "specificity", "ppv", "npv", "accuracy", "f1")
NAMES = {
    "auc": "AUC", "sensitivity": "sensitivity", "specificity": "specificity", "ppv": "PPV", "npv": "NPV",
    "accuracy": "accuracy", "f1": "F1",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class MetricRow:
    """A printed row of metrics.

    Attributes:
        model: model or reader.
        dataset: the set of patients.
        source: table or page.
        n_positive: patients with the outcome; None where unknown.
        n_negative: patients without; None where unknown.
        n: all patients; None where unknown.
        printed: metric -> what is printed; of `METRICS` and "auc".
        intervals: metric -> printed limits.
        level: confidence level of the limits.
    """

    model: str
    dataset: str = ""
    source: str = ""
    n_positive: int | None = None
    n_negative: int | None = None
    n: int | None = None
    printed: Mapping[str, Printed]
    intervals: Mapping[str, Pair] = field(default_factory=dict)
    level: float = 0.95

    @property
    def sizes(self) -> tuple[int, int] | None:
        """Patients with and without the outcome, where both are known or follow from n."""
        positive, negative = self.n_positive, self.n_negative
        if self.n is not None:
            positive = positive if positive is not None or negative is None else self.n - negative
            negative = negative if negative is not None or positive is None else self.n - positive
        return None if positive is None or negative is None else (positive, negative)

    @property
    def total(self) -> int | None:
        """All patients, where known."""
        return self.n if self.sizes is None else sum(self.sizes)

    @property
    def counted(self) -> dict[str, Printed]:
        """The printed metrics that follow from a 2x2 table."""
        return {name: self.printed[name] for name in METRICS if name in self.printed}

    def says(
        self, check: str, verdict: Verdict, message: str, *, cells: tuple[str, ...] = (), **details: Any
    ) -> Finding:
        """A finding on this row."""
        return Finding(
            row=self.model, dataset=self.dataset, source=self.source, check=check, verdict=verdict, message=message,
            cells=cells, details=details,
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A printed result of a test, or a claim about rows of metrics.

    Attributes:
        kind: one of `CLAIM_KINDS`.
        label: the variable or comparison.
        dataset: the set of patients.
        source: table or page.
        values: groups of printed numbers; counts: the rows of the r x c table; means: mean, SD and n of each group;
            odds_ratio: the 2x2 table or nothing; mcnemar: errors of one, errors of the other, patients.
        estimate: the printed ratio.
        interval: its limits.
        p: the printed p value.
        statistic: the printed chi-square, t or F.
        a: first model of a comparison; the model called best.
        b: second model of a comparison.
        n: patients that the number should come from.
        level: confidence level of the limits.
    """

    kind: ClaimKind
    label: str
    dataset: str = ""
    source: str = ""
    values: tuple[tuple[Printed, ...], ...] = ()
    estimate: Printed | None = None
    interval: Pair | None = None
    p: Printed | None = None
    statistic: Printed | None = None
    a: str = ""
    b: str = ""
    n: int | None = None
    level: float = 0.95

    def says(
        self, check: str, verdict: Verdict, message: str, *, cells: tuple[str, ...] = (), **details: Any
    ) -> Finding:
        """A finding on this claim."""
        return Finding(
            row=self.label, dataset=self.dataset, source=self.source, check=check, verdict=verdict, message=message,
            cells=cells, details=details,
        )  # fmt: skip
