"""Two centres of lydata as tidy tables: one row a patient, words and numbers, gaps as missing."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

SITES = {
    "C00": "oral cavity", "C01": "oropharynx", "C02": "oral cavity", "C03": "oral cavity", "C04": "oral cavity",
    "C05": "oral cavity", "C06": "oral cavity", "C09": "oropharynx", "C10": "oropharynx", "C12": "hypopharynx",
    "C13": "hypopharynx", "C32": "larynx",
}  # fmt: skip
"""First three characters of the ICD-O-3 code to site; all of the palate (C05) counts as oral cavity, since Lyon does
not tell the soft from the hard."""

BERN, LYON = "2023-isb-multisite", "2023-clb-multisite"
IMAGING = ("CT", "MRI", "PET")


def centre(folder: Path) -> pd.DataFrame:
    """One centre's table as published, with its three header rows."""
    return pd.read_csv(folder / "data.csv", header=[0, 1, 2])


def involvement(table: pd.DataFrame, methods: tuple[str, ...]) -> pd.Series:
    """``True`` where any method saw any level of either side involved, ``False`` where some level was looked at."""
    names = [name for name in table.columns if name[0] in methods and name[1] != "info"]
    seen = table[names].astype(object)
    found = seen.eq(True).any(axis=1).map({True: "True", False: "False"})
    return found.where(seen.notna().any(axis=1), None).astype(object)


def tidy(table: pd.DataFrame, letters: str) -> pd.DataFrame:
    """Outcome and predictors by patient; a centre without patient numbers is numbered with ``letters``."""
    numbered = [f"{letters}{place + 1:03d}" for place in range(len(table))]
    patients = table["patient"]["#"].get("id", pd.Series(numbered))
    person, tumour = table["patient"]["#"], table["tumor"]["1"]
    found = pd.DataFrame(
        {
            "pathological_n": involvement(table, ("pathology",)).map({"True": 1.0, "False": 0.0}),
            "imaging_n": involvement(table, IMAGING),
            "site": tumour["subsite"].str[:3].map(SITES).astype(object),
            "age": person["age"].astype(float),
            "sex": person["sex"].astype(object),
            "t_stage": tumour["t_stage"].astype(int).astype(str).astype(object),
            "t_prefix": tumour["stage_prefix"].astype(object),
        }
    ).set_axis(pd.Index(patients.astype(str), name="patient"))
    if "diagnostic_consensus" in table.columns.get_level_values(0):
        found["diagnostic_consensus"] = involvement(table, ("diagnostic_consensus",)).to_numpy()
    return found.sort_index()


def bern(data: Path, *, complete: bool = True) -> pd.DataFrame:
    """Bern: 332 patients, or the 329 whose nodes were seen by imaging and by pathology."""
    found = tidy(centre(data / "lydata" / BERN), "BE")
    return found.dropna(subset=["pathological_n", "imaging_n"]) if complete else found


def lyon(data: Path) -> pd.DataFrame:
    """Lyon: 373 patients without an imaging report."""
    return tidy(centre(data / "lydata" / LYON), "LY")
