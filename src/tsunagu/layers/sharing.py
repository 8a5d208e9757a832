"""Which events of a batch this process has, where several processes share a batch.

Layers that look at more than one event at a time must know it: those that draw random numbers (:class:`Draws`) draw for
the whole batch and take their part.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import final

__all__ = ["Part", "current_part", "sharing"]


@final
@dataclass(frozen=True)
class Part:
    """The events ``start`` to ``stop`` of a batch of ``events``.

    >>> part = Part(2, 4, 6)
    >>> part.whole(4), part.rows(4)
    (12, slice(4, 8, None))
    """

    start: int
    stop: int
    events: int

    @property
    def is_whole(self) -> bool:
        """Whether this process has all events."""
        return self.stop - self.start == self.events

    def whole(self, rows: int) -> int:
        """How many rows the whole batch has where this part has so many; the jets of an event may be folded into them.

        Raises:
            ValueError: the rows are not events, or the same number of parts of each.
        """
        own = self.stop - self.start
        if rows % own:
            msg = f"several processes share a batch, so the first axis must be its {own} events, found {rows} rows"
            raise ValueError(msg)
        return rows // own * self.events

    def rows(self, rows: int) -> slice:
        """The rows of this part among those of the whole batch."""
        each = rows // (self.stop - self.start)
        return slice(each * self.start, each * self.stop)


# Of the process, as torch.distributed's own group is.
_parts: list[Part] = []


@contextmanager
def sharing(part: Part) -> Iterator[None]:
    """While the block runs, a forward pass sees only this part of a batch.

    >>> with sharing(Part(0, 1, 2)):
    ...     current_part()
    Part(start=0, stop=1, events=2)
    >>> current_part()
    """
    _parts.append(part)
    try:
        yield
    finally:
        _parts.pop()


def current_part() -> Part | None:
    """The part of the batch that this process has, or None where it has all of it."""
    return _parts[-1] if _parts and not _parts[-1].is_whole else None
