"""A ROOT file of flat branches: into a mapped table, against uproot's arrays."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks.measure import Clock, Scale
from tsunagu.data import open_table
from tsunagu.spec import Folds

__all__ = ["READING", "MappedTable", "PlainArrays"]

READING = Scale(
    clock=time.process_time, warm_up=0, least=1, unit="s", factor=1.0, words="s of CPU time a reading"
)
BRANCHES, AT_ONCE = 29, 100_000
MEMORY = 130_000_000


@cache
def _file(events: int) -> tuple[Path, tempfile.TemporaryDirectory[str]]:
    """Written once; the folder goes with the process."""
    import uproot

    folder = tempfile.TemporaryDirectory()
    path = Path(folder.name) / "events.root"
    rng = np.random.default_rng(1)
    names = [f"x{number}" for number in range(BRANCHES)]
    with uproot.recreate(path) as file:
        tree = file.mktree("events", {"event_number": "int64", **dict.fromkeys(names, "float32")})
        for start in range(0, events, AT_ONCE):
            size = min(AT_ONCE, events - start)
            columns = {name: rng.normal(0.0, 1.0, size).astype(np.float32) for name in names}
            tree.extend({"event_number": np.arange(start, start + size), **columns})
    return path, folder


@dataclass(frozen=True)
class MappedTable:
    """Our side: opened, checked, folded and standing in mapped columns, with their digests."""

    events: int

    def __call__(self, clock: Clock) -> float:
        path, _ = _file(self.events)
        with tempfile.TemporaryDirectory() as folder:
            start = clock()
            table = open_table(path, folds=Folds(), memory=min(MEMORY, 130 * self.events), cache=folder)
            cost = clock() - start
            assert table.is_mapped
            assert len(table) == self.events
        return cost


@dataclass(frozen=True)
class PlainArrays:
    """Their side: all branches as numpy arrays."""

    events: int

    def __call__(self, clock: Clock) -> float:
        import uproot

        path, _ = _file(self.events)
        start = clock()
        with uproot.open(path) as file:
            arrays = file["events"].arrays(library="np")
        cost = clock() - start
        assert len(arrays) == BRANCHES + 1
        return cost
