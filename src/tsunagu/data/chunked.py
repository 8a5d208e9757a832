"""What readers of files share that come chunk by chunk, with columns of fixed and of varying length."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, final

import numpy as np

from tsunagu.data.jagged import Objects, columns_of_counts, groups, pad, ragged
from tsunagu.data.source import Array, Column, Source, beyond, in_memory, memory_dtype, too_large
from tsunagu.errors import DataError

__all__ = ["Chunk", "ChunkedSource", "Jagged", "Layout", "missing_extra", "reading"]

# Events that are decoded at once where all are read into memory.
_ROWS = 1 << 16


class Jagged(NamedTuple):
    """Objects of some events: all of them ``[sum of counts]``, and how many each event has ``[E]``."""

    flat: Array
    counts: Array


Chunk = Mapping[str, Array | Jagged]


@final
@dataclass(frozen=True, kw_only=True)
class Layout:
    """What the header of a file tells.

    Args:
        flat: columns of one shape in every event, by name.
        jagged: columns whose length differs between events: the dtype of an object.
        unreadable: the others, each with the reason.
    """

    flat: Mapping[str, Column]
    jagged: Mapping[str, np.dtype[Any]] = field(default_factory=dict)
    unreadable: Mapping[str, str] = field(default_factory=dict)


class ChunkedSource(Source):
    """A file that is read in chunks of events.

    Args:
        path: of the file.
        place: of the events in it, such as the name of a tree; empty where there is only one.
        layout: of the header.
        objects: how many objects are kept of columns whose length differs; a kind of object that no column has is
            no mistake here, since another file may have it.
    """

    def __init__(self, path: Path, place: str, layout: Layout, objects: Objects) -> None:
        self._groups = groups(layout.jagged, objects)
        kept = {n: group for group, names in self._groups.items() for n in names}
        rest = {n: ragged(n) for n in layout.jagged if n not in kept}
        name = f"{path}:{place}" if place else str(path)
        treatment = repr((place, sorted(objects.items()))) if place or objects else ""
        super().__init__(name, {**layout.unreadable, **rest}, path, treatment)
        self._most = {n: objects[group] for n, group in kept.items()}
        self._columns = dict(layout.flat) | {
            n: Column(layout.jagged[n], (most,)) for n, most in self._most.items()
        }
        self._leaders: dict[str, str] = {}
        for group, names in self._groups.items():
            counts = columns_of_counts(group, objects[group])
            made = {n: column for n, column in counts.items() if n not in self._columns}
            self._columns |= made
            self._leaders |= dict.fromkeys(made, names[0])

    def names(self) -> dict[str, Column]:
        """The columns that can be read."""
        return dict(self._columns)

    def rows(self, name: str) -> int:  # noqa: ARG002 - a file has one number for all its columns
        """The number of events."""
        return self._events()

    def read(self, names: Sequence[str]) -> dict[str, Array]:
        """Read these columns and no others, some thousand events at a time."""
        if not names:
            return {}
        rows = self._events()
        arrays = {n: np.empty((rows, *self._columns[n].shape), self._columns[n].dtype) for n in names}
        start = 0
        for piece in self.pieces(names, _ROWS):
            stop = start + len(next(iter(piece.values())))
            for name, array in piece.items():
                arrays[name][start:stop] = array
            start = stop
        return arrays

    def pieces(self, names: Sequence[str], most: int) -> Iterator[dict[str, Array]]:
        """Read these columns, so many events at a time."""
        real = list(dict.fromkeys(self._leaders.get(name, name) for name in names))
        wrong: dict[str, int] = {}
        unlike: dict[str, int] = {}
        done = 0
        for chunk in self._chunks(real, most):
            sizes = {n: _values(part) for n, part in chunk.items()}
            for name, values in sizes.items():
                wrong[name] = wrong.get(name, 0) + beyond(values)
            self._compare(chunk, unlike)
            done += _length(next(iter(chunk.values()))) if chunk else 0
            if done > self._events():
                break
            # After the first mistake there is only counting left to do.
            if not any(wrong.values()) and not any(unlike.values()):
                yield {name: self._made(name, chunk) for name in names}
        self._report(wrong, unlike, done if real else self._events())

    @abstractmethod
    def _events(self) -> int:
        """The number of events."""

    @abstractmethod
    def _chunks(self, names: Sequence[str], most: int) -> Iterator[Chunk]:
        """These columns, as they are in the file, at most so many events at a time.

        Raises:
            DataError: the file cannot be read.
        """

    def _made(self, name: str, chunk: Chunk) -> Array:
        part = chunk[self._leaders.get(name, name)]
        where = f"{self.name}: column '{name}'"
        if not isinstance(part, Jagged):
            return np.require(in_memory(part, where), requirements=["C", "W"])
        if name in self._leaders:
            counts = np.array(part.counts, dtype=np.int64)
            shape = self._columns[name].shape
            return np.arange(shape[0]) < counts[:, None] if shape else counts
        return pad(in_memory(part.flat, where), part.counts, self._most[name])

    def _compare(self, chunk: Chunk, unlike: dict[str, int]) -> None:
        for names in self._groups.values():
            parts = {n: part for n in names if isinstance(part := chunk.get(n), Jagged)}
            first = next(iter(parts.values()), None)
            for name, part in parts.items():
                count = 0 if first is None else int((part.counts != first.counts).sum())
                unlike[name] = unlike.get(name, 0) + count

    def _report(self, wrong: Mapping[str, int], unlike: Mapping[str, int], done: int) -> None:
        rows = self._events()
        lines = [too_large(f"{self.name}: column '{n}'", c, rows) for n, c in wrong.items() if c]
        for name, count in unlike.items():
            if count:
                first = next(names[0] for names in self._groups.values() if name in names)
                found = f"another number of objects than '{first}' in {count} of {rows} events"
                lines.append(f"{self.name}: column '{name}': {found}; give it its own data.n_objects")
        if done != rows and not lines:
            lines = [
                f"{self.name}: {done} events were read, but the header tells {rows}; the file is damaged"
            ]
        if lines:
            raise DataError("\n".join(lines))


@contextmanager
def reading(name: str, kind: str) -> Iterator[None]:
    """Turn whatever a reader raises into a sentence with the file's name.

    Args:
        name: of the file.
        kind: such as ``a ROOT file``.

    >>> with reading("a.root", "a ROOT file"):
    ...     raise IndexError("list index out of range")
    Traceback (most recent call last):
    tsunagu.errors.DataError: a.root: cannot be read as a ROOT file: list index out of range
    """
    try:
        yield
    except DataError:
        raise
    except ImportError as error:
        raise DataError(missing_extra(name, kind, str(error))) from error
    except Exception as error:
        # A file that is cut short or overwritten makes readers raise just anything.
        text = " ".join(str(error).split())[:200] or type(error).__name__
        message = f"{name}: cannot be read as {kind}: {text}"
        raise DataError(message) from error


def missing_extra(name: str, kind: str, found: str) -> str:
    """The sentence about a package that is not installed.

    >>> missing_extra("a.root", "a ROOT file", "No module named 'uproot'")
    "a.root: No module named 'uproot'; reading a ROOT file needs: pip install 'tsunagu[root]'"
    """
    extra = {"a ROOT file": "root", "an HDF5 file": "hdf5"}.get(kind, "root")
    return f"{name}: {found}; reading {kind} needs: pip install 'tsunagu[{extra}]'"


def described(dtype: np.dtype[Any], shape: tuple[int, ...]) -> Column | str:
    """What a dtype on disk becomes, or the reason why it cannot be a column.

    >>> described(np.dtype("f8"), (2,))
    Column(dtype=dtype('float64'), shape=(2,))
    """
    memory = memory_dtype(dtype)
    return f"its type is {dtype}" if memory is None else Column(memory, shape)


def _values(part: Array | Jagged) -> Array:
    return part.flat if isinstance(part, Jagged) else part


def _length(part: Array | Jagged) -> int:
    return len(part.counts) if isinstance(part, Jagged) else len(part)
