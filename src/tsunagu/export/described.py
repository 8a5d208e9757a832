"""What a manifest says of a model's inputs and outputs, and the events of a file that an export is checked by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tsunagu.errors import DataError
from tsunagu.export.events import Needs, declared_for, made_from, read_events
from tsunagu.export.manifest import Input
from tsunagu.export.module import outputs_of
from tsunagu.export.reading import EventFile
from tsunagu.export.units import angles, units
from tsunagu.spec import Data, Pipeline

__all__ = ["EVENTS", "TRACED", "described_input", "described_outputs", "read_by", "some_events"]

EVENTS = 256
"""Of the batch that an export is checked by."""
TRACED = 16
"""Events of the batch that is traced; another number than any that is compared."""
MOMENTUM = "four_momentum"
"""How the losses of (pt, eta, phi), in this order, begin."""


def some_events(source: EventFile, names: Sequence[str], data: Data) -> dict[str, Tensor]:
    """The first events of a file ``[E, ...]`` by column, as a model reads them.

    Raises:
        DataError: there are too few of them.
    """
    needs = Needs(
        names=names,
        declared=declared_for(read_by(names, data), data.columns),
        missing=data.missing,
        event_number=data.event_number,
        select=data.select,
    )
    parts: list[Mapping[str, Any]] = []
    for events in read_events(source.source, needs, EVENTS, numbered=False):
        parts.append(events.columns)
        if sum(len(part[names[0]]) for part in parts) >= EVENTS:
            break
    found = {name: np.concatenate([part[name] for part in parts])[:EVENTS] for name in names if parts}
    if not found or len(found[names[0]]) <= TRACED:
        msg = f"{source.source.name}: more than {TRACED} events are needed to check an export"
        raise DataError(msg)
    return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in found.items()}


def read_by(names: Sequence[str], data: Data) -> list[str]:
    """All that is read of a file to apply models: beside their inputs the event number and the selection."""
    return [*names, data.event_number, *([] if data.select is None else [data.select])]


def described_outputs(
    pipeline: Pipeline, made: Mapping[str, Tensor], source: EventFile, data: Data
) -> list[dict[str, Any]]:
    """What is said of each output: its shape, its losses, and which of its numbers are angles."""
    found = outputs_of(pipeline, {name: value.shape[1:] for name, value in made.items()})
    for each in found:
        targets = [made_from(target, data.columns) for _, target in each["losses"]]
        wide = each["shape"][-1] if each["shape"] else 1
        fitting = [columns for columns in targets if len(columns) == wide]
        own = {n for columns in fitting for n in angles(columns, units(source.file, columns, data.units))}
        momenta = wide == 3 and any(key.startswith(MOMENTUM) for key, _ in each["losses"])
        each["angles"] = sorted(own | ({2} if momenta else set()))
    return found


def described_input(name: str, column: Tensor, source: EventFile, data: Data) -> Input:
    """What is said of a column ``[E, ...]`` that a model reads."""
    parts = made_from(name, data.columns)
    return Input(
        name=name,
        dtype=str(column.numpy().dtype),
        shape=list(column.shape[1:]),
        columns=parts,
        units=units(source.file, parts, data.units),
    )
