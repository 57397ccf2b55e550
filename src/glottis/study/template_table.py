"""The lines of a first ``study.yaml`` that are about a table of features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from glottis.study.quoting import quoted


@dataclass(frozen=True, kw_only=True)
class TemplateTable:
    """A table of features as the template shows it.

    Attributes:
        table: its path, relative to the study file.
        id: its id column, where a manifest stands beside it.
        drop: columns of numbers that are no features, each with its reason.
        blocks: block to pattern.
    """

    table: str
    id: str = ""
    drop: Mapping[str, str] = field(default_factory=dict)
    blocks: Mapping[str, str] = field(default_factory=dict)


def table_lines(table: TemplateTable) -> list[str]:
    """The ``features`` block."""
    lines = ["features:                # every column of numbers without a role above, diagnostics left out"]
    lines.append(f"  table: {quoted(table.table)}")
    if table.id:
        lines.append(f"  id: {quoted(table.id)}            # joined to the manifest's id")
    lines.append('  # columns: "original_*"  # only these: a name, a pattern, or a list')
    lines += _drop(table.drop)
    if table.blocks:
        lines.append("  blocks:                # models are made of blocks, as of sequences")
        lines += [f"    {quoted(name)}: {quoted(pattern)}" for name, pattern in table.blocks.items()]
    else:
        lines.append('  # blocks: {radiomics: "original_*", deep: "deep_*"}   # models are made of blocks')
    return [
        *lines,
        "  # repeats: [{table: retest.csv, reader: B, round: 1}]   # measured again, for the ICC",
        "  impute: null           # median fills gaps inside the training folds; without it a gap is refused",
        "  # source: how the features were made (scanner, segmentation, software, settings), for the report",
    ]


def _drop(drop: Mapping[str, str]) -> Sequence[str]:
    listed = ", ".join(quoted(name) for name in drop)
    return [f"  drop: [{listed}]", *(f"  #   {quoted(name)}: {reason}" for name, reason in drop.items())]
