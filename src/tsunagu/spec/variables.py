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
    """The data of a study with the environment's values in ``data.files``, also where ``vary`` sets it.

    >>> os.environ["SAMPLES"] = "/data"
    >>> expand_files({"data": {"files": "${SAMPLES}/a.parquet"}})
    ({'data': {'files': '/data/a.parquet'}}, [])
    """
    mistakes: list[Mistake] = []
    for path in [FILES, *_varied(data)]:
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


def _varied(data: Any) -> list[Path]:
    options = _at(data, ("vary", ".".join(FILES)))
    return [("vary", ".".join(FILES), label) for label in options] if isinstance(options, Mapping) else []


def _at(data: Any, path: Path) -> Any:
    for step in path:
        data = data.get(step) if isinstance(data, Mapping) else None
    return data
