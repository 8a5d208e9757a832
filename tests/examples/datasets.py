"""The folder of an analysis without Pythia: events that come with the package, made harder, as if they had been simulated."""

from __future__ import annotations

import io

import numpy as np
import pyarrow.parquet as pq

from tsunagu.files import write_bytes
from tsunagu.samples import Analysis, ready_sample
from tsunagu.samples.candidates import core_share
from tsunagu.samples.datasets import write_datasets
from tsunagu.samples.shards import plan_shards

NAMES = {"ggH": 1, "VBF": 2, "Zjet": 3, "dijet": 4}
GENERATED = {"ggH": 12, "VBF": 12, "Zjet": 130, "dijet": 1}
"""Events that were generated for each that is selected."""
HARDER = 2.6


def make_folder(folder, events=640):
    """Write the ROOT files and the pseudo-data; shards are filled with events in the order in which they come."""
    settings = Analysis(events=events, luminosity=0.6, seed=5)
    columns = {name: _columns(name) for name in NAMES}
    taken = dict.fromkeys(NAMES, 0)
    shards = plan_shards(settings)
    for shard in shards:
        rows = (taken[shard.process] + np.arange(shard.rows)) % len(columns[shard.process]["jet_pt"])
        taken[shard.process] += shard.rows
        content = io.BytesIO()
        generated = GENERATED[shard.process] * shard.rows
        np.savez(
            content,
            **{k: v[rows] for k, v in columns[shard.process].items()},
            n_generated=generated,
            sum_gen_weight=1.0 * generated,
        )
        write_bytes(folder / "shards" / shard.name, content.getvalue())
    write_datasets(settings, shards, folder / "shards", folder / "events")
    return folder / "events"


def _columns(process):
    read = _ready("taujet" if process == "dijet" else "htautau")
    rows = np.flatnonzero(read["sample_id"] == NAMES[process])
    if process == "dijet":
        rows = rows[: len(rows) // 2 * 2].reshape(-1, 2)
        found = {k: v[rows] if k.startswith(("jet_", "tau_")) else v[rows[:, 0]] for k, v in read.items()}
        found["jet_phi"][:, 1] = np.pi - np.abs(found["jet_phi"][:, 0])
    else:
        found = {k: v[rows] for k, v in read.items()}
    kept = ("jet_ntrk", "jet_is_tau", "tau_charge", "tau_prong", "tau_n_pi0")
    found |= {k: found[k].astype(np.int8) for k in kept}
    harder = {
        k: v * HARDER for k, v in found.items() if k.endswith(("pt", "mass", "image")) or k.startswith("met")
    }
    found |= harder | {"jet_core": core_share(found["jet_image"]).astype(np.float32)}
    return {
        k: v
        for k, v in found.items()
        if k not in ("event_number", "label", "sample_id", "weight", "train_weight")
    }


def _ready(name):
    table = pq.read_table(ready_sample(name))
    shapes = {"jet_image": (3, 16, 16) if name == "taujet" else (2, 3, 16, 16)}
    return {
        column: np.stack(values).reshape(-1, *shapes.get(column, values[0].shape))
        if (values := table[column].to_numpy()).dtype == object
        else values
        for column in table.column_names
    }
