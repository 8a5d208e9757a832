"""When to write a checkpoint."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

__all__ = ["Clock"]


@final
@dataclass
class Clock:
    """Calls ``save`` when so many seconds have gone by since it last did."""

    every: float
    save: Callable[[], None]
    last: float = 0.0

    def __post_init__(self) -> None:
        self.last = time.monotonic()

    def tick(self) -> None:
        """Save if it is time."""
        if time.monotonic() - self.last >= self.every:
            self.save()
            self.last = time.monotonic()
