"""Tables come in as text, whatever the program, the delimiter and the encoding."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from glottis._errors import CohortError
from glottis.io.clinical import is_missing, numbers, read_table

ROWS = "id,site,age\n007,喉,61\n008,--,n/a\n"


def rows(frame: pd.DataFrame) -> list[list[str | None]]:
    return frame.to_numpy().tolist()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_every_usual_encoding_gives_the_same_table(tmp_path: Path, encoding: str):
    (tmp_path / "a.csv").write_bytes(ROWS.encode(encoding))
    assert rows(read_table(tmp_path / "a.csv")) == [["007", "喉", "61"], ["008", None, None]]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str):
    text = ROWS.replace(",", delimiter).replace("喉", '"neck, left; deep"')
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    assert rows(read_table(tmp_path / "a.csv"))[0] == ["007", "neck, left; deep", "61"]


def test_decimal_commas_do_not_split_a_table_of_semicolons(tmp_path: Path):
    (tmp_path / "a.csv").write_text("id;age;size\n1;1,5;2,5\n2;3,5;4,5\n")
    assert rows(read_table(tmp_path / "a.csv")) == [["1", "1,5", "2,5"], ["2", "3,5", "4,5"]]


def test_excel_ids_are_whole_numbers_or_text_as_typed(tmp_path: Path):
    pd.DataFrame({"id": [7.0, 8.0], "code": ["007", "x"], "size": [1.5, None]}).to_excel(
        tmp_path / "a.xlsx", index=False
    )
    assert rows(read_table(tmp_path / "a.xlsx")) == [["7", "007", "1.5"], ["8", "x", None]]


def test_parquet_reads_like_the_others(tmp_path: Path):
    pd.DataFrame({"id": ["007", "8"], "n": [1, 2]}).to_parquet(tmp_path / "a.parquet")
    assert rows(read_table(tmp_path / "a.parquet")) == [["007", "1"], ["8", "2"]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,age,age\n1,2,3\n", "several columns named 'age'"),
        ("id,age\n", "no row under a header"),
        ("", "no row under a header"),
        ("id,site\n1,left, deep\n", "row 2: 3 cells under 2 column names: put quotes"),
    ],
)
def test_a_table_that_cannot_be_understood_is_refused(tmp_path: Path, text: str, message: str):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(CohortError, match=message):
        read_table(tmp_path / "a.csv")


@pytest.mark.parametrize("name", ["a.xlsx", "a.parquet"])
def test_a_damaged_workbook_is_refused(tmp_path: Path, name: str):
    (tmp_path / name).write_bytes(b"not a table")
    with pytest.raises(CohortError, match="cannot be read as"):
        read_table(tmp_path / name)


def test_unknown_kinds_and_absent_tables_are_refused(tmp_path: Path):
    (tmp_path / "a.doc").write_text("x")
    with pytest.raises(CohortError, match=r"save it as .csv"):
        read_table(tmp_path / "a.doc")
    with pytest.raises(CohortError, match="does not exist"):
        read_table(tmp_path / "b.csv")


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1", "-2.5", None, "1e3"], [1.0, -2.5, None, 1000.0]),
        (["1,5", "2"], [1.5, 2.0]),
        (["1,500"], None),  # one and a half, or one thousand five hundred
        (["1,500", "2,5"], [1.5, 2.5]),
        (["1,5", "2.5"], None),
        (["1", "male"], None),
        (["inf"], None),
        ([None, ""], None),
    ],
)
def test_numbers_are_read_where_they_are_unambiguous(cells: list[str | None], expected: list[float | None] | None):
    assert numbers(cells) == expected


def test_the_real_clinical_table_keeps_its_missing_marks_out(shared_data: Path):
    table = read_table(shared_data / "sts" / "clinical.csv")
    assert len(table) == 24
    assert table["Time – diagnosis to outcome (days)"].isna().sum() == 13  # cells "--" in the file, counted with grep


def test_cells_that_hold_nothing_are_missing_in_every_form():
    assert [is_missing(cell) for cell in (None, float("nan"), " ", "N/A", "--", "0", 0, "none")] == [True] * 5 + [
        False
    ] * 3
