"""Blocks of ``study.yaml`` for a study that starts from a table of features that were made elsewhere."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from glottis.study.spec_block import Block

WHOLE_TABLE = "features"
"""The one block of a table whose study names none."""


class RepeatedTable(Block):
    """A further measurement of the same lesions, for reproducibility: the same columns in a table of its own."""

    table: Path
    reader: str = "B"
    round: int = Field(default=1, ge=1)


class TableFeatures(Block):
    """Which columns of which table are features; ``features: table.csv`` is short for ``{table: table.csv}``.

    Names in ``columns``, ``drop`` and ``blocks`` may hold ``*``, ``?`` and ``[...]``. Without ``columns`` every column
    of numbers is a feature that has no role in the study and is no diagnostic of PyRadiomics. A block plays the part
    of a sequence: models are made of blocks.

    Attributes:
        table: CSV, TSV, Excel or Parquet, relative to the study file.
        id: the table's id column where it is called otherwise than in the manifest.
        columns: the features.
        drop: columns that are none.
        blocks: block to the pattern(s) of its columns.
        reader: who made the measurement; with ``round`` it also picks rows from a table of glottis' own.
        round: the reader's first, second ... measurement.
        repeats: further measurements.
        impute: what fills gaps, learnt inside every training view; without it a gap is refused.
        source: how the features were made, in the user's words, for the report.
    """

    table: Path
    id: str | None = None
    columns: tuple[str, ...] | None = None
    drop: tuple[str, ...] = ()
    blocks: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    reader: str = "A"
    round: int = Field(default=1, ge=1)
    repeats: tuple[RepeatedTable, ...] = ()
    impute: Literal["median"] | None = None
    source: str | None = None

    @field_validator("columns", "drop", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("blocks", mode="before")
    @classmethod
    def _patterns(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {name: (patterns,) if isinstance(patterns, str) else patterns for name, patterns in value.items()}

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        drawn = [(self.reader, self.round), *((repeat.reader, repeat.round) for repeat in self.repeats)]
        for reader, number in drawn:
            if drawn.count((reader, number)) > 1:
                message = f"repeats: reader {reader}, round {number} stands there twice: give each table its own"
                raise ValueError(message)
        return self

    def block_names(self) -> tuple[str, ...]:
        """The blocks, in the order of the study file."""
        return tuple(self.blocks) or (WHOLE_TABLE,)

    def blocks_of(self, column: str) -> list[str]:
        """Every block whose pattern a column matches."""
        if not self.blocks:
            return [WHOLE_TABLE]
        return [name for name, patterns in self.blocks.items() if matches(column, patterns)]


def matches(column: str, patterns: tuple[str, ...]) -> bool:
    """Whether a column has one of these names, or fits one of these patterns."""
    return any(column == pattern or fnmatchcase(column, pattern) for pattern in patterns)
