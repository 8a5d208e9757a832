"""Columns with another number of objects in every event, such as jets: padded to a fixed number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from tsunagu.data.source import Array, Column

__all__ = ["COUNT", "MASK", "Objects", "group_of", "groups", "pad", "ragged"]

Objects = Mapping[str, int]
"""For a kind of object, as its columns begin (``Jet`` of ``Jet_pt``), or for one column: how many are kept."""

COUNT, MASK = "count", "mask"


def pad(flat: Array, counts: Array, most: int) -> Array:
    """The first few objects of every event ``[E, most]``, in the order of the file, and 0 where there are fewer.

    Args:
        flat: the objects of all events, one after the other.
        counts: ``[E]``, how many each event has.
        most: how many are kept.

    >>> pad(np.array([1.0, 2.0, 3.0, 4.0]), np.array([3, 0, 1]), 2)
    array([[1., 2.],
           [0., 0.],
           [4., 0.]])
    """
    counts = np.asarray(counts, dtype=np.int64)
    there = np.arange(most) < counts[:, None]
    first = np.cumsum(counts) - counts
    padded = np.zeros((len(counts), most), dtype=flat.dtype)
    padded[there] = flat[(first[:, None] + np.arange(most))[there]]
    return padded


def group_of(name: str, objects: Objects) -> str | None:
    """The kind of object that a column belongs to: itself, or the longest beginning before a ``_`` or ``.``.

    >>> group_of("Jet_pt", {"Jet": 4}), group_of("nJet", {"Jet": 4})
    ('Jet', None)
    """
    fitting = [key for key in objects if name == key or name.startswith((f"{key}_", f"{key}."))]
    return max(fitting, key=len, default=None)


def groups(jagged: Iterable[str], objects: Objects) -> dict[str, list[str]]:
    """The jagged columns of every kind of object.

    >>> groups(["Jet_pt", "Jet_eta", "Muon_pt"], {"Jet": 4})
    {'Jet': ['Jet_pt', 'Jet_eta']}
    """
    found: dict[str, list[str]] = {}
    for name in jagged:
        if (group := group_of(name, objects)) is not None:
            found.setdefault(group, []).append(name)
    return found


def made_of_counts(group: str) -> tuple[str, str]:
    """The names of the columns that tell how many objects there are, and which entries are some.

    >>> made_of_counts("Jet")
    ('Jet_count', 'Jet_mask')
    """
    return f"{group}_{COUNT}", f"{group}_{MASK}"


def columns_of_counts(group: str, most: int) -> dict[str, Column]:
    """The types of the columns of :func:`made_of_counts`."""
    count, mask = made_of_counts(group)
    return {count: Column(np.dtype(np.int64), ()), mask: Column(np.dtype(np.bool_), (most,))}


def ragged(name: str) -> str:
    """The reason why a column without a declared number of objects cannot be read.

    >>> ragged("Jet_pt")
    'its length differs between events; data.n_objects: {Jet: 4}, say, keeps the first 4'
    """
    key = name.rpartition("_")[0] or name
    return f"its length differs between events; data.n_objects: {{{key}: 4}}, say, keeps the first 4"
