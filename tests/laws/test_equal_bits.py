"""One thread, several threads at once and other processes give the same bits."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import equal_bits
import pytest


@pytest.fixture(scope="module")
def alone():
    """Every case, one after the other."""
    return [equal_bits.extracted(number) for number in range(equal_bits.N_CASES)]


def test_cases_differ(alone):
    assert len(set(alone)) == len(alone)


def test_repeating_gives_equal_bits(alone):
    assert [equal_bits.extracted(number) for number in range(4)] == alone[:4]


@pytest.mark.parametrize("order", [1, -1])
def test_four_threads_at_once_give_equal_bits(alone, order):
    numbers = list(range(equal_bits.N_CASES))[::order]
    with ThreadPoolExecutor(4) as threads:
        found = dict(zip(numbers, threads.map(equal_bits.extracted, numbers), strict=True))
    assert [found[number] for number in range(equal_bits.N_CASES)] == alone


def test_two_processes_give_equal_bits(alone):
    halves = [range(0, equal_bits.N_CASES, 2), range(1, equal_bits.N_CASES, 2)]
    started = [
        subprocess.Popen(
            [sys.executable, str(Path(equal_bits.__file__)), *map(str, half)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for half in halves
    ]  # fmt: skip
    for process, half in zip(started, halves, strict=True):
        printed, complaint = process.communicate()
        assert process.returncode == 0, complaint
        assert printed.splitlines() == [alone[number] for number in half]
