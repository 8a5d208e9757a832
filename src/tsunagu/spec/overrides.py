"""Changes from the command line: ``train.epochs=5``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tsunagu.errors import Mistake, Path, SpecError
from tsunagu.spec.models import Train
from tsunagu.spec.nodes import to_data
from tsunagu.spec.validation import no_step, set_value
from tsunagu.spec.yaml_nodes import parse_scalar

__all__ = ["apply_overrides", "parse_overrides"]

NODES = (("train", "optimizer"), ("train", "schedule"))
SECTIONS = {
    ("train",),
    ("data",),
    ("data", "folds"),
    ("data", "columns"),
    ("data", "missing"),
    ("baselines",),
    ("methods",),
    ("vary",),
}
"""What a file may leave out and an override still set something in."""


def parse_overrides(texts: Sequence[str]) -> tuple[dict[Path, Any], list[Mistake]]:
    """The value for each path; where a path comes twice, the last one counts.

    >>> parse_overrides(["train.epochs=5", "seeds"])[0]
    {('train', 'epochs'): 5}
    """
    given: dict[Path, Any] = {}
    mistakes: list[Mistake] = []
    for text in texts:
        name, equals, value = text.partition("=")
        path = tuple(name.strip().split("."))
        if not equals or not all(path):
            found = f"expected PATH=VALUE such as train.epochs=5, found '{text}'"
            mistakes.append(Mistake((), found, "--set"))
            continue
        try:
            given[path] = parse_scalar(value)
        except SpecError as error:
            mistakes += [Mistake((*path, *m.path), m.message, "--set") for m in error.mistakes]
    return given, mistakes


def apply_overrides(data: Any, given: Mapping[Path, Any]) -> tuple[Any, list[Mistake]]:
    """The data with the given values, and the paths that lead nowhere.

    >>> apply_overrides({"tasks": {"fit": {}}}, {("tasks", "fti", "output"): "y"})[1][0].message
    "there is no 'fti' in it (did you mean 'fit'?)"
    """
    mistakes: list[Mistake] = []
    for target, value in given.items():
        spelled = _spelled_out(data, target)
        if unknown := _check_steps(spelled, target):
            mistakes.append(unknown)
        else:
            data = set_value(spelled, target, value)
    return data, mistakes


def _spelled_out(data: Any, target: Path) -> Any:
    """With an optimiser that is there by default, or a node that is a bare name, written as ``{key, args}``."""
    node = target[:2]
    train = data.get("train", {}) if isinstance(data, Mapping) else None
    if node not in NODES or len(target) == 2 or not isinstance(train, None | Mapping):
        return data
    default = to_data(Train().optimizer) if node == NODES[0] else None
    written = (train or {}).get(node[1], default)
    return set_value(data, node, {"key": written} if isinstance(written, str) else written)


def _check_steps(data: Any, target: Path) -> Mistake | None:
    """The last step may be a new setting, which is left to the validation."""
    for number, step in enumerate(target, start=1):
        last = number == len(target)
        if isinstance(data, Mapping) and (step in data or last):
            data = data.get(step)
        elif isinstance(data, list) and str(step).isdecimal() and int(step) < len(data):
            data = data[int(step)]
        elif step == "args" or target[:number] in SECTIONS or (last and data is None):
            return None
        else:
            return Mistake(target[:number], no_step(str(step), data), "--set")
    return None
