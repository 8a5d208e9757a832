"""Files whose columns are there several times: as they are, and as systematic variations have them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import final

from tsunagu.data.source import Array, Column, Source

__all__ = ["VariedSource"]


@final
class VariedSource(Source):
    """The columns of a file, and some of others that have the same events, under names of their own.

    Args:
        source: the file as it is.
        others: each with the names of the columns that it adds, and what they are called there.
        treatment: what tells the content of the others apart, where their columns may be kept; None where nothing does.

    >>> import numpy as np
    >>> from tsunagu.data import ArraySource
    >>> events, up = (ArraySource({"pt": np.array([pt])}) for pt in (30.0, 33.0))
    >>> VariedSource(events, [(up, {"pt_up": "pt"})]).read(["pt_up", "pt"])
    {'pt_up': array([33.]), 'pt': array([30.])}
    """

    def __init__(
        self,
        source: Source,
        others: Sequence[tuple[Source, Mapping[str, str]]],
        treatment: str | None = None,
    ) -> None:
        path = source.path if treatment is not None else None
        super().__init__(source.name, source.unreadable, path, repr((source.treatment, treatment)))
        self._source, self._others = source, tuple(others)

    def names(self) -> dict[str, Column]:
        """The columns that can be read."""
        found = dict(self._source.names())
        for _, added in self._others:
            found |= {name: found[of] for name, of in added.items() if of in found}
        return found

    def rows(self, name: str) -> int:
        """The number of events of a column."""
        of = {name: of for _, added in self._others for name, of in added.items()}
        return self._source.rows(of.get(name, name))

    def read(self, names: Sequence[str]) -> dict[str, Array]:
        """These columns."""
        read: dict[str, Array] = {}
        for source, added in self._asked(names):
            found = source.read(list(dict.fromkeys(added.values())))
            read |= {name: found[of] for name, of in added.items()}
        return {name: read[name] for name in names}

    def pieces(self, names: Sequence[str], most: int) -> Iterator[dict[str, Array]]:
        """The next events of these columns."""
        asked = self._asked(names)
        streams = [source.pieces(list(dict.fromkeys(added.values())), most) for source, added in asked]
        for parts in zip(*streams, strict=True):
            piece = {
                n: part[of] for part, (_, added) in zip(parts, asked, strict=True) for n, of in added.items()
            }
            yield {name: piece[name] for name in names}

    def _asked(self, names: Sequence[str]) -> list[tuple[Source, dict[str, str]]]:
        others = {name for _, added in self._others for name in added}
        every = [(self._source, {name: name for name in names if name not in others}), *self._others]
        asked = [
            (source, {name: of for name, of in added.items() if name in names}) for source, added in every
        ]
        return [(source, added) for source, added in asked if added]
