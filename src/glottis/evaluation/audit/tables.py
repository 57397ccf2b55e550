"""What the search for 2x2 tables says about a row of metrics."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from glottis.evaluation.audit.anysize import conflicting_cells
from glottis.evaluation.audit.averages import f1_rule
from glottis.evaluation.audit.counts import (
    LARGEST_CLASS,
    CountSearch,
    Table2x2,
    off_cells,
    tables_of_any_size,
    tables_of_sizes,
    tables_of_total,
)
from glottis.evaluation.audit.finding import Finding, listed
from glottis.evaluation.audit.printed import Printed
from glottis.evaluation.audit.rows import NAMES, MetricRow

CHECK = "2x2 table"
LAST_DIGIT = 1.5
SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class Counted:
    """A row and the tables behind it.

    Attributes:
        row: the row.
        finding: what is to be said.
        tables: the tables that print the row, or the nearest one.
        complete: no other table prints the row.
        splits: the class sizes that print the whole row; None where not all were tried.
        implied: class sizes, other than the stated ones, that print the row or more of it.
    """

    row: MetricRow
    finding: Finding
    tables: tuple[Table2x2, ...] = ()
    complete: bool = True
    splits: frozenset[tuple[int, int]] | None = None
    implied: tuple[int, int] | None = None


def count_row(row: MetricRow) -> Counted:
    """The 2x2 tables of whole numbers that can have printed a row, and the cells that cannot."""
    printed = row.counted
    if not printed:
        return Counted(row=row, finding=row.says(CHECK, "unchecked", "no metric that follows from counts is printed."))
    impossible = tuple(name for name, number in printed.items() if number.high < 0 or number.low > 1)
    if impossible:
        message = f"{listed([_cell(name, printed) for name in impossible])} is no proportion."
        return Counted(row=row, finding=row.says(CHECK, "differs", message, cells=impossible))
    if row.sizes is not None:
        return _of_sizes(row, *row.sizes)
    if row.n is not None:
        return _of_total(row, row.n)
    return _of_any_size(row)


def _of_sizes(row: MetricRow, n_positive: int, n_negative: int) -> Counted:
    found = tables_of_sizes(row.counted, n_positive, n_negative)
    if found.tables:
        return Counted(
            row=row, finding=_agreeing(row, found), tables=found.tables, complete=found.complete, splits=found.splits
        )
    if found.nearest is None:
        return Counted(row=row, finding=_unfinished(row, found))
    elsewhere = tables_of_total(row.counted, n_positive + n_negative)
    message = (
        f"no table of {n_positive} with and {n_negative} without the outcome prints {_off(row, found, found.nearest)}"
    )
    other = None
    if elsewhere.tables:
        other = elsewhere.tables[0]
        message = (
            f"{message} With {other.sizes[0]} and {other.sizes[1]} patients all values would fit ({other.words()})."
        )
    elif len(elsewhere.off) + 1 < len(found.off) and elsewhere.nearest is not None:
        other = elsewhere.nearest
        message = (
            f"{message} With {other.sizes[0]} and {other.sizes[1]} patients all but "
            f"{listed([NAMES[name] for name in elsewhere.off])} would fit ({other.words()})."
        )
    return Counted(
        row=row, finding=_differing(row, found, found.nearest, message, elsewhere), tables=(found.nearest,),
        splits=elsewhere.splits if elsewhere.exhaustive else None, implied=other.sizes if other else None,
    )  # fmt: skip


def _of_total(row: MetricRow, n: int) -> Counted:
    found = tables_of_total(row.counted, n)
    if found.tables:
        return Counted(
            row=row, finding=_agreeing(row, found), tables=found.tables, complete=found.complete, splits=found.splits
        )
    if found.nearest is None:
        return Counted(row=row, finding=_unfinished(row, found))
    message = f"no table of {n} patients prints {_off(row, found, found.nearest)}"
    return Counted(
        row=row,
        finding=_differing(row, found, found.nearest, message, found),
        tables=(found.nearest,),
        splits=found.splits,
    )


def _of_any_size(row: MetricRow) -> Counted:
    if len(row.counted) < 3:
        message = "fewer than three metrics and no group size: nearly any values fit."
        return Counted(row=row, finding=row.says(CHECK, "unchecked", message))
    found = tables_of_any_size(row.counted, n_positive=row.n_positive, n_negative=row.n_negative)
    if found.tables:
        return Counted(row=row, finding=_agreeing(row, found), tables=found.tables, complete=False)
    cells = conflicting_cells(row.counted)
    if cells:
        shown = listed([_cell(name, row.counted) for name in cells], "or")
        message = f"no table of any size prints the row; it would be possible without {shown}."
        return Counted(row=row, finding=row.says(CHECK, "differs", message, cells=cells, exhaustive=True))
    return Counted(row=row, finding=_unfinished(row, found))


def _agreeing(row: MetricRow, found: CountSearch) -> Finding:
    table, more = found.tables[0], found.n_tables - 1
    searched = "" if found.exhaustive else f" Tables up to {LARGEST_CLASS} patients a class were tried."
    if more:
        at_least = f"; {more} other tables fit too." if found.exhaustive else f"; so do {more} others or more."
        message = f"all {len(row.counted)} values follow from {table.words()}{at_least}{searched}"
    else:
        message = f"all {len(row.counted)} values follow from {table.words()}.{searched}"
    return row.says(
        CHECK, "agrees", message, tables=[vars(table) for table in found.tables[:SHOWN]], n_tables=found.n_tables,
        exhaustive=found.exhaustive,
    )  # fmt: skip


def _unfinished(row: MetricRow, found: CountSearch) -> Finding:
    message = (
        f"no table up to {LARGEST_CLASS} patients a class fits, a larger one is not excluded: give the group sizes."
        if row.total is None
        else "too many tables to try them all: print sensitivity and specificity, or fewer patients."
    )
    return row.says(CHECK, "unchecked", message, exhaustive=found.exhaustive)


def _differing(row: MetricRow, found: CountSearch, nearest: Table2x2, message: str, elsewhere: CountSearch) -> Finding:
    if all(_far(row.counted[name], nearest.metric(name)) < LAST_DIGIT for name in found.off):
        message = f"{message} It is a matter of the last digit."
    half_way = all(_half_way(row.counted[name], nearest.metric(name)) for name in found.off)
    if half_way:
        message = f"{message} It lies half-way and was rounded down."
    rule = f1_rule(row.counted, nearest) if found.off == ("f1",) else ""
    if rule:
        message = f"{message} The printed F1 is {rule}."
    other = elsewhere.tables[0] if elsewhere.tables else elsewhere.nearest
    return row.says(
        CHECK, "unusual" if half_way or rule else "differs", message, cells=found.off, nearest=vars(nearest),
        elsewhere=None if other is None else vars(other), elsewhere_off=list(elsewhere.off), exhaustive=True,
    )  # fmt: skip


def _far(number: Printed, value: Fraction | None) -> float:
    """Units of the last digit between the printed and the computed value."""
    return float("inf") if value is None else abs(float(value) - number.value) / (2 * number.half)


def _half_way(number: Printed, value: Fraction | None) -> bool:
    return value is not None and value == number.tie()


def _off(row: MetricRow, found: CountSearch, nearest: Table2x2) -> str:
    """The cells that do not fit, each with what the nearest table gives."""
    cells = []
    for name in off_cells(row.counted, nearest):
        value = nearest.metric(name)
        computed = "undefined" if value is None else row.counted[name].like(float(value))
        cells.append(f"{_cell(name, row.counted)} (computed {computed})")
    rest = "together with the other values" if len(found.off) < len(row.counted) else "at all"
    return f"{listed(cells)} {rest}; the nearest has {nearest.words()}."


def _cell(name: str, printed: dict[str, Printed]) -> str:
    return f"{NAMES[name]} {printed[name].text}"
