"""Columns from the TTrees and RNTuples of ROOT files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, final

import numpy as np

from tsunagu.data.chunked import Chunk, ChunkedSource, Jagged, Layout, described, reading
from tsunagu.data.jagged import Objects
from tsunagu.data.source import Array, Column, memory_dtype
from tsunagu.errors import DataError, did_you_mean

__all__ = ["RootSource"]

_KIND = "a ROOT file"
_TREES = ("TTree", "TNtuple", "TNtupleD", "ROOT::RNTuple")


@final
class RootSource(ChunkedSource):
    """One TTree or RNTuple of a ROOT file, read with uproot.

    Branches of one number, and of arrays of a fixed size, are columns. Branches of arrays or vectors whose length differs
    between events, as in NanoAOD, are padded with 0 to the number that ``objects`` tells; ``<kind>_mask [E, n]`` and
    ``<kind>_count [E]`` tell which entries are objects and how many the event has in the file.

    Args:
        path: of the file.
        tree: its name in the file, with its folders; None for the only one.
        objects: how many objects are kept, such as ``{"Jet": 4}``.

    Attributes:
        tree: its name, with its folders.

    Raises:
        DataError: not a ROOT file, no such tree, or several and none is named; uproot is not installed.
    """

    def __init__(self, path: Path, tree: str | None = None, objects: Objects | None = None) -> None:
        with reading(str(path), _KIND):
            import uproot

            with uproot.open(path) as file:
                self.tree = _found(path, file, tree)
                events = file[self.tree]
                self._rows = int(events.num_entries)
                layout = _of_tree(events) if hasattr(events, "branches") else _of_ntuple(events)
        super().__init__(path, tree or "", layout, objects or {})
        self._file = path

    def _events(self) -> int:
        return self._rows

    def _chunks(self, names: Sequence[str], most: int) -> Iterator[Chunk]:
        wanted = set(names)
        with reading(self.name, _KIND):
            import uproot

            with uproot.open(self._file) as file:
                events = file[self.tree]
                which = "filter_branch" if hasattr(events, "branches") else "filter_field"
                options = {which: lambda part: part.name in wanted}
                for chunk in events.iterate(**options, step_size=most, library="ak", how=dict):
                    yield {name: _part(chunk[name]) for name in names}


def total(path: Path, tree: str, branch: str) -> float:
    """The sum of a branch of another tree of a file, such as ``Runs`` and ``genEventSumw``.

    Raises:
        DataError: there is no such tree or branch, or it holds no numbers.
    """
    source = RootSource(path, tree)
    if branch not in source.names():
        message = f"{source.name}: no column '{branch}'{did_you_mean(branch, source.names())}"
        raise DataError(message)
    return float(sum(piece[branch].sum(dtype=np.float64) for piece in source.pieces([branch], 1 << 16)))


def _found(path: Path, file: Any, tree: str | None) -> str:
    trees: list[str] = [name for name, kind in file.classnames(cycle=False).items() if kind in _TREES]
    if tree in trees:
        return str(tree)
    if tree is None and len(trees) == 1:
        return trees[0]
    if tree is None:
        several = (
            f"holds the trees {', '.join(trees)}; write {path.name}:{trees[0]}, or data.tree" if trees else ""
        )
        message = f"{path}: {several or 'holds no TTree and no RNTuple'}"
    else:
        message = f"{path}: there is no tree '{tree}'{did_you_mean(tree, trees)}"
    raise DataError(message)


def _of_tree(tree: Any) -> Layout:
    branches = tree.items(recursive=True, full_paths=False)
    twice = {name for name, count in Counter(name for name, _ in branches).items() if count > 1}
    found = {name: _of_branch(branch) for name, branch in branches}
    return _layout(found | dict.fromkeys(twice, "there are two branches of this name"))


def _of_branch(branch: Any) -> Column | np.dtype[Any] | str:
    how = branch.interpretation
    content = getattr(how, "content", None)
    dtype = getattr(how if content is None else content, "to_dtype", None)
    if not isinstance(dtype, np.dtype) or dtype.names is not None:
        return f"its type is {branch.typename}"
    inner, shape = dtype.subdtype or (dtype, ())
    if content is None:
        return described(inner, shape)
    memory = memory_dtype(inner)
    return f"its type is {branch.typename}" if shape or memory is None else memory


def _of_ntuple(ntuple: Any) -> Layout:
    form = ntuple.to_akform()
    record = form[0] if isinstance(form, tuple) else form
    types = {name: str(ntuple[name].typename) for name in record.fields}
    return _layout({name: _of_form(record.content(name), types[name]) for name in record.fields})


def _of_form(form: Any, typename: str) -> Column | np.dtype[Any] | str:
    shape: list[int] = []
    while (size := getattr(form, "size", None)) is not None:
        shape.append(int(size))
        form = form.content
    jagged = not shape and hasattr(form, "offsets")
    leaf = form.content if jagged else form
    primitive = getattr(leaf, "primitive", None)
    memory = None if primitive is None else memory_dtype(np.dtype(primitive))
    if memory is None or form.parameters.get("__array__"):
        return f"its type is {typename}"
    return memory if jagged else Column(memory, tuple(shape))


def _layout(found: dict[str, Column | np.dtype[Any] | str]) -> Layout:
    return Layout(
        flat={n: kind for n, kind in found.items() if isinstance(kind, Column)},
        jagged={n: kind for n, kind in found.items() if isinstance(kind, np.dtype)},
        unreadable={n: kind for n, kind in found.items() if isinstance(kind, str)},
    )


def _part(array: Any) -> Array | Jagged:
    import awkward as ak

    if array.ndim > 1 and "var" in str(array.type):
        return Jagged(ak.to_numpy(ak.flatten(array)), ak.to_numpy(ak.num(array)))
    return np.asarray(ak.to_numpy(array))
