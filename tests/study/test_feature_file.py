"""Feature tables as files: what stands in a cell, what is left out, and what paths look like."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import pandas as pd
import pytest

from glottis._errors import SettingsError
from glottis.study.batch import Extraction
from glottis.study.feature_file import features_text, write_features
from glottis.study.table_layout import Layout, format_of, format_of_text

FOUND = Extraction(
    columns=(
        "Image",
        "Mask",
        "diagnostics_Configuration_Settings",
        "diagnostics_Image-original_Spacing",
        "f_Mean",
        "f_Nan",
    ),
    records=(
        {
            "Image": "scans/a.nii",
            "Mask": "scans/m.nii",
            "diagnostics_Configuration_Settings": {"binWidth": 25, "normalize": False},
            "diagnostics_Image-original_Spacing": [1.0, 1.0, 2.5],
            "f_Mean": 0.1 + 0.2,
            "f_Nan": math.nan,
        },
        {"Image": "b.nii", "Mask": "m.nii"},
    ),
)


def test_csv_holds_what_python_prints_and_pyradiomics_writes():
    header, first, second = csv.reader(features_text(FOUND, "csv", Layout()).splitlines())
    assert tuple(header) == FOUND.columns
    assert first[2:] == ["{'binWidth': 25, 'normalize': False}", "(1.0, 1.0, 2.5)", "0.30000000000000004", "nan"]
    assert second == ["b.nii", "m.nii", "", "", "", ""]


def test_text_has_a_line_a_value():
    lines = features_text(FOUND, "txt", Layout()).splitlines()
    assert lines[0] == "Case-1_Image: scans/a.nii"
    assert "Case-1_f_Nan: nan" in lines
    assert lines[-2:] == ["Case-2_Image: b.nii", "Case-2_Mask: m.nii"]


def test_json_is_a_list_of_rows():
    first, second = json.loads(features_text(FOUND, "json", Layout()))
    assert first["diagnostics_Image-original_Spacing"] == [1.0, 1.0, 2.5]
    assert math.isnan(first["f_Nan"])
    assert second == {"Image": "b.nii", "Mask": "m.nii"}


def test_features_without_a_value_are_left_out_where_asked():
    layout = Layout(skip_nans=True)
    assert "f_Nan" not in json.loads(features_text(FOUND, "json", layout))[0]
    assert features_text(FOUND, "csv", layout).splitlines()[1].endswith(",0.30000000000000004,")
    assert "f_Nan" not in features_text(FOUND, "txt", layout)


def test_parquet_keeps_types_and_settings_as_json(tmp_path):
    write_features(FOUND, tmp_path / "f.parquet", Layout())
    table = pd.read_parquet(tmp_path / "f.parquet")
    assert tuple(table.columns) == FOUND.columns
    assert table["f_Mean"].dtype == float
    assert json.loads(table["diagnostics_Configuration_Settings"].iloc[0])["binWidth"] == 25
    assert table["diagnostics_Image-original_Spacing"].iloc[0].tolist() == [1.0, 1.0, 2.5]


@pytest.mark.parametrize(
    ("paths", "expected"),
    [("written", "scans/a.nii"), ("absolute", "/data/scans/a.nii"), ("relative", "scans/a.nii"), ("basename", "a.nii")],
)
def test_paths_are_written_as_asked(paths, expected):
    layout = Layout(paths=paths, start=Path("/data"))
    assert json.loads(features_text(FOUND, "json", layout))[0]["Image"] == expected


@pytest.mark.parametrize(
    ("name", "expected"), [("f.csv", "csv"), ("f.JSON", "json"), ("f.parquet", "parquet"), ("f.txt", "txt")]
)
def test_the_suffix_names_the_format(name, expected):
    assert format_of(Path(name), Layout()) == expected


def test_a_named_format_goes_before_the_suffix():
    assert format_of(Path("f.dat"), Layout(format="json")) == "json"


def test_an_unknown_suffix_is_refused_before_any_work():
    with pytest.raises(
        SettingsError, match=r"Cannot write a table as 'f\.xls' .*: use \.csv, \.json, \.parquet or \.txt"
    ):
        format_of(Path("f.xls"), Layout())


def test_parquet_is_not_printed():
    with pytest.raises(SettingsError, match="Parquet is no text to print: give the file to write with -o"):
        format_of_text(Layout(format="parquet"))
    assert format_of_text(Layout()) == "txt"
