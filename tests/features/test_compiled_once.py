"""No pixel type, byte order, memory layout or read-only array makes numba compile a loop again."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

COUNTER = Path(__file__).with_name("compile_counter.py")
BY_PRECISION = ("_periodic.", "_recursive.")
"""Wavelets keep float32 images in float32; the first LoG pass reads float32, or float64 made of anything else."""


@pytest.fixture(scope="module")
def counted():
    """What ``compile_counter.py`` prints."""
    ran = subprocess.run([sys.executable, str(COUNTER)], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_after_a_float32_and_one_other_image_nothing_is_compiled(counted):
    assert counted["grown"] == {}


def test_a_loop_has_one_variant_and_those_behind_filters_at_most_two(counted):
    variants = Counter(name.split("(")[0] for name in counted["first"])
    assert len(variants) > 20
    assert {name for name, n in variants.items() if n > 1 and not any(part in name for part in BY_PRECISION)} == set()
    assert max(variants.values()) == 2
