"""One text for equal values, and its hash: the same on every machine and in every run."""

from __future__ import annotations

import hashlib
import json
import math

from tsunagu.errors import Mistake, SpecError
from tsunagu.spec.nodes import Value, to_data, walk

__all__ = ["canonical", "digest"]


def canonical(value: Value) -> str:
    """Canonical JSON: keys sorted, no spaces, floats with all their digits, whole numbers and floats distinct.

    Raises:
        SpecError: NaN or infinity, which no two JSON readers agree on.

    >>> canonical({"b": 1.0, "a": [1, None, True]})
    '{"a":[1,null,true],"b":1.0}'
    """
    data = to_data(value)
    strange = [
        (path, part) for path, part in walk(data) if isinstance(part, float) and not math.isfinite(part)
    ]
    if strange:
        raise SpecError([Mistake(path, f"expected a finite number, found {part}") for path, part in strange])
    return json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=True)


def digest(value: Value) -> str:
    """sha256 of the canonical JSON, 64 hexadecimal digits.

    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    """
    return hashlib.sha256(canonical(value).encode()).hexdigest()
