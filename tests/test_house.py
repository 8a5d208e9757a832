"""The house rules that a machine can check: layers, sizes, class tree, randomness, public names."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest
from torch import nn

import tsunagu

ROOT = Path(tsunagu.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))

LAYERS = [
    {"errors", "random"},
    {"spec"},
    {"data", "layers", "losses", "metrics"},
    {"tasks"},
    {"train", "search"},
    {"trials", "export"},
    {"analysis"},
    {"studies"},
    {"report"},
    {"cli"},
]
# Optional, imported by the command line alone, and itself standing on nothing but the foundations.
SAMPLES_MAY_IMPORT = {"errors", "random"}


def _level(package: str) -> int:
    return next(level for level, packages in enumerate(LAYERS) if package in packages)


def _imports(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    names |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return {name.split(".")[1] for name in names if name.startswith("tsunagu.")}


def _breaches(package: str, imported: set[str]) -> set[str]:
    others = imported - {package}
    if package == "samples":
        return others - SAMPLES_MAY_IMPORT
    allowed = {name for layer in LAYERS[: _level(package)] for name in layer} | (
        {"samples"} if package == "cli" else set()
    )
    return others - allowed


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_package_imports_only_from_packages_above_its_own_line(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0].removesuffix(".py")
    if package in ("__init__", "__main__"):
        return
    assert not _breaches(package, _imports(path))


def test_the_layer_rule_can_fail() -> None:
    assert _breaches("spec", {"train"}) == {"train"}
    assert _breaches("data", {"losses"}) == {"losses"}
    assert _breaches("samples", {"data"}) == {"data"}
    assert not _breaches("train", {"tasks", "spec", "train"})


@pytest.mark.parametrize(
    "path", [p for p in FILES if "spec" in p.relative_to(ROOT).parts], ids=lambda p: p.name
)
def test_the_spec_knows_no_torch(path: Path) -> None:
    assert not re.search(r"^\s*(import|from) torch", path.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_files_are_small(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def test_functions_are_small() -> None:
    lengths = sorted(
        (node.end_lineno or 0) - node.lineno + 1 - _docstring_lines(node)
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    )
    assert lengths[len(lengths) // 2] <= 8


def _docstring_lines(node: ast.FunctionDef) -> int:
    first = node.body[0]
    if (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    ):
        return (first.end_lineno or 0) - first.lineno + 1
    return 0


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_global_generator_is_drawn_from(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(
        r"torch\.(manual_seed|seed)\(|np\.random\.(?!Generator|default_rng|PCG64|SeedSequence|Philox)\w+",
        text,
    )
    assert not re.search(r"^import random$|^from random import", text, re.MULTILINE)


def _modules() -> list[str]:
    skipped = ("tsunagu.__main__",)
    return [m.name for m in pkgutil.walk_packages([str(ROOT)], "tsunagu.") if m.name not in skipped]


def test_no_class_inherits_from_a_concrete_class_of_ours() -> None:
    classes = {
        cls
        for name in _modules()
        if not name.startswith("tsunagu.samples.")
        for cls in vars(importlib.import_module(name)).values()
        if inspect.isclass(cls) and cls.__module__.startswith("tsunagu.")
    }
    parents = {(cls, base) for cls in classes for base in cls.__bases__ if base in classes}
    allowed = {"TsunaguError", "_Model"}  # the root of our errors, and the settings that all models share
    bad = [
        (cls, base)
        for cls, base in parents
        if not inspect.isabstract(base)
        and base.__name__ not in allowed
        and not getattr(base, "_abstract", False)
    ]
    assert not bad
    assert nn.Module not in classes


@pytest.mark.parametrize("name", tsunagu.__all__)
def test_every_public_name_exists_and_is_documented(name: str) -> None:
    found = getattr(tsunagu, name)
    assert found.__doc__


def test_completion_shows_the_public_names_only() -> None:
    assert dir(tsunagu) == sorted(tsunagu.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Pipelin'"):
        _ = tsunagu.Pipelin
