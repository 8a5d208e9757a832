"""What a training costs, also where several trainings are made by the same steps."""

from __future__ import annotations

import time
from typing import final

__all__ = ["Meter"]


@final
class Meter:
    """Wall time and processor time of one training.

    While a group makes its steps together, each member that takes part bears an equal share; those that wait bear none. So
    the sum over trainings is what all of them cost, however they were grouped.

    Args:
        seconds: wall time from before an interruption.
        cpu_seconds: time of all threads of this process, likewise.

    >>> meter = Meter(3.0, 2.0)
    >>> meter.seconds, meter.cpu_seconds
    (3.0, 2.0)
    """

    def __init__(self, seconds: float = 0.0, cpu_seconds: float = 0.0) -> None:
        self._seconds, self._cpu, self._share = seconds, cpu_seconds, 0.0
        self._since = (0.0, 0.0)

    def bear(self, share: float) -> None:
        """From now on this training bears such a share of what the process does; 0 stops the clock."""
        self._seconds, self._cpu = self.seconds, self.cpu_seconds
        self._share, self._since = share, (time.perf_counter(), time.process_time())

    @property
    def seconds(self) -> float:
        """Wall time."""
        return self._seconds + self._share * (time.perf_counter() - self._since[0])

    @property
    def cpu_seconds(self) -> float:
        """Time of all threads of this process."""
        return self._cpu + self._share * (time.process_time() - self._since[1])
