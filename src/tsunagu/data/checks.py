"""What can be wrong with events that could be read; every check returns sentences, one for each problem."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, final

import numpy as np

from tsunagu.data.listing import listed
from tsunagu.data.source import Array
from tsunagu.data.stored import SUMMED, in_pieces

__all__ = ["NotFinite", "check_duplicates", "check_lengths", "check_parts", "check_role", "check_sum"]


@final
class NotFinite:
    """NaN and infinities in a column of one file, counted piece by piece.

    >>> found = NotFinite()
    >>> found.add(np.array([1.0]))
    >>> found.add(np.array([np.nan, np.inf]))
    >>> found.lines("a.npz", "met")
    ["a.npz: column 'met': NaN or infinite in 2 of 3 events, the first in row 1"]
    """

    def __init__(self) -> None:
        self.bad = 0
        self._events, self._first = 0, 0
        self._nan, self._infinite, self._double = False, False, True

    def add(self, array: Array) -> None:
        """Count in the next events."""
        # The sum is finite only if every value is: a third of the time, and no array of booleans.
        if array.dtype.kind == "f" and not np.isfinite(_sum(array)):
            self._count(array.reshape(len(array), -1))
        self._double = array.dtype == np.float64
        self._events += len(array)

    def lines(self, file: str, name: str, *, is_stored: bool = True) -> list[str]:
        """The sentence about what was found, if anything; of a column that is computed, there is no padding."""
        if not self.bad:
            return []
        # What is too large for single precision has become infinite, see `as_column`.
        beyond = "infinite" if self._double else "infinite (or beyond 3.4e38)"
        what = " or ".join(word for word, is_so in (("NaN", self._nan), (beyond, self._infinite)) if is_so)
        remedy = (
            ""
            if self._infinite or not is_stored
            else f"; if it is padding, data.missing: {{{name}: 0.0}} replaces it"
        )
        found = f"{what} in {self.bad} of {self._events} events, the first in row {self._first}"
        return [f"{file}: column '{name}': {found}{remedy}"]

    def _count(self, values: Array) -> None:
        nan, infinite = np.isnan(values).any(axis=1), np.isinf(values).any(axis=1)
        bad = nan | infinite
        if bad.any() and not self.bad:
            self._first = self._events + int(bad.argmax())
        self.bad += int(bad.sum())
        self._nan, self._infinite = self._nan or bool(nan.any()), self._infinite or bool(infinite.any())


def check_lengths(file: str, lengths: Mapping[str, int]) -> list[str]:
    """Columns of one file of unequal lengths; the most common length is taken to be right.

    >>> check_lengths("a.npz", {"pt": 3, "eta": 3, "met": 2})
    ["a.npz: column 'met' has 2 events, the others 3"]
    """
    counts = list(lengths.values())
    usual = max(counts, key=counts.count, default=0)
    wrong = {name: count for name, count in lengths.items() if count != usual}
    return [
        f"{file}: column '{name}' has {count} events, the others {usual}" for name, count in wrong.items()
    ]


def check_role(files: Sequence[str], name: str, role: str, array: Array) -> list[str]:
    """A weight must be one number for each event, an event number a whole one.

    >>> check_role(["a.npz"], "evt", "event number", np.ones(3))
    ["a.npz: column 'evt' is float64 [E]: an event number must be one whole number for each event"]
    """
    whole = role in ("event number", "class")
    if array.ndim == 1 and (array.dtype.kind in ("ib" if role == "class" else "i") or not whole):
        return []
    shape = ", ".join(["E", *map(str, array.shape[1:])])
    wanted = (
        f"{'an' if role[0] == 'e' else 'a'} {role} must be one whole number"
        if whole
        else f"a {role} must be one number"
    )
    return [f"{listed(files)}: column '{name}' is {array.dtype} [{shape}]: {wanted} for each event"]


def check_duplicates(
    files: Sequence[str], rows: Sequence[int], name: str, event_number: Array, *, processes: int = 0
) -> list[str]:
    """Event numbers that occur more than once, with the files they are in.

    Several processes may each count from 0; then the sentence says how to tell their events apart.

    >>> check_duplicates(["a", "b"], [2, 2], "event_number", np.array([1, 2, 2, 3]))
    ["a, b: column 'event_number': 1 event number occurs more than once, the first is 2 (2 times)"]
    """
    ordered = np.sort(event_number)
    again = ordered[1:] == ordered[:-1]
    if not again.any():
        return []
    values, counts = np.unique(ordered[1:][again], return_counts=True)
    where = listed([file for file, part in _by_file(files, rows, event_number) if _any_of(part, values)])
    found = f"{len(values)} event number{' occurs' if len(values) == 1 else 's occur'} more than once"
    remedy = ""
    if processes > 1:
        above = 10 ** len(str(max(abs(int(ordered[0])), abs(int(ordered[-1])))))
        remedy = f"; where processes share numbers, event_number: {name} + {above} * process_number tells them apart"
    return [f"{where}: column '{name}': {found}, the first is {values[0]} ({counts[0] + 1} times){remedy}"]


def check_sum(files: Sequence[str], name: str | None, weight: Array, part: str) -> list[str]:
    """The weights of a set of events must have a positive sum: everything is divided by it.

    >>> check_sum(["a.npz"], "weight", np.array([1.0, -3.0]), "all events")
    ["a.npz: column 'weight': the sum over all events is -2 (2 events, 1 negative); it must be positive"]
    """
    return _check_total(files, name, _total(in_pieces(weight, SUMMED)), part)


def check_parts(
    files: Sequence[str], weights: Mapping[str, Array], parts: Mapping[str, Array], folds: Mapping[str, str]
) -> list[str]:
    """Splits without events, and splits whose weights have no positive sum.

    Args:
        files: for the message.
        weights: column name to weights ``[E]``.
        parts: split name to row indices.
        folds: split name to words about its fold.

    >>> check_parts(["a.npz"], {}, {"test": np.array([], dtype=int)}, {"test": "fold 0 of 5"})
    ['a.npz: the test split (fold 0 of 5) has no event']
    """
    problems: list[str] = []
    for part, rows in parts.items():
        place = f"the {part} split ({folds[part]})"
        if len(rows) == 0:
            problems.append(f"{listed(files)}: {place} has no event")
            continue
        for name, weight in weights.items():
            total = _total(weight[some] for some in in_pieces(rows, SUMMED))
            problems += _check_total(files, name, total, place)
    return problems


class _Total(NamedTuple):
    sum: float
    events: int
    negative: int


def _total(pieces: Iterable[Array]) -> _Total:
    parts = [_Total(float(piece.sum()), len(piece), int((piece < 0).sum())) for piece in pieces]
    return _Total(sum(p.sum for p in parts), sum(p.events for p in parts), sum(p.negative for p in parts))


def _check_total(files: Sequence[str], name: str | None, total: _Total, part: str) -> list[str]:
    if total.sum > 0 or not np.isfinite(total.sum):  # what is not finite has been reported as such
        return []
    found = f"the sum over {part} is {total.sum:g} ({total.events} events, {total.negative} negative)"
    return [f"{listed(files)}: column '{name}': {found}; it must be positive"]


def _by_file(files: Sequence[str], rows: Sequence[int], array: Array) -> Iterator[tuple[str, Array]]:
    start = 0
    for file, count in zip(files, rows, strict=True):
        yield file, array[start : start + count]
        start += count


def _any_of(array: Array, values: Array) -> bool:
    return any(bool(np.isin(piece, values).any()) for piece in in_pieces(array))


def _sum(array: Array) -> float:
    with np.errstate(invalid="ignore", over="ignore"):
        return float(array.sum(dtype=np.float64))
