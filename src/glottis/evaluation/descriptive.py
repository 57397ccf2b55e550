"""Table 1: who the patients of each group are, and the right test between groups, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from glottis._errors import StatisticsError
from glottis.evaluation.design_matrix import as_table, is_categorical, levels_of
from glottis.evaluation.followup import check_groups
from glottis.evaluation.group_tests import GroupTest, compare_counts, compare_values
from glottis.evaluation.interval import Floats, plain

OF_MEANS = ("t", "Welch's t", "one-way ANOVA", "Welch's ANOVA")
OVERALL = "overall"


@dataclass(frozen=True)
class GroupSummary:
    """One characteristic in one group.

    Attributes:
        group: its name, or "overall".
        n: patients with a value.
        n_missing: patients without one.
        counts: patients of each level; empty for a number.
        mean: None for levels, or without values.
        sd: None for levels, or with fewer than two values.
        median: None for levels, or without values.
        q1: first quartile (type 7, as R).
        q3: third quartile.
    """

    group: str
    n: int
    n_missing: int
    counts: tuple[int, ...] = ()
    mean: float | None = None
    sd: float | None = None
    median: float | None = None
    q1: float | None = None
    q3: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


@dataclass(frozen=True)
class BaselineRow:
    """One characteristic.

    Attributes:
        variable: its name.
        levels: of a category; empty for a number.
        summary: "n (%)", "mean (SD)" or "median (Q1, Q3)"; percentages are of the patients with a value.
        groups: one summary a group, then all patients.
        test: the test between groups; its name belongs in the printed row.
    """

    variable: str
    levels: tuple[str, ...]
    summary: str
    groups: tuple[GroupSummary, ...]
    test: GroupTest

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


@dataclass(frozen=True)
class BaselineTable:
    """Table 1.

    Attributes:
        groups: their names.
        sizes: patients of each.
        rows: one a characteristic.
    """

    groups: tuple[str, ...]
    sizes: tuple[int, ...]
    rows: tuple[BaselineRow, ...]

    def __getitem__(self, variable: str) -> BaselineRow:
        """The row of one characteristic."""
        return {row.variable: row for row in self.rows}[variable]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))

    def to_frame(self, *, digits: int = 1) -> pd.DataFrame:
        """The table as it is printed: one line a number or level, all text."""
        lines: list[dict[str, str]] = []
        for row in self.rows:
            lines += _lines(row, digits)
        return pd.DataFrame(lines)


def baseline_table(
    table: Any,
    group: ArrayLike,
    *,
    categorical: Sequence[str] = (),
    tests: Mapping[str, str] | None = None,
    random_state: int = 0,
) -> BaselineTable:
    """Characteristics by group, each with its test.

    Numbers are compared by `compare_values`, categories (text, booleans, Categoricals, numbers of one or two different
    values, and those named) by `compare_counts`; see there how the test is chosen. p values are not adjusted.

    Args:
        table: one row a patient, one column a characteristic. Missing and infinite values are left out of their own
            row, and counted.
        group: (n,) group of each patient, such as training, internal, external.
        categorical: numeric columns to treat as categories.
        tests: the test of a column by its name, where it is not to be chosen.
        random_state: seed, used only where there are too many tables for Fisher's exact test.

    Raises:
        ValueError: unequal lengths, a patient without a group, an unknown column or test.

    >>> patients = {"age": [61, 70, 55, 66, 58, 73], "sex": list("mfmmfm")}
    >>> result = baseline_table(patients, ["training"] * 3 + ["test"] * 3)
    >>> [(row.variable, row.test.name) for row in result.rows]
    [('age', 't'), ('sex', "Fisher's exact")]
    """
    data = as_table(table)
    of_group, names = check_groups(group, len(data))
    wanted = dict(tests or {})
    unknown = sorted({*categorical, *wanted} - set(data.columns))
    if unknown:
        message = f"There is no column {', '.join(map(repr, unknown))}: use the names of the table's columns."
        raise StatisticsError(message)
    rows = []
    for name in data.columns:
        values = data[name]
        test: Any = wanted.get(name)
        if name in categorical or _few_values(values):
            rows.append(_of_levels(name, values, of_group, names, test, random_state))
        else:
            rows.append(_of_numbers(name, values, of_group, names, test))
    sizes = tuple(int(size) for size in np.bincount(of_group, minlength=len(names)))
    return BaselineTable(names, sizes, tuple(rows))


def _few_values(values: pd.Series[Any]) -> bool:
    return is_categorical(values) or values.nunique() <= 2


def _of_levels(
    name: str, values: pd.Series[Any], of_group: Any, names: tuple[str, ...], test: Any, random_state: int
) -> BaselineRow:
    levels = levels_of(values)
    known = values.notna().to_numpy()
    members = [of_group[(values == level).fillna(False).to_numpy(dtype=bool)] for level in levels]
    table = np.array([np.bincount(member, minlength=len(names)) for member in members], dtype=np.int64)
    table = table.reshape(len(levels), len(names))
    missing = np.bincount(of_group[~known], minlength=len(names))
    columns = [*table.T, table.sum(axis=1)]
    summaries = [
        GroupSummary(group, int(counts.sum()), int(without), tuple(int(count) for count in counts))
        for group, counts, without in zip((*names, OVERALL), columns, (*missing, missing.sum()), strict=True)
    ]
    result = compare_counts(table if levels else np.zeros((1, 1)), test=test, random_state=random_state)
    return BaselineRow(name, tuple(map(str, levels)), "n (%)", tuple(summaries), result)


def _of_numbers(name: str, values: pd.Series[Any], of_group: Any, names: tuple[str, ...], test: Any) -> BaselineRow:
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    finite = np.isfinite(numbers)
    groups = [numbers[finite & (of_group == i)] for i in range(len(names))]
    missing = np.bincount(of_group[~finite], minlength=len(names))
    columns = [*groups, numbers[finite]]
    summaries = [
        _of_group(group, column, int(without))
        for group, column, without in zip((*names, OVERALL), columns, (*missing, missing.sum()), strict=True)
    ]
    result = compare_values(groups, test=test)
    summary = "mean (SD)" if result.name in OF_MEANS else "median (Q1, Q3)"
    return BaselineRow(name, (), summary, tuple(summaries), result)


def _of_group(group: str, values: Floats, n_missing: int) -> GroupSummary:
    if not values.size:
        return GroupSummary(group, 0, n_missing)
    q1, median, q3 = (float(item) for item in np.quantile(values, [0.25, 0.5, 0.75]))
    sd = float(values.std(ddof=1)) if values.size > 1 else None
    return GroupSummary(group, values.size, n_missing, (), float(values.mean()), sd, median, q1, q3)


def _lines(row: BaselineRow, digits: int) -> list[dict[str, str]]:
    tail = {"p": _p_text(row.test.p_value), "test": row.test.name}
    if not row.levels:
        cells = {group.group: _number_text(group, row.summary, digits) for group in row.groups}
        lines = [{"characteristic": f"{row.variable}, {row.summary}", "level": ""} | cells | tail]
    else:
        blank = {"p": "", "test": ""}
        lines = [
            {"characteristic": f"{row.variable}, {row.summary}" if not i else "", "level": level}
            | {group.group: _share_text(group.counts[i], group.n, digits) for group in row.groups}
            | (blank if i else tail)
            for i, level in enumerate(row.levels)
        ]
    if any(group.n_missing for group in row.groups):
        missing = {group.group: str(group.n_missing) for group in row.groups}
        lines.append({"characteristic": "", "level": "missing"} | missing | {"p": "", "test": ""})
    return lines


def _number_text(group: GroupSummary, summary: str, digits: int) -> str:
    if group.median is None or group.mean is None:
        return "–"
    if summary == "mean (SD)":
        sd = "–" if group.sd is None else f"{group.sd:.{digits}f}"
        return f"{group.mean:.{digits}f} ({sd})"
    return f"{group.median:.{digits}f} ({group.q1:.{digits}f}, {group.q3:.{digits}f})"


def _share_text(count: int, n: int, digits: int) -> str:
    return f"{count} ({100 * count / n:.{digits}f})" if n else "–"


def _p_text(p: float | None) -> str:
    if p is None:
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"
