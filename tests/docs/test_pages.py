"""What README and documentation say can be done: their code is right, and their links lead somewhere."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest
import yaml

from tsunagu.studies import check_study

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "README.ja.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES = [page for page in PAGES if not {"_build", "generated"} & set(page.parts)]
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def _blocks(page, language):
    text = page.read_text(encoding="utf-8")
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{indent}", "", code, flags=re.MULTILINE) for indent, code in found]


def test_the_code_of_the_readme_makes_a_study_without_mistakes(tmp_path):
    (code,) = _blocks(ROOT / "README.md", "python")
    script = tmp_path / "readme.py"
    script.write_text(code.partition("tn.run_study")[0], encoding="utf-8")
    study = runpy.run_path(str(script))["study"]
    assert len(check_study(study, ROOT).of(study.data)) == 4000


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    targets = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link]
    written = [link for link in targets if "generated/" not in link]
    assert [link for link in written if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_yaml_is_yaml_and_python_is_python(page):
    for block in _blocks(page, "yaml"):
        yaml.safe_load(block)
    for block in _blocks(page, "python"):
        compile(block, str(page), "exec")


def test_the_loss_of_the_how_to_keeps_the_contract(tmp_path, monkeypatch):
    code, test = _blocks(ROOT / "docs" / "how-to" / "own-loss.md", "python")
    (tmp_path / "my_analysis").mkdir()
    (tmp_path / "my_analysis" / "losses.py").write_text(code, encoding="utf-8")
    (tmp_path / "test_own.py").write_text(test, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    runpy.run_path(str(tmp_path / "test_own.py"))["test_log_cosh"]()


def test_every_command_that_is_named_exists():
    from tsunagu.cli import app

    known = {command.name or command.callback.__name__ for command in app.registered_commands} | {"sample"}
    used = set()
    for page in PAGES:
        for block in _blocks(page, "bash"):
            used |= set(re.findall(r"^tsunagu (\w+)", block, re.MULTILINE))
    assert used
    assert used <= known
