"""Names of files."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["slugs_of"]


def slugs_of(names: Sequence[str]) -> list[str]:
    """File names that differ where the names do.

    >>> slugs_of(["cnn lstm", "cnn/lstm", "mlp"])
    ['cnn_lstm', 'cnn_lstm_2', 'mlp']
    """
    found: list[str] = []
    for name in names:
        slug = re.sub(r"[^A-Za-z0-9.-]+", "_", name).strip("_.") or "method"
        taken = sum(re.fullmatch(rf"{re.escape(slug)}(_\d+)?", other) is not None for other in found)
        found.append(f"{slug}_{taken + 1}" if taken else slug)
    return found
