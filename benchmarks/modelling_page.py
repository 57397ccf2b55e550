"""The page of `modelling.py`."""

from __future__ import annotations

from typing import Any

SECONDS, TIMES, SHARE = 180, 5, 0.2
STEPS = ("columns", "ICC", "Spearman", "LASSO", "elimination")


def met(condition: bool) -> str:
    return "yes" if condition else "**no**"


def intro(about: dict[str, Any]) -> str:
    rows = [f"{b['median']:.2f} / {b['q95']:.2f} / {b['kept']} / {b['components']}" for b in about["blocks"]]
    return f"""# Speed of selection and models

Written by `benchmarks/modelling.py`: CPU seconds of one thread, save the wall time of the seven fits.
{about["machine"]}.

The table is generated: 213 patients, three blocks of 863 features (2,589), and two tables of repeats of 40 patients.
A block has 40 hidden traits of falling variance, five of them common to all blocks; its features descend from 60
prototypes, as one texture seen through several filters does, with noise of their own; a third is exponential. Median
and 95th percentile of the absolute rank correlation of two features, features that the Spearman filter (0.9) keeps,
and components that hold 90% of the variance are {"; ".join(rows)} in the blocks.
For comparison, radMLBench's Hosny2018A (213 patients, 979 features) has 0.49 / 0.93 / 206 / 12, and WORC-Lipo (114
patients, 1,015 features) 0.41 / 0.85 / 243 / 13.
"""


def of_seven(found: dict[str, Any]) -> str:
    wall = found["wall"]
    rows = []
    for fit in found["fits"]:
        kept = " | ".join(map(str, fit["kept"]))
        rows.append(f"| {' + '.join(fit['names'])} | {fit['seconds']:.1f} s | {kept} | {fit['inner']:.3f} |")
    total = sum(fit["seconds"] for fit in found["fits"])
    return f"""
## A study's fits

Seven combinations of three blocks, all 213 patients as training rows. Each fit: ICC of the repeats, Spearman, z-score,
LASSO (five folds), recursive elimination to 15, a forest over its default grid in five inner folds that fit every step
anew, and the final fit. Two workers: **{wall:.0f} s** wall time, {total:.0f} s CPU (load of the machine's two cores by
others and this: {found["load"]:.1f}). Asked: under {SECONDS} s wall; met: {met(wall < SECONDS)}.

| combination | CPU | {" | ".join(STEPS)} | inner AUC |
|---|---|---|---|---|---|---|---|
{chr(10).join(rows)}
"""


def of_filters(found: dict[str, Any]) -> str:
    theirs = found["icc"] + found["spearman"]
    ratio = theirs / found["ours"]
    n_icc, n_kept, n_usual = found["n"]
    same = "the same" if found["same"] and found["same icc"] else "**OTHER**"
    spearman = found["ours"] - found["ours icc"]
    of_spearman = found["spearman"] / spearman
    return f"""
## ICC and Spearman

2,589 features, ICC(2,1) above 0.75 in two tables of 40 patients, then Spearman 0.9 over 213 patients. The other side
is a loop of `pingouin.intraclass_corr`, then `DataFrame.corr(method="spearman")` and the usual drop by the upper
triangle. Both in turn, medians of {found["rounds"]} rounds.

| step | glottis | pandas and pingouin | ratio |
|---|---|---|---|
| ICC | {found["ours icc"]:.3f} s | {found["icc"]:.1f} s | {found["icc"] / found["ours icc"]:.0f} |
| Spearman (glottis: the rest of the sum) | {spearman:.3f} s | {found["spearman"]:.2f} s | {of_spearman:.1f} |
| both | {found["ours"]:.3f} s | {theirs:.1f} s | **{ratio:.0f}** |

Asked: at least {TIMES} times; met: {met(ratio >= TIMES)}. {n_icc} features pass the ICC and {n_kept} stay, {same} as
by pingouin and a greedy walk over pandas' matrix. The usual drop keeps {n_usual}: it also drops a feature for
resembling one that is gone itself.
"""


def of_chain(rows: list[dict[str, Any]]) -> str:
    lines = []
    for row in rows:
        same = row["same features"] and row["same point"]
        answers = "the same features and grid point" if same else "**other features or grid point**"
        answers += f", inner AUC apart by {abs(row['inner']):.0e}, scores by {row['scores']:.0e}"
        times = f"{row['ours']:.1f} s | {row['theirs']:.1f} s | **{row['theirs'] / row['ours']:.1f}**"
        lines.append(f"| {'with ICC' if row['icc'] else 'without ICC'} | {times} | {answers} |")
    return f"""
## The whole chain

One block (863 features), same steps and folds, written with pandas, pingouin and scikit-learn (`LassoCV`, `RFE`,
`RandomForestClassifier`). The steps are fitted once an inner fold there too; a `Pipeline` inside `GridSearchCV` would
fit them once for each of the six grid points. `LassoCV` gets glottis' penalties.

| chain | glottis | other | ratio | answers |
|---|---|---|---|---|
{chr(10).join(lines)}
"""


def of_controls(rounds: list[dict[str, Any]]) -> str:
    lines = []
    for rows in zip(*(one["rows"] for one in rounds), strict=True):
        alone, shared = ([row[kind] / row["study"] for row in rows] for kind in ("whole", "shared"))
        same = "the same, bit for bit" if all(row["same"] for row in rows) else "**other**"
        cells = [
            rows[0]["what"],
            each([f"{row['study']:.1f} s" for row in rows]),
            each([f"{row['whole']:.1f} s ({share:.1%})" for row, share in zip(rows, alone, strict=True)]),
            each([f"{row['shared']:.1f} s (**{share:.1%}**)" for row, share in zip(rows, shared, strict=True)]),
            met(max(shared) < SHARE),
            same,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    highest = max(row["shared"] / row["study"] for one in rounds for row in one["rows"])
    load = each([f"{one['load'][0]:.1f} before and {one['load'][1]:.1f} after" for one in rounds])
    return f"""
## What permutations add

Twenty fits on permuted outcomes with hyper-parameters as tuned, selection refitted; asked: under a fifth of the study's
fits. A study fits what sees no outcome (here variance, ICC, Spearman and z-score) once for several permutations of a
partition: in the first two rows for three or four of the twenty, so that two workers have six groups; in the last,
which runs the study's own functions, storage included, for all twenty of a fold. "Alone": each permutation with all
its steps. Measured {len(rounds)} times, beside other work: the load of the machine's two cores was
{load}. Such load lengthens both sides of a share.

| study | its fits | 20 permutations, alone | as a study fits them | under a fifth | results |
|---|---|---|---|---|---|
{chr(10).join(lines)}

The bar of {SHARE:.0%} is {"met" if highest < SHARE else "**missed**"}: the highest share is {highest:.1%}.
"""


def each(values: list[str]) -> str:
    """The value of every round."""
    return "; ".join(values)


def page(results: dict[str, Any]) -> str:
    """All parts that were measured."""
    makers = {"about": intro, "seven": of_seven, "filters": of_filters, "chain": of_chain, "controls": of_controls}
    return "".join(make(results[name]) for name, make in makers.items() if name in results)
