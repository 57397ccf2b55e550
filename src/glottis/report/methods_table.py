"""The paragraph of the methods on features that came from a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from glottis.report.wording import counted, joined
from glottis.study.result import StudyResult
from glottis.study.spec_table import TableFeatures

PATTERNS_SHOWN = 8


def table_sentences(result: StudyResult, block: TableFeatures) -> tuple[str, ...]:
    """Where the features came from, which columns they are, what is known of their making, and gaps."""
    counts: Sequence[Mapping[str, Any]] = result.extraction["counts"]
    n = sum(row["n"] for row in counts)
    manifest = result.study.manifest
    joined_to = (
        "which also holds the outcome" if block.table == manifest else f"joined by id to the manifest {manifest.name}"
    )
    known = (
        f"The user states of their making: {block.source.rstrip('.')}."
        if block.source
        else "How they were made (scanner, segmentation, preprocessing, software, settings) is not known to glottis "
        "and not stated by the user."
    )
    ids = [] if result.study.id else ["The table has no ids: rows are called by their number in the table."]
    return (
        f"{counted(n, 'feature')} came from the table {block.table.name}, {joined_to}; no image was read.",
        *ids,
        known,
        _columns(block),
        *_blocks(result, block),
        *_repeats(block),
        _gaps(block),
    )


def _columns(block: TableFeatures) -> str:
    if block.columns is None:
        text = "Features are the columns of numbers without a role in the study that are no diagnostics of PyRadiomics"
    else:
        text = f"Features are the columns of numbers that fit {_shown(block.columns)}"
    return f"{text}{f', without {_shown(block.drop)}' if block.drop else ''}."


def _shown(patterns: Sequence[str]) -> str:
    more = len(patterns) - PATTERNS_SHOWN
    return ", ".join(patterns[:PATTERNS_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _blocks(result: StudyResult, block: TableFeatures) -> list[str]:
    if not block.blocks:
        return []
    sizes = dict.fromkeys(block.blocks, 0)
    for row in result.extraction["counts"]:
        sizes[row["sequence"]] += row["n"]
    parts = [f"{name} ({_shown(patterns)}; {sizes[name]})" for name, patterns in block.blocks.items()]
    return [f"Blocks, each with its columns and their number: {joined(parts)}."]


def _repeats(block: TableFeatures) -> list[str]:
    return [
        f"{repeat.table.name} holds the same features measured again by reader {repeat.reader}, round {repeat.round}."
        for repeat in block.repeats
    ]


def _gaps(block: TableFeatures) -> str:
    if block.impute is None:
        return "A row with a value missing among others of its block would have been refused."
    return (
        f"Missing values were filled with the feature's {block.impute} over the training rows, learnt anew inside "
        "every training view."
    )
