"""Units of columns, and which numbers are angles: a mean of angles is taken on the circle."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tsunagu.data import Source
from tsunagu.data.treating import fitting
from tsunagu.spec.quantities import UNITS

__all__ = ["angles", "mean_of", "units"]

OURS = {
    "GeV": ("eV", "keV", "MeV", "GeV", "TeV"),
    "rad": ("rad", "mrad", "deg"),
    "mm": ("um", "mm", "cm", "m"),
}
assert {unit for units in OURS.values() for unit in units} == UNITS.keys()
_PHI = re.compile(r"(^|.*[^a-z])d?phi(_?\d+)?", re.IGNORECASE)


def units(source: Source, names: Sequence[str], declared: Mapping[str, str]) -> list[str]:
    """The units in which models read columns; empty where nothing tells them.

    Args:
        source: a Parquet file may tell them in the metadata of its fields.
        names: of the columns.
        declared: the units in the files, as in ``data.units``; they are converted.

    >>> from tsunagu.data import ArraySource
    >>> units(ArraySource({}), ["jet_pt", "jet_phi", "jet_eta"], {"*_pt": "MeV", "*_phi": "deg"})
    ['GeV', 'rad', '']
    """
    converted = {name: _ours(unit) for name, unit in fitting(declared, names).items()}
    return [converted.get(name) or note for name, note in zip(names, _noted(source, names), strict=True)]


def angles(names: Sequence[str], own: Sequence[str]) -> list[int]:
    """Which of the columns that are stacked on a last axis are angles: by their unit, or as a phi by name.

    >>> angles(["tau_pt", "tau_eta", "tau_phi"], ["GeV", "", ""]), angles(["theta"], ["rad"]), angles(["graphic"], [""])
    ([2], [0], [])
    """
    return [
        place
        for place, (name, unit) in enumerate(zip(names, own, strict=True))
        if unit == "rad" or (not unit and _PHI.fullmatch(name))
    ]


def mean_of(values: NDArray[Any], places: Sequence[int]) -> NDArray[np.float32]:
    """The mean of ``[M, E, ...]`` over the M models; of angles, at these places of the last axis, that of directions.

    Args:
        values: of the models.
        places: of angles in radians; of one number for each event, ``[0]``.

    >>> apart = np.array([[[1.0, 3.1]], [[3.0, -3.1]]])
    >>> mean_of(apart, [1]).round(2)
    array([[2.  , 3.14]], dtype=float32)
    """
    mean = values.mean(axis=0, dtype=np.float64)
    if places:
        sine, cosine = (part(values.astype(np.float64)).mean(axis=0) for part in (np.sin, np.cos))
        where = ... if values.ndim == 2 else (..., list(places))
        mean[where] = np.arctan2(sine, cosine)[where]
    single: NDArray[np.float32] = mean.astype(np.float32)
    return single


def _ours(unit: str) -> str:
    return next(own for own, others in OURS.items() if unit in others)


def _noted(source: Source, names: Sequence[str]) -> list[str]:
    if source.path is None or source.path.suffix not in (".parquet", ".pq"):
        return [""] * len(names)
    try:
        schema = pq.read_schema(source.path)
    except (OSError, pa.ArrowException):
        return [""] * len(names)
    notes = [schema.field(name).metadata or {} if name in schema.names else {} for name in names]
    return [note.get(b"unit", b"").decode(errors="replace") for note in notes]
