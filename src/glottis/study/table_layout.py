"""How a feature table is written; nothing heavy is imported, the command line reads its options from here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from glottis._errors import SettingsError, nearest

Format = Literal["csv", "json", "parquet", "txt"]
PathForm = Literal["written", "absolute", "relative", "basename"]
FORMATS: tuple[Format, ...] = get_args(Format)


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How a feature table is written.

    Attributes:
        format: ``None`` goes by the file's suffix.
        skip_nans: leave features without a value out (CSV: an empty cell) instead of writing NaN.
        paths: image and mask as the batch has them, absolute, relative to ``start``, or the file name alone.
        start: folder that relative paths start at.
        unix_paths: write ``/`` between folders on every system.
    """

    format: Format | None = None
    skip_nans: bool = False
    paths: PathForm = "written"
    start: Path = Path()
    unix_paths: bool = False


def format_of(path: Path, layout: Layout) -> Format:
    """The format of a file to write, before any work is done.

    Raises:
        SettingsError: the suffix names no format and none is given.
    """
    if layout.format is not None:
        return layout.format
    for known in FORMATS:
        if path.suffix.lower() == f".{known}":
            return known
    hint = nearest(path.suffix, [f".{known}" for known in FORMATS])
    message = (
        f"Cannot write a table as '{path.name}' ({hint}): use .csv, .json, .parquet or .txt, or name the --format."
    )
    raise SettingsError(message)


def format_of_text(layout: Layout) -> Format:
    """The format of a table that is printed; PyRadiomics' lines of text where none is named.

    Raises:
        SettingsError: Parquet, which is no text.
    """
    if layout.format == "parquet":
        message = "Parquet is no text to print: give the file to write with -o."
        raise SettingsError(message)
    return layout.format or "txt"
