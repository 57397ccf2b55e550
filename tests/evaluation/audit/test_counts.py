"""The search for 2x2 tables against trying them all, one by one."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from correct_tables import metrics_of

from glottis.evaluation.audit import MetricRow, Printed
from glottis.evaluation.audit.anysize import conflicting_cells
from glottis.evaluation.audit.counts import (
    Table2x2,
    tables_of_any_size,
    tables_of_sizes,
    tables_of_total,
)
from glottis.evaluation.audit.rows import METRICS
from glottis.evaluation.audit.tables import count_row

Texts = dict[str, str]


def parsed(texts: Texts) -> dict[str, Printed]:
    return {name: Printed.parse(text) for name, text in texts.items()}


def texts_of(counts: tuple[int, ...], digits: int = 3) -> Texts:
    return {
        name.lower(): f"{above / below:.{digits}f}" for name, (above, below) in metrics_of(*counts).items() if below
    }


def tried_one_by_one(texts: Texts, splits: list[tuple[int, int]]) -> set[tuple[int, ...]]:
    """Every table whose metrics, as exact fractions, lie within half a unit of the printed ones."""
    fitting = set()
    for positive, negative in splits:
        for tp, tn in itertools.product(range(positive + 1), range(negative + 1)):
            counts = tp, positive - tp, tn, negative - tn
            metrics = {name.lower(): ratio for name, ratio in metrics_of(*counts).items()}
            if all(metrics[name][1] and _near(texts[name], Fraction(*metrics[name])) for name in texts):
                fitting.add(counts)
    return fitting


def _near(text: str, value: Fraction) -> bool:
    return abs(Fraction(text) - value) <= Fraction(1, 2 * 10 ** len(text.split(".")[1]))


@pytest.mark.parametrize("seed", range(12))
def test_known_sizes_give_the_tables_that_trying_all_gives(seed: int):
    counts = tuple(np.random.default_rng(seed).integers(1, 15, 4).tolist())
    texts = texts_of(counts, digits=2)
    found = tables_of_sizes(parsed(texts), counts[0] + counts[1], counts[2] + counts[3])
    slow = tried_one_by_one(texts, [(counts[0] + counts[1], counts[2] + counts[3])])
    assert {(t.tp, t.fn, t.tn, t.fp) for t in found.tables} == slow
    assert counts in slow


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kept", [METRICS, ("sensitivity", "specificity", "ppv"), ("ppv", "npv", "accuracy")])
def test_a_known_total_gives_the_tables_that_trying_all_gives(seed: int, kept: tuple[str, ...]):
    counts = tuple(np.random.default_rng(seed).integers(1, 9, 4).tolist())
    texts = {name: text for name, text in texts_of(counts, digits=2).items() if name in kept}
    n = sum(counts)
    found = tables_of_total(parsed(texts), n)
    slow = tried_one_by_one(texts, [(positive, n - positive) for positive in range(1, n)])
    assert {(t.tp, t.fn, t.tn, t.fp) for t in found.tables} == slow


@pytest.mark.parametrize("names", [("sensitivity", "specificity", "accuracy"), ("ppv", "npv", "f1")])
def test_unknown_sizes_give_the_tables_that_trying_all_gives(names: tuple[str, ...]):
    texts = {name: text for name, text in texts_of((5, 2, 7, 3)).items() if name in names}
    found = tables_of_any_size(parsed(texts), largest=14)
    slow = tried_one_by_one(texts, list(itertools.product(range(1, 15), repeat=2)))
    assert {(t.tp, t.fn, t.tn, t.fp) for t in found.tables} == slow
    assert not found.exhaustive


def test_one_known_class_size_narrows_the_search():
    texts = texts_of((5, 2, 7, 3))
    found = tables_of_any_size(parsed(texts), n_positive=14)
    assert found.tables == (Table2x2(10, 4, 14, 6),)


def test_the_nearest_table_misses_the_fewest_cells_of_all():
    texts = texts_of((45, 7, 24, 21)) | {"ppv": "0.592", "f1": "0.701"}
    found = tables_of_sizes(parsed(texts), 52, 45)
    assert (found.nearest, found.off) == (Table2x2(45, 7, 24, 21), ("ppv", "f1"))


@pytest.mark.parametrize("cell", METRICS)
def test_a_misprinted_cell_is_named(cell: str):
    texts = texts_of((40, 12, 32, 13))
    texts[cell] = f"{float(texts[cell]) - 0.05:.3f}"
    found = tables_of_sizes(parsed(texts), 52, 45)
    assert found.nearest == Table2x2(40, 12, 32, 13)
    assert found.off == (cell,)


def test_most_misprints_are_found_when_the_sizes_are_known():
    random, found = np.random.default_rng(0), 0
    for _ in range(100):
        counts = tuple(random.integers(5, 60, 4).tolist())
        texts, cell = texts_of(counts), str(random.choice(METRICS))
        texts[cell] = f"{float(texts[cell]) + random.choice([-0.003, 0.003]):.3f}"
        found += not tables_of_sizes(parsed(texts), counts[0] + counts[1], counts[2] + counts[3]).tables
    assert found >= 95


@pytest.mark.parametrize("seed", range(40))
def test_a_true_row_never_conflicts_with_itself_at_any_size(seed: int):
    random = np.random.default_rng(seed)
    counts = tuple(random.integers(0, 2000 if seed % 2 else 12, 4).tolist())
    texts = texts_of(counts, digits=int(random.integers(1, 4)))
    assert conflicting_cells(parsed(texts)) in ((), None)


@pytest.mark.parametrize(("cell", "text"), [("accuracy", "0.775"), ("npv", "0.9"), ("f1", "0.5"), ("ppv", "0.2")])
def test_a_cell_that_no_size_allows_is_named(cell: str, text: str):
    texts = texts_of((450, 70, 240, 210)) | {cell: text}
    assert conflicting_cells(parsed(texts)) == (cell,)


def test_without_sensitivity_nothing_is_said_of_any_size():
    assert conflicting_cells(parsed({"specificity": "0.5", "ppv": "0.9"})) is None


def test_two_metrics_of_unknown_patients_are_not_judged():
    row = MetricRow(model="m", printed=parsed({"sensitivity": "0.81", "specificity": "0.47"}))
    assert count_row(row).finding.verdict == "unchecked"
    assert "nearly any values fit" in count_row(row).finding.message


def test_a_value_above_one_is_no_proportion():
    row = MetricRow(model="m", n=97, printed=parsed({"sensitivity": "1.2"}))
    assert count_row(row).finding.message == "sensitivity 1.2 is no proportion."


def test_a_search_that_is_too_large_says_so():
    row = MetricRow(model="m", n_positive=9000, n_negative=9000, printed=parsed({"ppv": "0.8", "npv": "0.7"}))
    assert "too many tables to try them all" in count_row(row).finding.message


def test_a_half_way_value_that_was_rounded_down_is_only_unusual():
    printed = parsed(texts_of((59, 8, 76, 21)) | {"ppv": "0.737"})
    finding = count_row(MetricRow(model="LR", n_positive=67, n_negative=97, printed=printed)).finding
    assert (finding.verdict, finding.cells) == ("unusual", ("ppv",))
    assert "half-way and was rounded down" in finding.message


@pytest.mark.parametrize(
    ("f1", "rule"),
    [
        ("0.741", "the mean over both classes."),
        ("0.742", "the mean over both classes, weighted by their sizes."),
        ("0.719", "that of the other class."),
    ],
)
def test_an_f1_by_another_rule_is_only_unusual(f1: str, rule: str):
    printed = parsed(texts_of((40, 12, 32, 13)) | {"f1": f1})
    finding = count_row(MetricRow(model="m", n_positive=52, n_negative=45, printed=printed)).finding
    assert finding.verdict == "unusual"
    assert finding.message.endswith(f"The printed F1 is {rule}")


def test_a_row_that_fits_another_split_says_which():
    printed = parsed(texts_of((27, 11, 47, 6)))
    counted = count_row(MetricRow(model="m", n_positive=47, n_negative=44, printed=printed))
    assert counted.implied == (38, 53)
    assert "With 38 and 53 patients all values would fit (TP 27, FN 11, TN 47, FP 6)" in counted.finding.message
