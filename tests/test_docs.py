"""What the documents show must work: Python snippets run, commands exist, YAML is valid, links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from glottis.cli import app
from glottis.study.parameters import SETTINGS
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


MIGRATION = (ROOT / "docs" / "how-to" / "migrate-from-pyradiomics.md").read_text(encoding="utf-8")
# radiomics/schemas/paramSchema.yaml and radiomics/scripts/__init__.py of PyRadiomics 3.0.1
PYRADIOMICS_KEYS = """
minimumROIDimensions minimumROISize geometryTolerance correctMask additionalInfo label label_channel binWidth binCount
normalize normalizeScale removeOutliers resampledPixelSpacing interpolator padDistance distances force2D
force2Ddimension resegmentRange resegmentMode resegmentShape preCrop sigma start_level level wavelet gradientUseSpacing
lbp2DRadius lbp2DSamples lbp2DMethod lbp3DLevels lbp3DIcosphereRadius lbp3DIcosphereSubdivision voxelArrayShift
symmetricalGLCM weightingNorm gldm_a kernelRadius maskedKernel initValue voxelBatch
"""
PYRADIOMICS_OPTIONS = """
--param -p --setting -s --jobs -j --validate --out -o --out-dir -od --mode -m --skip-nans --format -f --format-path
--unix-path -up --logging-level --log-file --verbosity -v --label -l --version
"""


@pytest.mark.parametrize("key", sorted({*PYRADIOMICS_KEYS.split(), *SETTINGS}))
def test_the_migration_page_has_every_setting(key):
    assert f"`{key}`" in MIGRATION


@pytest.mark.parametrize("option", PYRADIOMICS_OPTIONS.split())
def test_the_migration_page_has_every_option_of_pyradiomics(option):
    cells = [line.split("|")[1] for line in MIGRATION.splitlines() if line.startswith("| `")]
    assert any(option in re.findall(r"-[\w-]+", cell) for cell in cells)
