"""Pieces of a sample: each is a pure function of its description, and lies in a file of its own until all are there."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import numpy as np

from tsunagu.errors import DataError
from tsunagu.random import derive_seed
from tsunagu.samples.candidates import LEAST_TAU_PT, candidate_columns, two_candidates
from tsunagu.samples.detector import Reconstructed, reconstruct
from tsunagu.samples.generator import BATCH, Generator
from tsunagu.samples.overlay import load_library, make_library
from tsunagu.samples.particles import Particles, Record, read_record
from tsunagu.samples.processes import PROCESSES
from tsunagu.samples.selection import Columns, pair_columns, single_columns
from tsunagu.samples.settings import Analysis, HTauTau, Settings, TauJet

__all__ = ["PT_BINS", "Shard", "make_shard", "plan_shards"]

SHARD = 500
"""Rows of a shard: what an interruption can cost at most, for each process."""

HOPELESS = 20_000
VBF_SHARE = 0.08
PT_BINS = np.array([20.0, 22.5, 25.0, 27.5, 30.0, 35.0, 40.0, 50.0, 60.0, 80.0, 120.0, np.inf])


@dataclass(frozen=True, kw_only=True)
class Shard:
    """A piece of a sample.

    Args:
        settings: of the whole sample.
        process: which one.
        number: of the shard within its process.
        rows: how many to make.
        data: whether pseudo-data are drawn from it.
    """

    settings: Settings
    process: str
    number: int
    rows: int
    data: bool = False

    @property
    def name(self) -> str:
        """Of its file."""
        return f"{'data-' if self.data else ''}{self.process}-{self.number:04d}.npz"

    @property
    def seed(self) -> int:
        """From which all its generators derive."""
        purpose = ("data",) if self.data else ()
        return derive_seed(
            self.settings.seed, type(self.settings).__name__, self.process, self.number, *purpose
        )


def plan_shards(settings: Settings) -> list[Shard]:
    """All pieces of a sample, in the order in which they are merged.

    >>> [(shard.name, shard.rows) for shard in plan_shards(HTauTau(events=600))]
    [('ggH-0000.npz', 500), ('ggH-0001.npz', 52), ('VBF-0000.npz', 48), ('Z-0000.npz', 500), ('Z-0001.npz', 100)]
    """
    return [
        Shard(settings=settings, process=process, number=number, rows=min(SHARD, rows - start), data=data)
        for data in ((False, True) if isinstance(settings, Analysis) else (False,))
        for process, rows in (_pool(settings) if data else _rows(settings)).items()
        for number, start in enumerate(range(0, rows, SHARD))
    ]


def make_shard(shard: Shard, library: Path, count: Callable[[int], None] | None = None) -> bytes:
    """Simulate a piece; the content of an npz file with its columns and ``n_generated``, ``sum_gen_weight``.

    Args:
        shard: which piece.
        library: the file of the minimum-bias events.
        count: called with the number of new rows, batch by batch.
    """
    settings, minimum_bias = shard.settings, load_library(library)
    helicity = settings.helicity if isinstance(settings, HTauTau) else "sampled"
    least = {"least_pt": LEAST_TAU_PT} if isinstance(settings, Analysis) else {}
    generator = Generator(
        shard.process, seed=shard.seed, helicity=helicity, mpi=settings.mpi, energy=settings.energy, **least
    )
    draw = np.random.default_rng(derive_seed(shard.seed, "detector"))
    parts: list[Columns] = []
    rows = tried = weight = 0.0
    while rows < shard.rows:
        if rows == 0.0 and tried > HOPELESS:
            msg = f"{shard.process}: none of {tried:,.0f} events passes the selection; check the settings"
            raise DataError(msg)
        record = read_record(generator, generator.batch(_batch(shard.rows, rows, tried)))
        parts.append(_columns(shard, record, minimum_bias, draw))
        found = len(parts[-1]["gen_weight"])
        if count is not None:
            count(int(min(found, shard.rows - rows)))
        rows, tried, weight = rows + found, tried + len(record.weights), weight + record.weights.sum()
    return _content(shard, parts, generator.generated, weight)


def make_minimum_bias(settings: Settings) -> bytes:
    """The library of the overlaid events, as the content of an npz file."""
    return make_library(settings.seed, settings.energy)


def _batch(wanted: int, rows: float, tried: float) -> int:
    """How many events to try next: all that are missing, but not many more. Always an even number."""
    share = rows / tried if rows else 0.5
    return 2 * ceil(min(BATCH, 1.1 * (wanted - rows) / share + 4.0) / 2.0)


def _content(shard: Shard, parts: list[Columns], generated: int, weight: float) -> bytes:
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    # The rows beyond the number asked for are cut, and with them their share of what was generated.
    share = shard.rows / len(columns["gen_weight"])
    number = round(generated * share)
    # A veto before hadronisation hides the weights of what it drops; the processes with a veto are unweighted.
    total = weight * share if PROCESSES[shard.process].polarisation is None else float(number)
    content = io.BytesIO()
    cut = {name: values[: shard.rows] for name, values in columns.items()}
    counts = {"n_generated": np.array(number), "sum_gen_weight": np.array(total)}
    np.savez_compressed(content, allow_pickle=False, **cut, **counts)
    return content.getvalue()


def _rows(settings: Settings) -> dict[str, int]:
    if isinstance(settings, HTauTau):
        return _higgs(settings.events) | {"Z": settings.events}
    if isinstance(settings, Analysis):
        return _higgs(settings.events) | {"Zjet": settings.events, "dijet": settings.events // 3}
    half = settings.jets // 2
    # Three times as many QCD jets as taus, from which those with the taus' pt are taken.
    return {"Z": half, "QCD": 3 * half}


def _pool(settings: Settings) -> dict[str, int]:
    """From which pseudo-data are drawn: as few of H as are expected, and of the others as many as are simulated."""
    assert isinstance(settings, Analysis)
    return _rows(settings) | _higgs(max(2, settings.events // 16))


def _higgs(events: int) -> dict[str, int]:
    fusion = max(1, round(VBF_SHARE * events))
    return {"ggH": events - fusion, "VBF": fusion}


def _columns(shard: Shard, record: Record, library: Particles, draw: np.random.Generator) -> Columns:
    settings = shard.settings
    keep = np.arange(len(record.weights))
    if isinstance(settings, Analysis):
        # Most dijets are far from looking like two taus, and pile-up is what costs the time.
        keep = two_candidates(_seen(settings, record.particles, library, 0.0, draw))
    seen = _seen(settings, record.particles.take(keep), library, settings.pileup, draw)
    taus, weights = record.taus[keep], record.weights[keep]
    if isinstance(settings, TauJet):
        is_tau = shard.process != "QCD"
        columns = single_columns(seen, taus, weights, settings.tracks, tau=is_tau)
    elif isinstance(settings, HTauTau):
        columns = pair_columns(seen, taus, weights)
    else:
        columns = candidate_columns(seen, taus, weights, taus_are_true=shard.process != "dijet")
    # The mean is a column too, so that samples of different pile-up can stand in one table.
    columns["mu_pileup"] = np.full(len(columns["gen_weight"]), settings.pileup, np.float32)
    return columns


def _seen(
    settings: Settings, particles: Particles, library: Particles, pileup: float, draw: np.random.Generator
) -> Reconstructed:
    underlying = 1 if settings.mpi == "overlay" else 0
    return reconstruct(particles, library, underlying=underlying, pileup=pileup, draw=draw)
