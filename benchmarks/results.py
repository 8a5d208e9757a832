"""What is kept of a run: one entry a row, with the machine in its note."""

from __future__ import annotations

import json
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.measure import Comparison

__all__ = ["RESULTS", "entry", "machine", "merge"]

RESULTS = Path(__file__).with_name("results.json")


def entry(comparison: Comparison, note: str, hardware: str) -> dict[str, Any]:
    """One row as ``{ratio, low, high, note}``; the note holds the absolute costs and the machine."""
    cost = f"{1e6 * comparison.ours:.0f} over {1e6 * comparison.theirs:.0f} us of CPU time a step"
    return {
        "ratio": round(comparison.ratio, 3),
        "low": round(comparison.low, 3),
        "high": round(comparison.high, 3),
        "note": f"{note}; {cost}, {comparison.rounds} alternating rounds; {hardware}",
    }


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
