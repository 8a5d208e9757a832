"""States as plain data and tensors, so that a search can be written down and continued.

The plain part is JSON, without a number that JSON does not know; the tensors are apart, by name, as a file of
safetensors wants them. The space is not written: it is part of the study. What it should be is.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from torch import Tensor

from tsunagu.errors import ResumeError
from tsunagu.search.searcher import Searcher, State
from tsunagu.search.space import Space
from tsunagu.spec import Architecture

__all__ = ["from_data", "to_data"]

S = TypeVar("S", bound=State)


def to_data(state: State) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """A state as JSON and tensors.

    >>> from tsunagu.search import Grid
    >>> from tsunagu.spec import choice
    >>> space = Space({"lr": choice(0.1, 0.01)})
    >>> plain, tensors = to_data(Grid().init(space, 1))
    >>> plain
    {'space': {'lr': ['0.1', '0.01']}, 'state': {'seed': 1, 'step': 0, 'scored': []}}
    >>> from_data(Grid(), space, plain, tensors) == Grid().init(space, 1)
    True
    """
    tensors: dict[str, Tensor] = {}
    names = [f.name for f in dataclasses.fields(cast("Any", state)) if f.name != "space"]
    plain = {name: _plain(getattr(state, name), name, tensors) for name in names}
    return {"space": _options(state.space), "state": plain}, tensors


def from_data(
    searcher: Searcher[S, Any, Any], space: Space, plain: Mapping[str, Any], tensors: Mapping[str, Tensor]
) -> S:
    """The state again.

    Args:
        searcher: of the same class and settings as the one that the state was made by.
        space: of the same labels and options as the one the search was begun with.
        plain: what :func:`to_data` gave.
        tensors: likewise.

    Raises:
        ResumeError: the data is that of another space or another searcher.
    """
    if plain.get("space") != _options(space):
        msg = f"the search was begun with other choices: {plain.get('space')}, now {_options(space)}; begin again"
        raise ResumeError(msg)
    kind: Any = type(searcher.init(space, 0))
    wanted = {f.name for f in dataclasses.fields(kind)} - {"space"}
    found = plain.get("state", {})
    if wanted != set(found):
        msg = f"the state of another searcher: it has {sorted(found)}, {kind.__name__} has {sorted(wanted)}"
        raise ResumeError(msg)
    read = {name: _read(value, tensors) for name, value in found.items()}
    state: S = kind(space=space, **read)
    return state


def _options(space: Space) -> dict[str, list[str]]:
    return {label: list(options) for label, options in space.options.items()}


def _plain(value: Any, name: str, tensors: dict[str, Tensor]) -> Any:
    if isinstance(value, Tensor):
        tensors[name] = value
        return {"tensor": name}
    if isinstance(value, Architecture):
        return {"architecture": dict(value)}
    if isinstance(value, Mapping):
        return {"mapping": {key: _plain(part, f"{name}/{key}", tensors) for key, part in value.items()}}
    if isinstance(value, tuple):
        return [_plain(part, f"{name}/{i}", tensors) for i, part in enumerate(value)]
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": str(value)}
    return value


def _read(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    if isinstance(value, list):
        return tuple(_read(part, tensors) for part in value)
    if not isinstance(value, Mapping):
        return value
    (kind, held), *_ = value.items()
    if kind == "tensor":
        return tensors[held]
    if kind == "mapping":
        return {key: _read(part, tensors) for key, part in held.items()}
    return Architecture(held) if kind == "architecture" else float(held)
