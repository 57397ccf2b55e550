"""An audit has nothing to ask about tables that are right."""

from __future__ import annotations

from pathlib import Path

import pytest
from correct_tables import write_correct_tables

from glottis.evaluation.audit import Finding
from glottis.workflows import audit

ALWAYS = 25


def questions(folder: Path, seeds: range) -> list[tuple[int, str, str]]:
    found: list[tuple[int, Finding]] = []
    for seed in seeds:
        found += [(seed, item) for item in audit(write_correct_tables(folder, seed)).of("differs", "unusual")]
    return [(seed, item.verdict, item.sentence()) for seed, item in found]


def test_nothing_is_found_in_twenty_five_correct_tables(tmp_path: Path):
    assert questions(tmp_path, range(ALWAYS)) == []


@pytest.mark.slow
def test_nothing_is_found_in_a_thousand_correct_tables(tmp_path: Path):
    assert questions(tmp_path, range(ALWAYS, 1000)) == []
