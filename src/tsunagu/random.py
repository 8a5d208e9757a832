"""Seeds: every random draw comes from a generator that is derived from (seed, purpose, counter).

No global generator is ever drawn from, and no generator's state is ever stored: whoever knows the seed, the purpose and
the step knows the draw. That is what makes a resumed training equal to an uninterrupted one.
"""

from __future__ import annotations

import hashlib

__all__ = ["derive_seed"]


def derive_seed(*parts: str | int) -> int:
    """A 63-bit seed from any words and numbers; equal parts give equal seeds on every machine.

    >>> derive_seed(1, "order", 0) == derive_seed(1, "order", 0)
    True
    >>> derive_seed(1, "order", 0) == derive_seed(1, "order", 1)
    False
    """
    text = "\x1f".join(f"{type(part).__name__}:{part}" for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
