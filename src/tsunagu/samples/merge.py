"""All shards become one table: weights from the sums over all of them, event numbers, the taus' pt for QCD jets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsunagu.errors import DataError
from tsunagu.random import derive_seed
from tsunagu.samples.processes import LUMINOSITY, PROCESSES
from tsunagu.samples.selection import Columns
from tsunagu.samples.settings import SCHEMA, HTauTau, Settings, settings_hash
from tsunagu.samples.shards import PT_BINS, Shard

__all__ = ["joined", "match_spectrum", "merge", "metadata", "process_columns", "read_shard"]

COUNTS = ("n_generated", "sum_gen_weight")


def merge(settings: Settings, shards: list[Shard], folder: Path) -> tuple[Columns, dict[str, Any]]:
    """The columns of the whole sample, and what is to be noted about it.

    Args:
        settings: of the sample.
        shards: in order; all of them are there.
        folder: where they lie.
    """
    processes: dict[str, Columns] = {}
    notes: dict[str, dict[str, Any]] = {}
    for name in dict.fromkeys(shard.process for shard in shards):
        parts = [read_shard(folder / shard.name) for shard in shards if shard.process == name]
        processes[name], notes[name] = process_columns(name, parts)
    if isinstance(settings, HTauTau):
        columns = joined(processes)
        columns["train_weight"] = _balanced(columns["label"], np.abs(columns["weight"].astype(np.float64)))
    else:
        columns = _jets(settings.seed, processes)
        # The chosen jets have the taus' spectrum as they are; a weight in the training would undo that.
        columns["train_weight"] = _balanced(columns["label"], np.ones(len(columns["label"])))
    columns["event_number"] = _numbers(settings, len(columns["label"]))
    for about in notes.values():
        about["rows"] = int((columns["sample_id"] == about["sample_id"]).sum())
    return columns, metadata(settings, notes)


def match_spectrum(
    taus: NDArray[np.generic], jets: NDArray[np.generic], draw: np.random.Generator
) -> NDArray[np.int64]:
    """Choose jets whose pt is distributed as that of the taus, bin by bin.

    Args:
        taus, jets: pt in GeV, ``[T]`` and ``[J]``.
        draw: decides which jets of a bin are taken.

    Returns:
        Row numbers of the chosen jets, rising; where a bin has too few jets, all bins shrink together.
    """
    wanted, offered = np.histogram(taus, PT_BINS)[0], np.histogram(jets, PT_BINS)[0]
    # Bins with a handful of taus do not decide: they would make every other bin as small as chance has it.
    filled = wanted >= 20
    share = float(np.min(offered[filled] / wanted[filled], initial=1.0))
    if share == 0.0:
        msg = "QCD jets: a bin of the taus' pt has no jet to match; ask for more jets"
        raise DataError(msg)
    bins = _bins(jets)
    chosen = []
    for number, count in enumerate(wanted):
        rows = draw.permutation(np.flatnonzero(bins == number))
        chosen.append(rows[: min(len(rows), round(share * count))])
    return np.sort(np.concatenate(chosen))


def read_shard(path: Path) -> Columns:
    """The columns of a shard, and its counts."""
    with np.load(path) as stored:
        return {name: stored[name] for name in stored.files}


def joined(processes: Mapping[str, Columns]) -> Columns:
    """All processes below each other; each column is taken from them as it is copied, to spare memory."""
    names = list(next(iter(processes.values())))
    return {name: np.concatenate([columns.pop(name) for columns in processes.values()]) for name in names}


def process_columns(name: str, parts: list[Columns]) -> tuple[Columns, dict[str, Any]]:
    """All shards of a process with the weights of its events, and what is to be noted about it."""
    process = PROCESSES[name]
    generated, total = (sum(float(part.pop(key)) for part in parts) for key in COUNTS)
    columns = joined({str(number): part for number, part in enumerate(parts)})
    rows, own = len(columns["gen_weight"]), columns["gen_weight"].astype(np.float64)
    columns["weight"] = (own * (process.cross_section * LUMINOSITY / total)).astype(np.float32)
    columns["sample_id"] = np.full(rows, process.sample_id, np.int16)
    columns["label"] = np.full(rows, process.label, np.int8)
    return columns, {
        "sample_id": process.sample_id,
        "cross_section_pb": process.cross_section,
        "n_generated": int(generated),
        "sum_gen_weight": total,
        "selected": rows,
        "filter_efficiency": float(own.sum()) / total,
        "switches": list(process.switches),
    }


def _jets(seed: int, processes: dict[str, Columns]) -> Columns:
    """Taus, and QCD jets that are chosen to have the taus' spectrum; the class is what the jet is."""
    taus, jets = processes["Z"], processes["QCD"]
    chosen = match_spectrum(taus["jet_pt"], jets["jet_pt"], np.random.default_rng(derive_seed(seed, "match")))
    bins, weight = _bins(jets["jet_pt"]), jets["weight"].astype(np.float64)
    # Each chosen jet stands for those of its bin that were not chosen.
    offered = np.bincount(bins, weight, len(PT_BINS))
    kept = np.bincount(bins[chosen], weight[chosen], len(PT_BINS))
    processes["QCD"] = {name: values[chosen] for name, values in jets.items()}
    scale = offered[bins[chosen]] / kept[bins[chosen]]
    processes["QCD"]["weight"] = (weight[chosen] * scale).astype(np.float32)
    columns = joined(processes)
    columns["label"] = columns["jet_is_tau"].astype(np.int8)
    return columns


def _bins(pt: NDArray[np.generic]) -> NDArray[np.int64]:
    return np.digitize(pt.astype(np.float64), PT_BINS) - 1


def _numbers(settings: Settings, rows: int) -> NDArray[np.int64]:
    # Unique over both samples and all seeds: the kind, the seed, the row.
    kind = 1 if isinstance(settings, HTauTau) else 2
    return np.arange(rows, dtype=np.int64) + (kind * 1000 + settings.seed) * 10_000_000


def _balanced(label: NDArray[np.generic], weight: NDArray[np.float64]) -> NDArray[np.float32]:
    """The weight scaled such that both classes have the same sum and the mean is 1."""
    balanced = weight.copy()
    for one in (0, 1):
        rows = label == one
        balanced[rows] *= len(label) / 2.0 / balanced[rows].sum()
    return balanced.astype(np.float32)


def metadata(settings: Settings, notes: Mapping[str, Any]) -> dict[str, Any]:
    """What is to be noted about a sample.

    Args:
        settings: of it.
        notes: about each process.
    """
    from importlib.metadata import version

    return {
        "schema": SCHEMA,
        "sample": type(settings).__name__,
        "settings": asdict(settings),
        "settings_hash": settings_hash(settings),
        "generator": f"Pythia 8 (pythia8mc {version('pythia8mc')})",
        "luminosity_per_pb": LUMINOSITY,
        "units": "GeV, rad",
        "seed": settings.seed,
        "processes": dict(notes),
    }
