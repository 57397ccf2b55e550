"""What ComBat does on real lung CT: the scanner in the features, and a scanner that training never saw.

The rows are those of the opnested-ComBat example (R01 and AMC cohorts, non-small-cell lung cancer), matched to their
scanner. A logistic regression on the training scanners is tried on the held-out one, whose batch is refused, left
uncorrected, or estimated from its own rows.

usage: python benchmarks/harmonisation.py --data ../shared/data [--out docs/benchmarks/harmonisation.md]
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from glottis.evaluation import AUC, roc_auc
from glottis.io.files import write_text_atomic
from glottis.modelling import BatchEffect, ComBat, batch_effect, tangled

GE = "GE MEDICAL SYSTEMS"
HELD_OUT = "SIEMENS"
OUTCOME = "egfr-mut"
HORIZON = 730
MINIMUM_ROWS = 10
SEED = 2026
PAGE = Path(__file__).parents[1] / "docs" / "benchmarks" / "harmonisation.md"
COLUMNS = "| features | eta squared, median | p < .05 after BH | first component, eta squared | AUC of the scanner |"


def rows(data: Path) -> tuple[pd.DataFrame, pd.Series[str], pd.DataFrame]:
    """Features, scanner and clinical table of the patients who have all three, in scanners of at least ten.

    GE is told by its kernels, which change texture; three of them are frequent. Siemens is one scanner, since all but
    one of its kernels are rare.
    """
    folder = data / "combat_opnested_NSCLC" / "Example"
    features = pd.read_csv(folder / "Sandy-Captk.csv", encoding="utf-8-sig", index_col="SubjectID")
    features = features.apply(pd.to_numeric, errors="coerce")  # one row holds a spreadsheet's #NAME?
    parameters = pd.read_excel(folder / "Sandy-CT-parameters.xlsx")
    patient = parameters["clc"].str.removesuffix("L")  # some scans carry a lobe's letter
    make = parameters["Manufacturer"].astype(str)
    named = make.where(make != GE, "GE " + parameters["ConvolutionKernel"].astype(str))
    scanner = pd.Series(named.to_numpy(), index=patient)
    scanner = scanner[(scanner != "0") & ~scanner.index.duplicated(keep=False)]  # 0: not recorded
    complete = features.index[features.notna().all(axis=1)].intersection(scanner.index).sort_values()
    counts = scanner.loc[complete].value_counts()
    kept = complete[scanner.loc[complete].isin(counts.index[counts >= MINIMUM_ROWS])]
    clinical = pd.read_csv(folder / "clinical-demographics.csv", index_col=0)
    return features.loc[kept], scanner.loc[kept], clinical.loc[kept]


def two_years(clinical: pd.DataFrame) -> pd.Series[Any]:
    """Death within two years; missing where follow-up ended before."""
    died = (clinical["event"] == 1) & (clinical["days"] <= HORIZON)
    return died.astype(float).where(died | (clinical["days"] > HORIZON))


def effect_line(name: str, effect: BatchEffect) -> str:
    folds = len(effect.auc_of_folds)
    sd = float(np.std(effect.auc_of_folds, ddof=1))
    return (
        f"| {name} | {effect.eta_squared_median:.3f} | {effect.share_significant:.0%} | "
        f"{effect.components[0].eta_squared:.3f} | {effect.auc:.3f} (SD over {folds} folds {sd:.3f}) |"
    )


def model() -> Any:
    """Ridge logistic regression on z-scores, its penalty chosen by AUC on the training scanners."""
    folds = StratifiedKFold(5, shuffle=True, random_state=SEED)
    ridge = make_pipeline(StandardScaler(), LogisticRegression(max_iter=5000))
    return GridSearchCV(ridge, {"logisticregression__C": np.geomspace(1e-4, 1, 9)}, cv=folds, scoring="roc_auc")


def held_out_auc(X: pd.DataFrame, y: pd.Series[Any], scanner: pd.Series[str], combat: ComBat | None) -> AUC:
    """AUC on the held-out scanner of a model of the others."""
    training, test = scanner.index[scanner != HELD_OUT], scanner.index[scanner == HELD_OUT]
    seen, new = X.loc[training], X.loc[test]
    if combat is not None:
        combat.fit(seen)
        seen, new = combat.transform(seen), combat.transform(new)
    fitted = model().fit(seen.to_numpy(), y[training].to_numpy())
    return roc_auc(y[test], fitted.predict_proba(new.to_numpy())[:, 1])


def cell(auc: AUC) -> str:
    if auc.interval.low is None:
        return f"{auc.value:.3f} ({auc.reason})"
    return f"{auc.value:.3f} ({auc.interval.low:.3f} to {auc.interval.high:.3f})"


def refused(X: pd.DataFrame, scanner: pd.Series[str]) -> str:
    """The sentence with which the held-out scanner is refused."""
    fitted = ComBat(scanner).fit(X[scanner != HELD_OUT])
    try:
        fitted.transform(X[scanner == HELD_OUT])
    except ValueError as error:
        return str(error)
    message = f"Scanner {HELD_OUT} was not refused."
    raise RuntimeError(message)


def before_and_after(X: pd.DataFrame, scanner: pd.Series[str]) -> list[str]:
    ways = {
        "as measured": None,
        "ComBat, parametric": ComBat(scanner),
        "ComBat, non-parametric": ComBat(scanner, prior="nonparametric"),
        "ComBat, without shrinkage": ComBat(scanner, prior="none"),
        "ComBat, parametric, mean only": ComBat(scanner, mean_only=True),
        "ComBat, mean only without shrinkage": ComBat(scanner, prior="none", mean_only=True),
    }
    lines = [COLUMNS, "|---|---|---|---|---|"]
    return lines + [effect_line(name, batch_effect(X, scanner, combat=combat)) for name, combat in ways.items()]


def held_out_table(X: pd.DataFrame, y: pd.Series[Any], scanner: pd.Series[str]) -> list[str]:
    ways = {
        "no harmonisation": None,
        'unseen scanner left uncorrected (`unseen="reference"`)': ComBat(scanner, unseen="reference"),
        'unseen scanner estimated from its own rows (`unseen="transductive"`)': ComBat(scanner, unseen="transductive"),
    }
    lines = [f"| on {HELD_OUT} | AUC of EGFR mutation (95% CI) | note of the fit |", "|---|---|---|"]
    for name, combat in ways.items():
        auc = held_out_auc(X, y, scanner, combat)
        lines.append(f"| {name} | {cell(auc)} | {combat.note_ if combat else ''} |")
    return lines


def page(data: Path) -> str:
    X, scanner, clinical = rows(data)
    counts = scanner.value_counts()
    events = int(two_years(clinical)[scanner == HELD_OUT].sum())
    y = clinical[OUTCOME].dropna().astype(int)
    of_outcome = scanner.loc[y.index]
    with threadpool_limits(1):
        effects, table = before_and_after(X, scanner), held_out_table(X.loc[y.index], y, of_outcome)
    held = y[of_outcome == HELD_OUT]
    tie = tangled(of_outcome, y.map({0: "EGFR wild type", 1: "EGFR mutation"}))
    chance = batch_effect(X, scanner)
    listed = ", ".join(f"{name} {n}" for name, n in counts.items())
    return "\n".join(
        [
            "# Harmonisation of scanners",
            "",
            f"Written by `benchmarks/harmonisation.py` from the example of opnested-ComBat: {len(X)} patients with "
            f"non-small-cell lung cancer and {X.shape[1]} raw CT features. Scanners (GE by its kernel; at least "
            f"{MINIMUM_ROWS} patients): {listed}.",
            "",
            "## The scanner in the features",
            "",
            "Every number in a row of ComBat is of patients that it did not learn from (5 folds, stratified by "
            f"scanner). AUC: macro one-vs-rest, {chance.chance} where the scanner cannot be told (null SD "
            f"{chance.chance_sd:.3f}). The classifier is linear: it sees shifted means, no difference in spread.",
            "",
            *effects,
            "",
            "Each variant's values are those of sva and neuroCombat. With a prior, mean only draws a shift towards the "
            "mean over features as if the batch had one row, so it corrects little. A variant whose AUC stays high, or "
            "rises, did not take the scanner off: look at this table for data of your own before choosing one.",
            "",
            "## A scanner that training never saw",
            "",
            f"{HELD_OUT} is held out; the others train. The outcome is EGFR mutation: {int(held.sum())} of {len(held)} "
            f"are positive on {HELD_OUT}. Death within two years has {events} events there, too few for an AUC.",
            "",
            f'By default it is refused: "{refused(X, scanner)}"',
            "",
            *table,
            "",
            tie.warning or f"Scanner and outcome are not shown to be tangled (Cramer's V {tie.cramers_v:.2f}).",
            "One split of this size shows what each way does; it does not rank them.",
            "",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds combat_opnested_NSCLC")
    parser.add_argument("--out", type=Path, default=PAGE, help="page to write")
    options = parser.parse_args()
    text = page(options.data)
    write_text_atomic(options.out, text)
    print(text)


if __name__ == "__main__":
    main()
