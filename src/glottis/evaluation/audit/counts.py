"""Which 2x2 tables of whole numbers print a row of metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from glottis.evaluation.audit.printed import Bools, Ints, Printed

LARGEST_CLASS = 400  # patients a class that are tried where no size is printed
MOST_PAIRS = 4_000_000  # tables that are tried at once where no size is printed
MOST_CELLS = 8_000_000  # tables that are tried where sizes are printed
KEPT = 500
WINDOW = 3
Counts = tuple[Ints, Ints, Ints, Ints]


@dataclass(frozen=True, order=True)
class Table2x2:
    """A 2x2 table.

    Attributes:
        tp: true positives.
        fn: false negatives.
        tn: true negatives.
        fp: false positives.
    """

    tp: int
    fn: int
    tn: int
    fp: int

    @property
    def sizes(self) -> tuple[int, int]:
        """Patients with and without the outcome."""
        return self.tp + self.fn, self.tn + self.fp

    def metric(self, name: str) -> Fraction | None:
        """A metric, exactly; None where it is 0/0."""
        above, below = ratio(name, *(np.asarray(count) for count in (self.tp, self.fn, self.tn, self.fp)))
        return Fraction(int(above), int(below)) if below else None

    def words(self) -> str:
        """The table in a sentence."""
        return f"TP {self.tp}, FN {self.fn}, TN {self.tn}, FP {self.fp}"


@dataclass(frozen=True, kw_only=True)
class CountSearch:
    """The tables that print a row.

    Attributes:
        tables: those that print every value, the smallest first, at most 500.
        n_tables: how many there are.
        splits: the numbers of patients with and without the outcome that they have.
        nearest: without such a table, the one that misses the fewest values, and those by the least.
        off: the values that it misses.
        exhaustive: every table of the stated sizes was tried.
    """

    tables: tuple[Table2x2, ...] = ()
    n_tables: int = 0
    splits: frozenset[tuple[int, int]] = frozenset()
    nearest: Table2x2 | None = None
    off: tuple[str, ...] = ()
    exhaustive: bool = True

    @property
    def complete(self) -> bool:
        """Whether ``tables`` holds every table that prints the row."""
        return self.exhaustive and self.n_tables == len(self.tables)


def ratio(name: str, tp: Ints, fn: Ints, tn: Ints, fp: Ints) -> tuple[Ints, Ints]:
    """Numerator and denominator of a metric."""
    if name == "f1":
        return 2 * tp, 2 * tp + fp + fn
    above, *others = {
        "sensitivity": (tp, tp, fn),
        "specificity": (tn, tn, fp),
        "ppv": (tp, tp, fp),
        "npv": (tn, tn, fn),
        "accuracy": (tp + tn, tp, tn, fp, fn),
    }[name]
    return above, sum(others[1:], start=others[0])


def tables_of_sizes(printed: Mapping[str, Printed], n_positive: int, n_negative: int) -> CountSearch:
    """The tables with these class sizes that print every value, or the one that comes nearest."""
    return _search(printed, [(n_positive, n_negative)])


def tables_of_total(printed: Mapping[str, Printed], n: int) -> CountSearch:
    """The tables of ``n`` patients, at any number with the outcome, that print every value, or the nearest one."""
    return _search(printed, [(positive, n - positive) for positive in range(1, n)])


def tables_of_any_size(
    printed: Mapping[str, Printed],
    *,
    largest: int = LARGEST_CLASS,
    n_positive: int | None = None,
    n_negative: int | None = None,
) -> CountSearch:
    """The tables of up to ``largest`` patients a class that print every value.

    Sensitivity and specificity, or PPV and NPV, must be printed: each gives the few pairs of counts that print it, and
    all pairs of pairs are tried. It is never exhaustive: a larger table is not excluded.

    Args:
        printed: metric -> what is printed.
        largest: patients of either class.
        n_positive: patients with the outcome, where known.
        n_negative: patients without, where known.
    """
    for names in (("sensitivity", "specificity"), ("ppv", "npv")):
        if all(name in printed for name in names):
            first, second, reached = _pairs(printed, names, largest)
            hits, wrong = (side.reshape(-1, 1) for side in first), (side.reshape(1, -1) for side in second)
            tp, other, tn, another = *hits, *wrong
            fn, fp = (other, another) if names[0] == "sensitivity" else (another, other)
            rows = [np.broadcast_to(side, (first[0].size, second[0].size)) for side in (tp, fn, tn, fp)]
            good = _misses(printed, (rows[0], rows[1], rows[2], rows[3])) == 0
            inside = (rows[0] + rows[1] <= reached) & (rows[2] + rows[3] <= reached)
            inside &= (rows[0] + rows[1] > 0) & (rows[2] + rows[3] > 0)
            inside &= n_positive is None or rows[0] + rows[1] == n_positive
            inside &= n_negative is None or rows[2] + rows[3] == n_negative
            return _found([side[good & inside] for side in rows], exhaustive=False)
    return CountSearch(exhaustive=False)


def _pairs(
    printed: Mapping[str, Printed], names: tuple[str, str], largest: int
) -> tuple[tuple[Ints, Ints], tuple[Ints, Ints], int]:
    """Counts (right, wrong) that print either metric, up to the class size that leaves few enough pairs of pairs."""
    while True:
        right, wrong = np.meshgrid(np.arange(largest + 1), np.arange(largest + 1), indexing="ij")
        inside = right + wrong <= largest
        pairs = []
        for name in names:
            good = printed[name].fits_ratio(right, right + wrong) & inside
            pairs.append((right[good], wrong[good]))
        if pairs[0][0].size * pairs[1][0].size <= MOST_PAIRS:
            return pairs[0], pairs[1], largest
        largest = largest * 3 // 4


def _misses(printed: Mapping[str, Printed], counts: Counts) -> NDArray[np.int8]:
    """How many printed values each table misses."""
    misses = np.zeros(np.broadcast_shapes(*(side.shape for side in counts)), dtype=np.int8)
    for name, number in printed.items():
        misses += ~number.fits_ratio(*ratio(name, *counts))
    return misses


def _found(rows: list[Ints], *, exhaustive: bool) -> CountSearch:
    tp, fn, tn, fp = rows
    order = np.lexsort((tp, tn, tp + fn, tp + fn + tn + fp))
    tables = tuple(Table2x2(int(tp[i]), int(fn[i]), int(tn[i]), int(fp[i])) for i in order[:KEPT])
    splits = frozenset(zip((tp + fn).tolist(), (tn + fp).tolist(), strict=True))
    return CountSearch(tables=tables, n_tables=len(order), splits=splits, exhaustive=exhaustive)


def _search(printed: Mapping[str, Printed], splits: list[tuple[int, int]]) -> CountSearch:
    if not printed:
        return CountSearch(exhaustive=False)
    rows: list[list[Ints]] = [[], [], [], []]
    budget = MOST_CELLS
    for split in splits:
        counts = _grid(split, *_one_sided(printed, split))
        budget -= counts[0].size * counts[2].size
        if budget < 0:
            return CountSearch(exhaustive=False)
        good = _misses(printed, counts) == 0
        for kept, side in zip(rows, counts, strict=True):
            kept.append(np.broadcast_to(side, good.shape)[good])
    found = _found([np.concatenate(side) for side in rows], exhaustive=True)
    return found if found.tables else _nearest(printed, splits)


def _one_sided(printed: Mapping[str, Printed], split: tuple[int, int]) -> tuple[Ints, Ints]:
    """The true positives that print the sensitivity, and the true negatives that print the specificity."""
    sides = []
    for name, size in zip(("sensitivity", "specificity"), split, strict=True):
        right = np.arange(size + 1)
        sides.append(right[printed[name].fits_ratio(right, size)] if name in printed else right)
    return sides[0], sides[1]


def _grid(split: tuple[int, int], tp: Ints, tn: Ints) -> Counts:
    return tp[:, None], split[0] - tp[:, None], tn[None, :], split[1] - tn[None, :]


def _nearest(printed: Mapping[str, Printed], splits: list[tuple[int, int]]) -> CountSearch:
    """The table that misses the fewest values; of those, the one whose values lie nearest."""
    whole = sum((positive + 1) * (negative + 1) for positive, negative in splits) <= MOST_CELLS // 2
    best: tuple[int, float, Table2x2] | None = None
    for counts in _grids(printed, splits, whole=whole):
        misses = _misses(printed, counts)
        fewest = int(misses.min())
        if best is not None and fewest > best[0]:
            continue
        tp, fn, tn, fp = (np.broadcast_to(side, misses.shape)[misses == fewest] for side in counts)
        far = sum(_distance(number, *ratio(name, tp, fn, tn, fp)) for name, number in printed.items())
        i = int(np.argmin(far))
        candidate = (fewest, float(np.asarray(far)[i]), Table2x2(int(tp[i]), int(fn[i]), int(tn[i]), int(fp[i])))
        best = candidate if best is None else min(best, candidate)
    if best is None:
        return CountSearch(exhaustive=False)
    return CountSearch(nearest=best[2], off=off_cells(printed, best[2]))


def _grids(printed: Mapping[str, Printed], splits: list[tuple[int, int]], *, whole: bool) -> Iterator[Counts]:
    """All tables, or where they are too many those near the printed sensitivity and specificity."""
    for split in splits:
        sides = []
        for name, size in zip(("sensitivity", "specificity"), split, strict=True):
            low, high = 0, size
            if not whole and name in printed:
                low = max(0, int(np.floor(printed[name].low * size)) - WINDOW)
                high = min(size, int(np.ceil(printed[name].high * size)) + WINDOW)
            sides.append(np.arange(low, high + 1))
        if sides[0].size * sides[1].size <= MOST_CELLS and sides[0].size and sides[1].size:
            yield _grid(split, *sides)


def _distance(number: Printed, above: Ints, below: Ints) -> NDArray[np.float64]:
    """How many units of its last digit each value lies from the printed one; 0 where it prints so."""
    values = above / np.maximum(below, 1)
    far = np.abs(values - number.value) / (2 * number.half)
    return np.where(number.fits_ratio(above, below), 0.0, far)


def off_cells(printed: Mapping[str, Printed], table: Table2x2) -> tuple[str, ...]:
    """The printed values that a table misses."""
    counts = [np.asarray(count) for count in (table.tp, table.fn, table.tn, table.fp)]
    fits: dict[str, Bools] = {name: number.fits_ratio(*ratio(name, *counts)) for name, number in printed.items()}
    return tuple(name for name, fit in fits.items() if not bool(fit))
