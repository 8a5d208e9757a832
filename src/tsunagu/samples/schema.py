"""The columns of a sample: names, types, units, and how they lie in a Parquet file."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tsunagu.files import write_bytes
from tsunagu.samples.selection import Columns

__all__ = ["UNITS", "write_parquet"]

UNITS = {
    "event_number": "",
    "sample_id": "",
    "label": "",
    "weight": "",
    "train_weight": "",
    "gen_weight": "",
    "n_jet": "",
    "jet_pt": "GeV",
    "jet_eta": "",
    "jet_phi": "rad",
    "jet_mass": "GeV",
    "jet_ntrk": "",
    "jet_is_tau": "",
    "jet_image": "GeV",
    "tau_full_pt": "GeV",
    "tau_full_eta": "",
    "tau_full_phi": "rad",
    "tau_full_mass": "GeV",
    "tau_vis_pt": "GeV",
    "tau_vis_eta": "",
    "tau_vis_phi": "rad",
    "tau_vis_mass": "GeV",
    "tau_charge": "",
    "tau_prong": "",
    "tau_n_pi0": "",
    "met_x": "GeV",
    "met_y": "GeV",
    "sum_et": "GeV",
    "mu_pileup": "",
    "n_pileup": "",
    "vis_mass": "GeV",
}
"""Unit by column, in the order in which they are written; an empty text is a pure number."""

ROW_GROUP = 1000


def write_parquet(path: Path, columns: Columns, metadata: dict[str, Any]) -> None:
    """Write columns ``[E, ...]`` as Parquet: zstd, fixed-size lists with their shape, units in the field's metadata.

    Equal columns and metadata give equal bytes: the time of writing is left out on purpose, since the same seed is to
    give the same file.
    """
    names = [name for name in UNITS if name in columns]
    arrays = [_arrow(columns[name]) for name in names]
    fields = [
        _field(name, array.type, columns[name].shape[1:]) for name, array in zip(names, arrays, strict=True)
    ]
    notes = {"tsunagu": json.dumps(metadata, sort_keys=True)}
    table = pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata=notes))
    content = io.BytesIO()
    pq.write_table(table, content, compression="zstd", compression_level=9, row_group_size=ROW_GROUP)
    write_bytes(path, content.getvalue())


def _arrow(values: NDArray[np.generic]) -> pa.Array:
    if values.ndim == 1:
        return pa.array(values)
    flat = pa.array(np.ascontiguousarray(values).reshape(-1))
    return pa.FixedSizeListArray.from_arrays(flat, int(np.prod(values.shape[1:])))


def _field(name: str, kind: pa.DataType, shape: tuple[int, ...]) -> pa.Field:
    notes = {"unit": UNITS[name]} | ({"shape": json.dumps(list(shape))} if shape else {})
    return pa.field(name, kind, nullable=False, metadata=notes)
