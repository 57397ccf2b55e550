"""What a printed number can have been before it was rounded."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from glottis.evaluation.audit import Printed

parse = Printed.parse


@pytest.mark.parametrize(
    ("text", "value", "digits"),
    [
        ("0.813", 0.813, 3),
        (".81", 0.81, 2),
        ("81.3%", 0.813, 3),
        ("1", 1.0, 0),
        ("p = 0.04", 0.04, 2),
        ("1.2e-5", 1.2e-5, 6),
    ],
)
def test_a_number_keeps_its_digits(text: str, value: float, digits: int):
    assert (parse(text).value, parse(text).digits) == (value, digits)


def test_a_percentage_without_its_sign_is_read_as_one_when_told():
    assert parse("81.3", percent=True) == Printed("81.3", 813, 3)


@pytest.mark.parametrize("text", ["", "n.s.", "nan", "1.2.3", "inf", "0.1234567890123456", "1e400", "1e-400"])
def test_what_is_no_number_is_refused(text: str):
    with pytest.raises(ValueError, match="is no number with up to 12 digits"):
        parse(text)


def test_a_bound_is_met_by_what_lies_beyond_it():
    assert parse("<0.001").meets(0.0005)
    assert not parse("<0.001").meets(0.002)
    assert parse(">0.05").meets(0.3)
    assert not parse("p > .05").meets(0.01)


@pytest.mark.parametrize(
    ("count", "total", "texts"),
    [
        (1, 8, {"0.12", "0.13"}),  # to even and up
        (3, 8, {"0.38"}),  # to even is up
        (59, 80, {"0.738"}),  # 0.7375
        (1, 3, {"0.333"}),
        (2, 3, {"0.667"}),
        (1, 16, {"6.2%", "6.3%"}),
    ],
)
def test_half_way_may_be_rounded_up_or_to_even_and_no_other_way(count: int, total: int, texts: set[str]):
    first = parse(min(texts))
    unit = [Printed(first.text, first.scaled + step, first.digits) for step in range(-3, 4)]
    fitting = {number.scaled for number in unit if number.fits_ratio(count, total)}
    assert fitting == {parse(text).scaled for text in texts}


def test_every_ratio_prints_as_what_python_and_exact_arithmetic_print():
    for total in range(1, 120):
        for count in range(total + 1):
            for digits in (2, 3):
                assert parse(f"{count / total:.{digits}f}").fits_ratio(count, total)
                half_up = int(Fraction(count, total) * 10**digits + Fraction(1, 2))
                assert Printed("", half_up, digits).fits_ratio(count, total)
                assert not Printed("", half_up + 1, digits).fits_ratio(count, total)
                assert not Printed("", half_up - 2, digits).fits_ratio(count, total)


def test_an_undefined_metric_may_be_printed_as_0_or_1():
    fits = [bool(parse(text).fits_ratio(0, 0)) for text in ("0.000", "1.000", "100%", "0.500")]
    assert fits == [True, True, True, False]


def test_very_small_numbers_do_not_overflow():
    fits = Printed.parse("1e-30").fits_ratio(np.array([0, 1, 5_000_000]), 9_000_000)
    assert fits.tolist() == [False, False, False]
    assert Printed.parse("0.333333333333").fits_ratio(3_000_000, 9_000_000)


def test_arrays_are_judged_cell_by_cell():
    assert parse("0.33").fits_ratio(np.arange(4), 3).tolist() == [False, True, False, False]


def test_a_computed_number_is_shown_in_the_way_of_the_printed_one():
    assert parse("0.592").like(0.68182) == "0.682"
    assert parse("59.2%").like(0.68182) == "68.2"
    assert parse("59.2", percent=True).like(0.68182) == "68.2"
