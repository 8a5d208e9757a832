"""How a page carries numbers: arrays as base64, everything else as JSON that cannot end a script."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["DIGITS", "content_hash", "embedded_json", "packed", "rounded"]

DIGITS = 6


def packed(array: ArrayLike, kind: str) -> str:
    """The bytes of an array, little-endian and in C order, as base64.

    Args:
        array: of any shape.
        kind: ``f2``, ``f4``, ``u2``.

    >>> packed([1.0, 0.5], "f2")
    'ADwAOA=='
    """
    return base64.b64encode(np.ascontiguousarray(array, np.dtype(kind).newbyteorder("<")).tobytes()).decode()


def rounded(values: ArrayLike, digits: int = DIGITS) -> Any:
    """Nested lists of a few significant digits; what is not finite is None, since JSON has no word for it.

    >>> rounded([[0.123456789, 1e-9], [float("nan"), 3]], 3)
    [[0.123, 1e-09], [None, 3.0]]
    """
    found = np.asarray(values, np.float64).tolist()
    return _rounded(found, digits)


def _rounded(value: Any, digits: int) -> Any:
    if isinstance(value, list):
        return [_rounded(each, digits) for each in value]
    return float(f"{value:.{digits}g}") if math.isfinite(value) else None


def embedded_json(value: Any) -> str:
    """JSON to stand within ``<script type="application/json">``, whatever the texts in it are.

    >>> embedded_json({"name": "</script>&"})
    '{"name":"\\\\u003c/script\\\\u003e\\\\u0026"}'
    """
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def content_hash(text: str) -> str:
    """The source expression by which a content security policy admits exactly this script or style.

    >>> content_hash("")
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
    """
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
