"""``${VAR}`` in file names, the one thing that may differ between machines; nowhere else is it replaced."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from tsunagu.errors import Mistake, Path, did_you_mean
from tsunagu.spec.validation import set_value

__all__ = ["expand_files"]

VARIABLE = re.compile(r"\$\{(\w+)\}")
BARE = re.compile(r"\$(\w+)/")
FILES = ("data", "files")


def expand_files(data: Any) -> tuple[Any, list[Mistake]]:
    """The data of a study with the environment's values in the names of files, also where ``vary`` sets it.

    >>> os.environ["SAMPLES"] = "/data"
    >>> expand_files({"data": {"files": "${SAMPLES}/a.parquet"}})
    ({'data': {'files': '/data/a.parquet'}}, [])
    """
    mistakes: list[Mistake] = []
    for path in [FILES, *_processes(data), *_varied(data)]:
        names = _at(data, path)
        listed = enumerate(names) if isinstance(names, list) else []
        for place, name in [(path, names), *(((*path, number), name) for number, name in listed)]:
            if not isinstance(name, str):
                continue
            if bare := BARE.match(name):
                mistakes.append(Mistake(place, f"a variable is written ${{{bare[1]}}}, found '{name}'"))
            if VARIABLE.search(name):
                mistakes += _unknown(name, place)
                expanded = VARIABLE.sub(lambda match: os.environ.get(match[1], match[0]), name)
                data = set_value(data, place, expanded)
    return data, mistakes


def _unknown(name: str, path: Path) -> list[Mistake]:
    missing = [variable for variable in VARIABLE.findall(name) if variable not in os.environ]
    return [
        Mistake(path, f"the environment has no variable {v}{did_you_mean(v, os.environ, most=0)}")
        for v in missing
    ]


def _processes(data: Any) -> list[Path]:
    processes = _at(data, ("data", "processes"))
    return (
        [("data", "processes", name, "files") for name in processes] if isinstance(processes, Mapping) else []
    )


def _varied(data: Any) -> list[Path]:
    axes = _at(data, ("vary",))
    of_files = [p for p in axes if _is_of_files(p)] if isinstance(axes, Mapping) else []
    return [("vary", p, label) for p in of_files if isinstance(axes[p], Mapping) for label in axes[p]]


def _is_of_files(path: Any) -> bool:
    return isinstance(path, str) and path.startswith("data.") and path.endswith(".files")


def _at(data: Any, path: Path) -> Any:
    for step in path:
        data = data.get(step) if isinstance(data, Mapping) else None
    return data
