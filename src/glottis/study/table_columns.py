"""Which columns of a table are features, what the others are, and what a feature's name says of it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glottis._errors import CohortError, nearest
from glottis.io.clinical import is_missing, numbers
from glottis.study.spec_table import TableFeatures, matches

CLASSES = frozenset({"shape", "shape2D", "firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm"})
DIAGNOSTIC = re.compile(r"(?:^|_)(?:diagnostics|general_info)_")
"""What PyRadiomics tells of its run: ``diagnostics_`` since version 2, ``general_info_`` before."""
ID_LIKE = re.compile(
    r"^(?:unnamed_1|mrn|pid|uid|(?:.*[-_ ])?ids?|(?:patient|subject|case|sample|scan)s?"
    r"(?:[-_ ]?(?:id|no|nr|num|number|code|name))?)$",
    re.IGNORECASE,
)
INFINITE = re.compile(r"[+-]?inf(?:inity)?", re.IGNORECASE)
OTHER = ("other names", "features")
BATCH = frozenset({"Image", "Mask"})
RESERVED = {"reader": "reader of the row", "round": "round of the row"}


@dataclass(frozen=True, kw_only=True)
class TableColumns:
    """The columns of a table.

    Attributes:
        features: name to values, NaN where the cell is empty.
        left_out: columns of numbers that are no features, each with the reason.
        text: columns without numbers, each with its first text (empty for an empty column).
        nearly: of these, columns in which at least nine cells in ten are numbers: how many are not.
    """

    features: Mapping[str, NDArray[np.float64]]
    left_out: Mapping[str, str]
    text: Mapping[str, str]
    nearly: Mapping[str, int]


def read_columns(frame: pd.DataFrame, block: TableFeatures, roles: Mapping[str, str], *, name: str) -> TableColumns:
    """Sort the columns of a table into features and others.

    Args:
        frame: the table with every cell as text.
        block: the study's block.
        roles: columns that have a role in the study, with the role in words.
        name: of the table, for messages.

    Raises:
        CohortError: a name or pattern that fits no column, a named feature that is text, a column in two blocks, a
            block without a column, or no feature at all.
    """
    names = [str(column) for column in frame.columns]
    _require_matches(names, block, name)
    features, left_out, text, nearly = {}, {}, {}, {}
    for column in names:
        values, sample, odd = numeric(frame[column])
        reason = _reason(column, block, roles, batch=set(names) >= BATCH)
        if values is None:
            if column in roles:
                continue
            if block.columns is not None and column in block.columns:
                message = f"Feature '{column}' of table '{name}' holds {held(sample)}: correct it, or leave it out."
                raise CohortError(message)
            text[column] = sample
            if odd and not reason and odd <= len(frame) / 10:
                nearly[column] = odd
        elif reason:
            left_out[column] = reason
        else:
            features[column] = values
    _require_blocks(features, block, name)
    return TableColumns(features=features, left_out=left_out, text=text, nearly=nearly)


def numeric(cells: pd.Series) -> tuple[NDArray[np.float64] | None, str, int]:
    """The values of a column of numbers (``inf`` counts as one), or its first text and how many cells are text."""
    texts = [None if is_missing(cell) else str(cell).strip() for cell in cells]
    endless = [cell is not None and INFINITE.fullmatch(cell) is not None for cell in texts]
    parsed = numbers(None if no_end else cell for cell, no_end in zip(texts, endless, strict=True))
    if parsed is None and not any(endless):
        odd = [cell for cell in texts if cell is not None and numbers([cell]) is None]
        return None, odd[0] if odd else next((cell for cell in texts if cell is not None), ""), len(odd)
    values = [math.nan if value is None else value for value in parsed or [None] * len(texts)]
    for row, no_end in enumerate(endless):
        if no_end:
            values[row] = float(texts[row] or "nan")
    return np.array(values, dtype=np.float64), "", 0


def held(sample: str) -> str:
    """What a column without numbers holds, in words."""
    return f"text ('{sample}')" if sample else "no value"


def place(feature: str) -> tuple[str, str]:
    """Image filter and class in a feature's name, as PyRadiomics and those who put a prefix before it write them.

    >>> place("GTV-1_wavelet-HLL_glcm_Contrast"), place("age")
    (('wavelet-HLL', 'glcm'), ('other names', 'features'))
    """
    parts = feature.split("_")
    for i in range(len(parts) - 2, 0, -1):
        if parts[i] in CLASSES:
            return parts[i - 1], parts[i]
    return OTHER


def like_id(name: str) -> bool:
    """Whether a column is named like an id.

    >>> like_id("PatientID"), like_id("original_glcm_Id")
    (True, False)
    """
    return ID_LIKE.match(name) is not None and place(name) == OTHER


def prefix(feature: str) -> str:
    """What stands before filter and class; empty for nothing, or a name of another kind.

    >>> prefix("T1WI_original_glcm_Contrast"), prefix("original_glcm_Contrast")
    ('T1WI', '')
    """
    filter_, class_ = place(feature)
    return "" if (filter_, class_) == OTHER else feature.rpartition(f"{filter_}_{class_}_")[0].rstrip("_")


def _reason(column: str, block: TableFeatures, roles: Mapping[str, str], *, batch: bool) -> str:
    """Why a column is no feature; empty where it is one."""
    if column in roles:
        return roles[column]
    if column in RESERVED:
        return RESERVED[column]
    if matches(column, block.drop):
        return "features.drop"
    if block.columns is not None and not matches(column, block.columns):
        return "not in features.columns"
    if block.columns is None and DIAGNOSTIC.search(column):
        return "diagnostic of PyRadiomics"
    if block.columns is None and batch and column in ("Label", "Label_channel"):
        return "label of the mask"
    return "" if block.blocks_of(column) else "in no block"


def _require_matches(names: Sequence[str], block: TableFeatures, table: str) -> None:
    wanted = [("features.columns", block.columns or ()), ("features.drop", block.drop)]
    wanted += [(f"features.blocks.{name}", patterns) for name, patterns in block.blocks.items()]
    for key, patterns in wanted:
        for pattern in patterns:
            if not any(matches(name, (pattern,)) for name in names):
                message = f"{key}: no column of table '{table}' fits '{pattern}': {_near(pattern, names)}"
                raise CohortError(message)


def _near(pattern: str, names: Sequence[str]) -> str:
    hint = nearest(pattern, names)
    first = ", ".join(names[:5]) + (" ..." if len(names) > 5 else "")
    return hint if hint.startswith("did") else f"its columns are {first}"


def _require_blocks(features: Mapping[str, NDArray[np.float64]], block: TableFeatures, table: str) -> None:
    if not features:
        message = (
            f"Table '{table}' has no column of features: give columns of numbers, or correct features.columns and "
            "features.drop."
        )
        raise CohortError(message)
    owners = {name: block.blocks_of(name) for name in features}
    for name, blocks in owners.items():
        if len(blocks) > 1:
            message = f"Feature '{name}' stands in the blocks {' and '.join(blocks)}: narrow the patterns of one."
            raise CohortError(message)
    for name in block.blocks:
        if not any(name in blocks for blocks in owners.values()):
            message = f"features.blocks.{name}: no feature of table '{table}' is left for it: correct its pattern."
            raise CohortError(message)
