"""A hash of everything that a training can see of a table."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np

from tsunagu.data.source import Array

__all__ = ["fingerprint"]


def fingerprint(arrays: Mapping[str, Array]) -> str:
    """SHA-256 (hexadecimal) over the names, dtypes, shapes and bytes of arrays, in the order of their names.

    >>> one = fingerprint({"a": np.arange(3), "b": np.ones(3)})
    >>> one == fingerprint({"b": np.ones(3), "a": np.arange(3)}), one == fingerprint({"a": np.arange(3)})
    (True, False)
    """
    total = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        # The inner hash has a fixed length, so that no bytes of one column can pass for the name of the next.
        total.update(repr((name, array.dtype.str, array.shape)).encode())
        total.update(hashlib.sha256(array.reshape(-1).view(np.uint8).data).digest())
    return total.hexdigest()
