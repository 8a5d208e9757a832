"""A hash of everything that a training can see of a table."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

from tsunagu.data.source import Array

__all__ = ["bytes_of", "digest_of", "fingerprint"]


def fingerprint(columns: Iterable[tuple[str, Array, str]]) -> str:
    """SHA-256 (hexadecimal) over the names, dtypes, shapes and bytes of columns, in the order of their names.

    Args:
        columns: name, array and :func:`digest_of` its bytes; only dtype and shape of the array are looked at, so
            that a column larger than memory is hashed once, while it is written.

    >>> a, b = (("a", np.arange(3), digest_of(np.arange(3))), ("b", np.ones(3), digest_of(np.ones(3))))
    >>> fingerprint([a, b]) == fingerprint([b, a]), fingerprint([a, b]) == fingerprint([a])
    (True, False)
    """
    total = hashlib.sha256()
    for name, array, digest in sorted(columns, key=lambda column: column[0]):
        # The inner hash has a fixed length, so that no bytes of one column can pass for the name of the next.
        total.update(repr((name, array.dtype.str, array.shape)).encode())
        total.update(bytes.fromhex(digest))
    return total.hexdigest()


def digest_of(array: Array) -> str:
    """SHA-256 (hexadecimal) of an array's bytes in C order.

    >>> digest_of(np.zeros(0))[:8], digest_of(np.arange(2)) == digest_of(np.arange(2.0))
    ('e3b0c442', False)
    """
    return hashlib.sha256(bytes_of(array)).hexdigest()


def bytes_of(array: Array) -> memoryview:
    """The bytes of an array in C order; a view where it lies so.

    >>> bytes(bytes_of(np.array([1, 2], dtype="u1")))
    b'\\x01\\x02'
    """
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
