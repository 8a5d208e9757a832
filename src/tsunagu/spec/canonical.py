"""One text for equal values, and its hash: the same on every machine and in every run."""

from __future__ import annotations

import hashlib
import json

from tsunagu.spec.nodes import Value, to_data

__all__ = ["canonical", "digest"]


def canonical(value: Value) -> str:
    """Canonical JSON: keys sorted, no spaces, floats with all their digits, whole numbers and floats distinct.

    Raises:
        ValueError: NaN or infinity, which no JSON reader agrees on.

    >>> canonical({"b": 1.0, "a": [1, None, True]})
    '{"a":[1,null,true],"b":1.0}'
    """
    return json.dumps(
        to_data(value), sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=True
    )


def digest(value: Value) -> str:
    """sha256 of the canonical JSON, 64 hexadecimal digits.

    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    """
    return hashlib.sha256(canonical(value).encode()).hexdigest()
