"""A folder as an analysis finds it: a ROOT file for each process, and pseudo-data.

Two things are not simulated, since they would cost a thousand events for each that stays. What a tight identification leaves
of the candidates is a weight, ``id_weight``, and not a cut. And how many dijets pass it is no prediction: their yield is
given, as data-driven estimates give it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from tsunagu.files import write_bytes
from tsunagu.random import derive_seed
from tsunagu.samples.generate import NOTES
from tsunagu.samples.merge import joined, metadata, process_columns, read_shard
from tsunagu.samples.selection import Columns
from tsunagu.samples.settings import Analysis
from tsunagu.samples.shards import Shard

__all__ = ["DATA", "FAKES", "energy_scaled", "identified", "multiplicity", "write_datasets"]

Floats = NDArray[np.float64]

DATA = "data.root"
TREE, RUNS = "events", "runs"

FAKES = 400.0
"""Dijets that pass everything, for each 1/fb: about a fifth of the background."""

EFFICIENCY, EFFICIENCY_ERROR = 0.75, 0.03
"""Of the identification for a tau that is a candidate, and its relative error."""

MISTAKEN, SLOPE, SLOPE_ERROR = 0.01, -1.0, 0.25
"""The same for any other jet: at 60 GeV, and the power of pt / 60 GeV with its error."""

LEFT_OUT = ("vis_mass", "label", "sample_id")

NONE = -999.0
"""Stands in the files where a candidate matches no tau."""

TRUTH = ("weight", "gen_weight", "id_weight", "id_up", "id_down", "fake_up", "fake_down", "jet_is_tau")
CHUNK = 2000


@final
@dataclass(frozen=True, kw_only=True)
class Dataset:
    """The selected events of one process.

    Args:
        columns: by name, ``[E, ...]``.
        expected: ``[E]``, events in 1/fb that each stands for.
        notes: about their generation.
    """

    columns: Columns
    expected: Floats
    notes: dict[str, Any]


def write_datasets(settings: Analysis, shards: list[Shard], folder: Path, target: Path) -> None:
    """Write ``ggH.root``, ``VBF.root``, ``Zjet.root``, ``dijet.root``, ``data.root``, and at last ``sample.json``.

    Args:
        settings: of the sample.
        shards: all of them are there.
        folder: where they lie.
        target: the folder to write into.
    """
    target.mkdir(parents=True, exist_ok=True)
    start = (3000 + settings.seed) * 10_000_000
    simulated = _datasets(shards, folder, data=False)
    for name, each in simulated.items():
        rows = len(each.expected)
        each.columns["event_number"] = np.arange(start, start + rows, dtype=np.int64)
        start += rows
        runs = {key: np.array([each.notes[key]]) for key in ("sum_gen_weight", "n_generated")}
        _write(target / f"{name}.root", each.columns, runs)
    data, drawn = _pseudo_data(settings, _datasets(shards, folder, data=True))
    data["event_number"] = np.arange(start, start + len(data["event_number"]), dtype=np.int64)
    _write(target / DATA, data, {})
    notes = metadata(settings, {name: each.notes for name, each in simulated.items()})
    text = json.dumps(notes | {"data": drawn}, indent=1, sort_keys=True)
    write_bytes(target / NOTES, text.encode())


def identified(pt: Floats, is_tau: NDArray[Any]) -> dict[str, NDArray[np.generic]]:
    """Weights of the identification of both candidates ``[E]``, with those for its uncertainties.

    Args:
        pt: ``[E, 2]``, GeV.
        is_tau: ``[E, 2]``.

    Returns:
        ``id_weight``, and factors on it for one standard deviation: ``id_up`` and ``id_down`` where taus are identified more or
        less often, ``fake_up`` and ``fake_down`` where mistakes depend otherwise on pt.

    >>> found = identified(np.array([[60.0, 60.0], [120.0, 60.0]]), np.array([[1, 1], [0, 0]]))
    >>> [f"{weight:.2g}" for weight in found["id_weight"]]
    ['0.56', '5e-05']
    """
    true = is_tau > 0
    mistaken = MISTAKEN * (pt / 60.0) ** SLOPE
    slope = np.where(true, 1.0, (pt / 60.0) ** SLOPE_ERROR).prod(axis=1)
    found = {"id_weight": np.where(true, EFFICIENCY, mistaken).prod(axis=1)}
    found |= {"fake_up": slope, "fake_down": 1.0 / slope}
    for name, error in (("id_up", EFFICIENCY_ERROR), ("id_down", -EFFICIENCY_ERROR)):
        found[name] = np.where(true, 1.0 + error, 1.0).prod(axis=1)
    return {name: values.astype(np.float32) for name, values in found.items()}


def multiplicity(expected: Floats, draw: np.random.Generator) -> NDArray[np.int64]:
    """How often each event of a pool is in the pseudo-data, ``[E]``; its mean is ``expected``.

    Where no event is expected more than once, the number of all is that of a Poisson process, as long as the size of the pool
    is one.

    >>> multiplicity(np.array([2.0, 0.0]), np.random.default_rng(1)).tolist()
    [2, 0]
    """
    whole = np.floor(expected)
    return (whole + (draw.random(len(expected)) < expected - whole)).astype(np.int64)


def energy_scaled(columns: Mapping[str, NDArray[Any]], scale: float) -> Columns:
    """Candidates that are taus with another energy scale: momenta, masses, calorimeter images, and the missing momentum.

    Args:
        columns: of a data set.
        scale: 1 changes nothing.
    """
    factor = np.where(columns["jet_is_tau"] > 0, scale, 1.0)
    more = (factor - 1.0) * columns["jet_pt"]
    image = np.array(columns["jet_image"], np.float32)
    image[:, :, 1:] *= factor[:, :, None, None, None]
    changed = {
        "jet_pt": columns["jet_pt"] * factor,
        "jet_mass": columns["jet_mass"] * factor,
        "jet_image": image,
        "met_x": columns["met_x"] - (more * np.cos(columns["jet_phi"])).sum(axis=1),
        "met_y": columns["met_y"] - (more * np.sin(columns["jet_phi"])).sum(axis=1),
    }
    return {name: values.astype(np.float32) for name, values in changed.items()}


def _datasets(shards: list[Shard], folder: Path, *, data: bool) -> dict[str, Dataset]:
    ours = [shard for shard in shards if shard.data == data]
    return {
        name: _dataset(name, [read_shard(folder / s.name) for s in ours if s.process == name])
        for name in dict.fromkeys(shard.process for shard in ours)
    }


def _dataset(name: str, parts: list[Columns]) -> Dataset:
    columns, notes = process_columns(name, parts)
    # The study says what is signal, and makes the mass by a formula, so that it follows an energy scale.
    columns = {key: values for key, values in columns.items() if key not in LEFT_OUT}
    columns |= identified(columns["jet_pt"].astype(np.float64), columns["jet_is_tau"])
    weight = columns["gen_weight"].astype(np.float64) * columns["id_weight"].astype(np.float64)
    columns["weight"] = weight.astype(np.float32)
    expected = weight * (1000.0 * notes["cross_section_pb"] / notes["sum_gen_weight"])
    if name == "dijet":
        expected = weight * (FAKES / weight.sum())
    notes |= {"rows": len(expected), "expected_per_fb": float(expected.sum())}
    return Dataset(columns=columns, expected=expected, notes=notes)


def _pseudo_data(settings: Analysis, pool: Mapping[str, Dataset]) -> tuple[Columns, dict[str, Any]]:
    draw = np.random.default_rng(derive_seed(settings.seed, "pseudo-data"))
    parts, notes = [], {}
    for name, each in pool.items():
        expected = each.expected * settings.luminosity
        rows = np.repeat(np.arange(len(expected)), multiplicity(expected, draw))
        columns = {key: values[rows] for key, values in each.columns.items()}
        columns |= energy_scaled(columns, settings.tau_energy_scale)
        parts.append({key: v for key, v in columns.items() if key not in TRUTH and "tau_" not in key})
        notes[name] = {
            "expected": float(expected.sum()),
            "drawn": len(rows),
            "largest_weight": float(expected.max()),
        }
    columns = joined({str(number): part for number, part in enumerate(parts)})
    order = draw.permutation(len(columns["jet_pt"]))
    columns = {key: values[order] for key, values in columns.items()}
    columns["event_number"] = np.zeros(len(order), np.int64)
    return columns, notes


def _write(path: Path, columns: Columns, runs: Mapping[str, NDArray[np.generic]]) -> None:
    import uproot

    branches = {name: _branch(values) for name, values in columns.items()}
    kinds = {name: (values.dtype, values.shape[1:]) for name, values in branches.items()}
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    with uproot.recreate(part, compression=uproot.ZLIB(4)) as file:
        tree = file.mktree(TREE, {name: np.dtype((kind, shape)) for name, (kind, shape) in kinds.items()})
        for start in range(0, len(branches["event_number"]), CHUNK):
            tree.extend({name: values[start : start + CHUNK] for name, values in branches.items()})
        if runs:
            file.mktree(RUNS, {name: values.dtype for name, values in runs.items()})
            file[RUNS].extend(dict(runs))
    part.replace(path)


def _branch(values: NDArray[Any]) -> NDArray[Any]:
    """As ROOT has it: no half precision, and a number in place of NaN."""
    if not np.issubdtype(values.dtype, np.floating):
        return values
    return np.nan_to_num(values.astype(np.float32), nan=NONE)
