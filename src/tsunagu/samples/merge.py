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

__all__ = ["match_spectrum", "merge"]

COUNTS = ("n_generated", "sum_gen_weight")


def merge(settings: Settings, shards: list[Shard], folder: Path) -> tuple[Columns, dict[str, Any]]:
    """The columns of the whole sample, and what is to be noted about it.

    Args:
        settings: of the sample.
        shards: in order; all of them are there.
        folder: where they lie.
    """
    found: dict[str, list[dict[str, NDArray[np.generic]]]] = {}
    for shard in shards:
        with np.load(folder / shard.name) as stored:
            found.setdefault(shard.process, []).append({name: stored[name] for name in stored.files})
    processes = {name: _process(name, parts) for name, parts in found.items()}
    notes = {name: _notes(name, parts, processes[name]) for name, parts in found.items()}
    if not isinstance(settings, HTauTau):
        processes["QCD"] = _matched(settings.seed, processes["Z"], processes["QCD"])
        # Here the class is what the jet is, whatever process it came from.
        for columns in processes.values():
            columns["label"] = columns["jet_is_tau"].astype(np.int8)
    columns = {name: np.concatenate([part[name] for part in processes.values()]) for name in processes["Z"]}
    columns["event_number"] = _numbers(settings, len(columns["label"]))
    columns["train_weight"] = _balanced(columns["label"], columns["weight"])
    return columns, _metadata(settings, notes)


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
    bins = np.digitize(jets.astype(np.float64), PT_BINS) - 1
    chosen = []
    for number, count in enumerate(wanted):
        rows = draw.permutation(np.flatnonzero(bins == number))
        chosen.append(rows[: min(len(rows), round(share * count))])
    return np.sort(np.concatenate(chosen))


def _process(name: str, parts: list[dict[str, NDArray[np.generic]]]) -> Columns:
    process, total = PROCESSES[name], sum(float(part["sum_gen_weight"]) for part in parts)
    generated = sum(float(part["n_generated"]) for part in parts)
    columns = {key: np.concatenate([part[key] for part in parts]) for key in parts[0] if key not in COUNTS}
    rows = len(columns["gen_weight"])
    # A veto before hadronisation hides the weights of dropped events; unweighted processes simply count them.
    norm = total if name == "QCD" else generated
    scale = process.cross_section * LUMINOSITY / norm
    columns["weight"] = (columns["gen_weight"].astype(np.float64) * scale).astype(np.float32)
    columns["sample_id"] = np.full(rows, process.sample_id, np.int16)
    columns["label"] = np.full(rows, process.label, np.int8)
    return columns


def _notes(name: str, parts: list[dict[str, NDArray[np.generic]]], columns: Columns) -> dict[str, Any]:
    generated = sum(float(part["n_generated"]) for part in parts)
    return {
        "sample_id": PROCESSES[name].sample_id,
        "cross_section_pb": PROCESSES[name].cross_section,
        "n_generated": generated,
        "sum_gen_weight": sum(float(part["sum_gen_weight"]) for part in parts),
        "selected": len(columns["label"]),
        "filter_efficiency": len(columns["label"]) / generated,
        "switches": list(PROCESSES[name].switches),
    }


def _matched(seed: int, taus: Columns, jets: Columns) -> Columns:
    draw = np.random.default_rng(derive_seed(seed, "match"))
    chosen = match_spectrum(taus["jet_pt"], jets["jet_pt"], draw)
    return {name: values[chosen] for name, values in jets.items()}


def _numbers(settings: Settings, rows: int) -> NDArray[np.int64]:
    # Unique over both samples and all seeds: the kind, the seed, the row.
    kind = 1 if isinstance(settings, HTauTau) else 2
    return np.arange(rows, dtype=np.int64) + (kind * 1000 + settings.seed) * 10_000_000


def _balanced(label: NDArray[np.generic], weight: NDArray[np.generic]) -> NDArray[np.float32]:
    """The physics weight, scaled such that both classes have the same sum and the mean is 1."""
    balanced = np.abs(weight.astype(np.float64))
    for one in (0, 1):
        rows = label == one
        balanced[rows] *= len(label) / 2.0 / balanced[rows].sum()
    return balanced.astype(np.float32)


def _metadata(settings: Settings, notes: Mapping[str, Any]) -> dict[str, Any]:
    from importlib.metadata import version

    return {
        "schema": SCHEMA,
        "sample": type(settings).__name__,
        "settings": asdict(settings),
        "settings_hash": settings_hash(settings),
        "generator": f"Pythia 8 (pythia8mc {version('pythia8mc')})",
        "luminosity_per_pb": LUMINOSITY,
        "units": "GeV, rad",
        "processes": dict(notes),
    }
