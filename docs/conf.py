"""The documentation site; two reference pages are written from the code itself, so that they cannot grow old."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import tsunagu
from tsunagu.spec import schema

HERE = Path(__file__).parent
GENERATED = HERE / "reference" / "generated"

project = "tsunagu"
author = "The tsunagu developers"
project_copyright = author
release = tsunagu.__version__
html_title = "tsunagu"
html_theme = "furo"
html_static_path: list[str] = []
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
exclude_patterns = ["_build", "studies/*/*"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True


def setup(app: Any) -> None:
    """Write the generated pages before Sphinx looks for sources."""
    app.connect("config-inited", lambda *_: write_generated())


def write_generated() -> None:
    """``cli.md`` from the commands' help, ``study-file.md`` from the JSON schema."""
    GENERATED.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "typer", "tsunagu.cli.app", "utils", "docs", "--name", "tsunagu"]
    text = subprocess.run(command, capture_output=True, text=True, check=True, encoding="utf-8").stdout
    _write("cli.md", text.replace("# `tsunagu`", "# The command line", 1))
    _write("study-file.md", "\n".join(study_file_page(schema())))


INTRODUCTION = """# The study file

Every setting, from the schema that `tsunagu schema` prints. In Python the sections are classes of the same names with these
settings as keyword arguments: `tn.Task(inputs=..., output=...)`.

Inside `tasks` and `train`, `{choice: {label: value}}` may stand in the place of a value. `{key: name, args: {...}}` is
something to build. `{ref: file.yaml#section}` stands for that section of the other file.
"""


def study_file_page(made: dict[str, Any]) -> list[str]:
    """A table of settings for each section of a study file."""
    lines = [INTRODUCTION]
    sections = {"Study": made} | {name: part for name, part in made["$defs"].items() if name != "Reference"}
    for name, part in sections.items():
        lines += [f"## {name}", "", str(part.get("description", "")), ""]
        lines += ["| setting | default | meaning |", "| --- | --- | --- |"]
        for setting, about in part["properties"].items():
            default = "*required*" if setting in part.get("required", []) else _default(about.get("default"))
            meaning = about.get("description", "").replace(":class:", "").replace("``", "`")
            lines.append(f"| `{setting}` | {default} | {meaning} |")
        lines.append("")
    return lines


def _default(value: Any) -> str:
    # A section whose settings have defaults of their own.
    return "below" if isinstance(value, dict) and len(value) > 2 else f"`{json.dumps(value)}`"


def _write(name: str, text: str) -> None:
    path = GENERATED / name
    # Sphinx reads again what has a new time of change; equal text keeps the old one.
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
