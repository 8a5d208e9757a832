"""What is kept of a run: one entry a row, with the machine in its note."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.measure import Comparison, Scale

__all__ = ["RESULTS", "Work", "entry", "load", "machine", "merge"]

RESULTS = Path(__file__).with_name("results.json")


@dataclass(frozen=True, kw_only=True)
class Work:
    """The arithmetic of one step, and what our side needs for it.

    Args:
        flops: floating-point operations of one step of all members.
        backends: how our models are run, see ``Together.backends``.
        peak: of the core, operations a second.
        memory: bytes that our side takes at its peak, where it can be told.
    """

    flops: int
    backends: str
    peak: float
    memory: int | None

    def entry(self, comparison: Comparison) -> dict[str, float | str]:
        """Rates in GFLOP/s with their share of the core's peak, ours and theirs, and our memory in MB (1e6 bytes)."""
        ours, theirs = self.flops / comparison.ours, self.flops / comparison.theirs
        found: dict[str, float | str] = {
            "backends": self.backends,
            "gflops": round(ours / 1e9, 2),
            "share_of_peak": round(ours / self.peak, 4),
            "their_gflops": round(theirs / 1e9, 2),
            "their_share_of_peak": round(theirs / self.peak, 4),
            "peak_gflops": round(self.peak / 1e9, 1),
        }
        return found if self.memory is None else found | {"peak_memory_mb": round(self.memory / 1e6, 1)}


def entry(
    comparison: Comparison, scale: Scale, note: str, hardware: str, work: Work | None = None
) -> dict[str, Any]:
    """One row as ``{ratio, low, high, note}``; the note holds the absolute costs and the machine.

    Args:
        comparison: as measured.
        scale: that it was measured on.
        note: what is compared.
        hardware: see :func:`machine`.
        work: what there is to tell about arithmetic and memory; more keys.
    """
    cost = f"{scale.told(comparison.ours)} over {scale.told(comparison.theirs)} {scale.words}"
    rounds = f"{comparison.rounds} alternating round{'s'[: comparison.rounds > 1]}"
    return {
        "ratio": round(comparison.ratio, 3),
        "low": round(comparison.low, 3),
        "high": round(comparison.high, 3),
        "note": f"{note}; {cost}, {rounds}; {hardware}",
    } | (work.entry(comparison) if work else {})


def merge(entries: dict[str, dict[str, Any]], path: Path = RESULTS) -> None:
    """Put entries into the file; rows that were not run stay as they are."""
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    part = path.with_suffix(".part")
    part.write_text(json.dumps(kept | entries, indent=2) + "\n", encoding="utf-8")
    part.replace(path)


def machine() -> str:
    """Processor, cores and versions, without any name of the host.

    >>> machine().split(", ")[1].split()[1]
    'cores'
    """
    versions = ", ".join(f"{name} {_version(name)}" for name in ("torch", "lightning"))
    return f"{_processor()}, {os.cpu_count()} cores, 1 thread, Python {platform.python_version()}, {versions}"


def load() -> float:
    """Processes that wanted a core in the last minute, as the system counts them; 0 where it does not."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"
