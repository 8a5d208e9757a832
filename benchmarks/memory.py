"""How much memory one of our sides takes at its peak, measured in a process of its own.

``python -m benchmarks.memory ROW`` prints it in bytes.
"""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import torch

from benchmarks.chain import mlps
from benchmarks.hand_loop import HandLoop
from benchmarks.rows import ROWS

__all__ = ["peak_memory"]

PROCESS = Path("/proc/self")


def peak_memory(name: str) -> int | None:
    """Bytes that the resident memory of a fresh process grows by while our side of a row runs; None where it cannot tell.

    The events are there before, and torch has trained something small. What grows is weights, gradients,
    moments of the optimiser, activations and what the allocator keeps.
    """
    if not (PROCESS / "status").exists():
        return None
    command = [sys.executable, "-m", "benchmarks.memory", name]
    here = Path(__file__).parents[1]
    done = subprocess.run(command, check=True, capture_output=True, encoding="utf-8", cwd=here)
    return int(done.stdout)


def main(name: str) -> None:
    """Run our side once and print the growth."""
    torch.set_num_threads(1)
    ours, _ = ROWS[name].sides()
    HandLoop(mlps(), 200)(time.process_time)
    with suppress(OSError):
        # The peak starts anew; that of the imports is in the way.
        (PROCESS / "clear_refs").write_text("5", encoding="ascii")
    before = _status("VmRSS")
    ours(time.process_time)
    print(_status("VmHWM") - before)


def _status(field: str) -> int:
    """In bytes."""
    lines = (PROCESS / "status").read_text(encoding="ascii").splitlines()
    (found,) = [line.split() for line in lines if line.startswith(f"{field}:")]
    return 1024 * int(found[1])


if __name__ == "__main__":
    main(sys.argv[1])
