"""What the documents show must work: Python snippets run, commands exist, YAML is valid, links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from glottis.cli import app
from glottis.study.spec import study_from_dict

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def fences(language: str) -> list[tuple[str, str]]:
    return [
        (page.relative_to(ROOT).as_posix(), text)
        for page in PAGES
        for found, text in FENCE.findall(page.read_text(encoding="utf-8"))
        if found == language
    ]


@pytest.mark.parametrize(("page", "code"), fences("python"))
def test_python_snippets_run(page, code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(code, page, "exec"), {})


@pytest.mark.parametrize(("page", "text"), fences("yaml"))
def test_yaml_snippets_are_valid_studies(page, text):
    assert study_from_dict(yaml.safe_load(text), name=page).models()


@pytest.mark.parametrize(("page", "text"), fences("bash"))
def test_commands_and_their_options_exist(page, text):
    commands = get_command(app).commands
    for line in text.splitlines():
        for call in re.findall(r"(?:^|/)glottis (.*)", line.partition("#")[0]):
            name, *words = call.split()
            known = {option for parameter in commands[name].params for option in parameter.opts}
            assert {word for word in words if word.startswith("-")} <= known, (page, line)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_between_pages_lead_somewhere(page):
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [t for t in targets if not (page.parent / t).exists()] == []


def test_every_command_is_in_a_document():
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert [name for name in get_command(app).commands if f"glottis {name}" not in text] == []
