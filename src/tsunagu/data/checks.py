"""What can be wrong with events that could be read; every check returns sentences, one for each problem."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tsunagu.data.files import listed
from tsunagu.data.source import Array

__all__ = ["check_duplicates", "check_finite", "check_lengths", "check_parts", "check_role", "check_sum"]


def check_finite(file: str, name: str, array: Array) -> list[str]:
    """NaN and infinities in a column of floats.

    >>> check_finite("a.npz", "met", np.array([1.0, np.nan, np.inf]))
    ["a.npz: column 'met': NaN or infinite in 2 of 3 events, the first in row 1"]
    """
    # The sum is finite only if every value is: a third of the time, and no array of booleans.
    if array.dtype.kind != "f" or np.isfinite(_sum(array)):
        return []
    values = array.reshape(len(array), -1)
    nan, infinite = np.isnan(values).any(axis=1), np.isinf(values).any(axis=1)
    bad = nan | infinite
    if not bad.any():
        return []
    # What is too large for single precision has become infinite, see `as_column`.
    beyond = "infinite" if array.dtype == np.float64 else "infinite (or beyond 3.4e38)"
    what = " or ".join(word for word, rows in (("NaN", nan), (beyond, infinite)) if rows.any())
    remedy = "" if infinite.any() else f"; if it is padding, data.missing: {{{name}: 0.0}} replaces it"
    found = f"{what} in {bad.sum()} of {len(array)} events, the first in row {bad.argmax()}"
    return [f"{file}: column '{name}': {found}{remedy}"]


def check_lengths(file: str, arrays: Mapping[str, Array]) -> list[str]:
    """Columns of one file of unequal lengths; the most common length is taken to be right.

    >>> check_lengths("a.npz", {"pt": np.ones(3), "eta": np.ones(3), "met": np.ones(2)})
    ["a.npz: column 'met' has 2 events, the others 3"]
    """
    lengths = [len(array) for array in arrays.values()]
    usual = max(lengths, key=lengths.count, default=0)
    wrong = {name: len(array) for name, array in arrays.items() if len(array) != usual}
    return [
        f"{file}: column '{name}' has {count} events, the others {usual}" for name, count in wrong.items()
    ]


def check_role(files: Sequence[str], name: str, role: str, array: Array) -> list[str]:
    """A weight must be one number for each event, an event number a whole one.

    >>> check_role(["a.npz"], "evt", "event number", np.ones(3))
    ["a.npz: column 'evt' is float64 [E]: an event number must be one whole number for each event"]
    """
    whole = role == "event number"
    if array.ndim == 1 and (array.dtype.kind == "i" or not whole):
        return []
    shape = ", ".join(["E", *map(str, array.shape[1:])])
    wanted = f"an {role} must be one whole number" if whole else f"a {role} must be one number"
    return [f"{listed(files)}: column '{name}' is {array.dtype} [{shape}]: {wanted} for each event"]


def check_duplicates(files: Sequence[str], rows: Sequence[int], name: str, event_number: Array) -> list[str]:
    """Event numbers that occur more than once, with the files they are in.

    >>> check_duplicates(["a", "b"], [2, 2], "event_number", np.array([1, 2, 2, 3]))
    ["a, b: column 'event_number': 1 event number occurs more than once, the first is 2 (2 times)"]
    """
    values, inverse, counts = np.unique(event_number, return_inverse=True, return_counts=True)
    repeated = counts > 1
    if not repeated.any():
        return []
    owners = np.repeat(np.arange(len(files)), rows)[repeated[inverse]]
    where = listed([files[i] for i in np.unique(owners)])
    first, number = int(repeated.argmax()), int(repeated.sum())
    found = f"{number} event number{' occurs' if number == 1 else 's occur'} more than once"
    return [f"{where}: column '{name}': {found}, the first is {values[first]} ({counts[first]} times)"]


def check_sum(files: Sequence[str], name: str | None, weight: Array, part: str) -> list[str]:
    """The weights of a set of events must have a positive sum: everything is divided by it.

    >>> check_sum(["a.npz"], "weight", np.array([1.0, -3.0]), "all events")
    ["a.npz: column 'weight': the sum over all events is -2 (2 events, 1 negative); it must be positive"]
    """
    total = float(weight.sum())
    if total > 0 or not np.isfinite(total):  # what is not finite has been reported as such
        return []
    found = f"the sum over {part} is {total:g} ({len(weight)} events, {(weight < 0).sum()} negative)"
    return [f"{listed(files)}: column '{name}': {found}; it must be positive"]


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
            problems += check_sum(files, name, weight[rows], place)
    return problems


def _sum(array: Array) -> float:
    with np.errstate(invalid="ignore", over="ignore"):
        return float(array.sum(dtype=np.float64))
