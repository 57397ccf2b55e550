"""What the tests read of a written report."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path


def page(folder: Path) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


def plain(markup: str) -> str:
    """Text without tags and line breaks."""
    text = re.sub(r"<style>.*?</style>|<[^>]*>", " ", markup, flags=re.DOTALL)
    return re.sub(r"\s+", " ", text)


def words(folder: Path) -> str:
    """The page's text: no pictures, tags or line breaks."""
    return plain(page(folder))


def first_screen(folder: Path) -> str:
    """The text before the first section."""
    return html.unescape(plain(page(folder).partition("<nav")[0]))


def section(folder: Path, name: str) -> str:
    """The markup of a section."""
    return page(folder).partition(f'<section id="{name}">')[2].partition("</section>")[0]


def table(folder: Path, name: str) -> str:
    """The markup of a table."""
    return page(folder).partition(f'<table id="{name}">')[2].partition("</table>")[0]


def results(folder: Path) -> dict:
    return json.loads((folder / "results.json").read_text(encoding="utf-8"))
