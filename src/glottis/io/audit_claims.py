"""A long table of printed tests, one a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from glottis._errors import InputError, nearest
from glottis.evaluation.audit import Claim, Printed
from glottis.evaluation.audit.rows import CLAIM_KINDS
from glottis.io.audit_cells import Line, is_empty

COLUMNS = ("kind", "label", "set", "source", "values", "estimate", "ci", "p", "statistic", "a", "b", "n")
FORMS = {
    "counts": "201 12; 89 2; 94 3",
    "means": "62.2 9.1 213; 62.5 8.0 91",
    "mcnemar": "5 18 52",
    "odds_ratio": "69 32; 25 109",
}
Groups = tuple[tuple[Printed, ...], ...]


def claims(header: Sequence[str], rows: Sequence[Sequence[str]], path: Path) -> list[Claim]:
    """The printed tests of a table.

    Args:
        header: column names, of `COLUMNS`.
        rows: cells as text.
        path: for messages.

    Raises:
        InputError: an unknown column or kind, or a cell that is not what its kind needs.
    """
    names = [name.strip().lower() for name in header]
    unknown = [name for name in names if name not in COLUMNS]
    if unknown:
        message = f"Table '{path}': unknown column '{unknown[0]}' in a table of tests: {nearest(unknown[0], COLUMNS)}"
        raise InputError(message)
    return [_claim(dict(zip(names, row, strict=True)), Line(path, number)) for number, row in enumerate(rows, start=1)]


def _claim(cells: Mapping[str, str], line: Line) -> Claim:
    text = {name: "" if is_empty(cells.get(name)) else cells[name] for name in COLUMNS}
    kind = text["kind"].lower().replace(" ", "_")
    if kind not in CLAIM_KINDS:
        what = f"unknown kind '{text['kind']}': {nearest(kind, CLAIM_KINDS)}"
        raise line.error(what if what.endswith("?") else f"{what}.")
    limits = line.numbers(text["ci"], "ci") if text["ci"] else []
    if limits and len(limits) != 2:
        what = f"'{text['ci']}' (ci) is no interval: write 0.241-0.856."
        raise line.error(what)
    estimate, p, statistic = (
        line.printed(text[name], name) if text[name] else None for name in ("estimate", "p", "statistic")
    )
    compared = " against ".join(part for part in (text["a"], text["b"]) if part)
    return Claim(
        kind=kind,  # type: ignore[arg-type]  # one of CLAIM_KINDS, as checked above
        label=text["label"] or compared or f"row {line.number}",
        dataset=text["set"],
        source=text["source"],
        values=_groups(kind, text["values"], line),
        estimate=estimate,
        interval=(limits[0], limits[1]) if limits else None,
        p=p,
        statistic=statistic,
        a=text["a"],
        b=text["b"],
        n=line.whole(text["n"], "n"),
    )


def _groups(kind: str, text: str, line: Line) -> Groups:
    """The cell ``values``: groups between semicolons, numbers between spaces."""
    groups = tuple(
        tuple(line.printed(word.removeprefix("n="), "values") for word in group.replace("±", " ").split())
        for group in text.split(";")
        if group.strip()
    )
    widths = {len(group) for group in groups}
    wrong = {
        "counts": len(groups) < 2 or len(widths) != 1 or widths == {1},
        "means": len(groups) < 2 or widths != {3},
        "mcnemar": len(groups) != 1 or widths != {3},
        "odds_ratio": bool(groups) and (len(groups) != 2 or widths != {2}),
    }
    if wrong.get(kind, False):
        what = f"'{text}' (values) is not what {kind} needs: write such as {FORMS[kind]}."
        raise line.error(what)
    _check_counts(kind, groups, line)
    return groups


def _check_counts(kind: str, groups: Groups, line: Line) -> None:
    counts = [count for group in groups for count in (group[2:] if kind == "means" else group)]
    least = 2 if kind == "means" else 0
    for count in counts:
        if count.digits or count.scaled < least or count.relation != "=":
            above = " above 1" if least else ""
            what = f"'{count.text}' (values) is no number of patients: write whole numbers{above}."
            raise line.error(what)
    if kind == "mcnemar" and groups and max(groups[0][0].value, groups[0][1].value) > groups[0][2].value:
        what = "more errors than patients: write errors of a, errors of b, patients."
        raise line.error(what)
