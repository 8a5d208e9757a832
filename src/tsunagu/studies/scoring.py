"""The scores that a trained chain gives to nominal and varied events, each by a chain that has not seen it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tsunagu.analysis.counts import Array
from tsunagu.analysis.significance import signal_probability
from tsunagu.data import Change, ShiftedSource, Source, Table, scaled_by
from tsunagu.data.processes import SCALE
from tsunagu.errors import DataError, Mistake, ResumeError, SpecError
from tsunagu.spec import (
    Data,
    LabelledProcess,
    OtherFiles,
    OtherWeights,
    Scale,
    Shifted,
    SomeSystematic,
    Study,
    sample_processes,
)
from tsunagu.studies.chosen import ChosenTrial
from tsunagu.studies.opening import open_study_table
from tsunagu.tasks import Graph
from tsunagu.train import predict
from tsunagu.trials import load_graph

__all__ = [
    "Part",
    "Trained",
    "Variation",
    "check_against_stored",
    "columns_for",
    "load_trained",
    "part_of",
    "places",
    "variations_of",
]

CLOSE = 1e-4
"""How far a score may be from the stored one: rounding of another batch or machine."""


@final
@dataclass(frozen=True, kw_only=True)
class Trained:
    """A trained chain.

    Args:
        trial: it comes from.
        graph: its networks.
    """

    trial: ChosenTrial
    graph: Graph


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """Some events with what a measurement needs of them.

    Args:
        score: ``[E]`` probability of the signal class.
        weight: ``[E]`` physics weight.
        process: ``[E]``, the place of the process in the analysis; -1 for none.
        rows: ``[E]`` of the table.
    """

    score: Array
    weight: Array
    process: NDArray[np.int64]
    rows: Tensor


@final
@dataclass(frozen=True, kw_only=True)
class Variation:
    """How the events of one direction of a systematic uncertainty are had.

    Args:
        open: opens them; None for the nominal ones.
        weight: the column of their weight, in place of the physics weight.
        factor: whether it multiplies that one.
    """

    open: Callable[[], Table] | None = None
    weight: str | None = None
    factor: bool = False


def load_trained(trials: Sequence[ChosenTrial]) -> list[Trained]:
    """The networks of trials.

    Raises:
        ResumeError: a file is missing or damaged.
    """
    return [Trained(trial=trial, graph=load_graph(trial.folder)) for trial in trials]


def columns_for(study: Study) -> list[str]:
    """The columns that a measurement reads beside those of the training."""
    analysis = study.analysis
    assert analysis is not None
    names = [process.column for process in sample_processes(study).values()] + analysis.variables
    for each in study.systematics.values():
        if isinstance(each, OtherWeights):
            names += [name for name in (each.up, each.down) if name]
            names += [SCALE] if not each.factor and _is_scaled(study.data) else []
    return list(dict.fromkeys(names))


def _is_scaled(data: Data) -> bool:
    return any(process.is_scaled for process in data.simulated.values())


def part_of(
    trained: Trained, table: Table, kind: str, study: Study, variation: Variation | None = None
) -> Part:
    """The events of one part of a table, scored.

    Args:
        trained: the chain.
        table: nominal or varied; folds follow the event number, so an event that a variation moves stays in its fold.
        kind: ``train``, ``validation`` or ``test``.
        study: names score and processes in its analysis.
        variation: says which weight counts.

    Raises:
        DataError: a score that is not finite.
    """
    analysis = study.analysis
    assert analysis is not None
    rows: Tensor = table.split(trained.trial.study.data.folds).parts()[kind]
    predicted = predict(trained.graph, table, rows)[analysis.score].numpy()
    score = signal_probability(predicted, analysis.signal_class)
    if bad := int((~np.isfinite(score)).sum()):
        msg = f"{', '.join(table.files)}: the score of {bad} of {len(score)} {kind} events is not finite"
        raise DataError(msg)
    return Part(
        score=score,
        weight=_weight(table, rows, variation),
        process=places(table, sample_processes(study), rows),
        rows=rows,
    )


def check_against_stored(trained: Trained, table: Table, part: Part, score: str) -> None:
    """See that the test events are those that the trial was judged on, with the same scores.

    Raises:
        DataError: they are not.
    """
    path = trained.trial.folder / "predictions.npz"
    try:
        with np.load(path, allow_pickle=False) as arrays:
            numbers, stored = arrays["test_event_number"], arrays[f"test_{score}"]
    except (OSError, ValueError, KeyError) as error:
        msg = f"{path}: cannot be read ({error}); remove the trial's folder and run the study again"
        raise ResumeError(msg) from error
    if not np.array_equal(numbers, table.event_number[part.rows].numpy()):
        msg = f"{', '.join(table.files)}: not the events that {path} was made of; give the files of the training, or run again"
        raise DataError(msg)
    analysis = trained.trial.study.analysis
    assert analysis is not None
    far = np.abs(signal_probability(stored, analysis.signal_class) - part.score).max()
    if far > CLOSE:
        msg = f"{', '.join(table.files)}: scores differ from {path} by up to {far:.2g}; run the study again"
        raise DataError(msg)


def variations_of(study: Study, base: Path, name: str) -> dict[str, Variation]:
    """The directions of a systematic uncertainty that change events; those of yields alone have none.

    Args:
        study: declares it.
        base: the folder of the study file.
        name: of the uncertainty.

    Raises:
        SpecError: a function that cannot be imported.
    """
    each = study.systematics[name]
    if isinstance(each, OtherWeights):
        columns = {"up": each.up, "down": each.down}
        return {
            end: Variation(weight=column, factor=each.factor) for end, column in columns.items() if column
        }
    if isinstance(each, OtherFiles):
        files = {"up": each.up, "down": each.down}
        read = _own_columns(study)
        return {
            end: Variation(
                open=partial(open_study_table, study, base, more=read, data=_with_files(study.data, names))
            )
            for end, names in files.items()
            if names
        }
    return {end: _changed(study, base, change) for end, change in _changes(each, name).items()}


def _with_files(data: Data, files: str | list[str] | Mapping[str, str | list[str]]) -> Data:
    """The data section with other files, whose sums of generated weights are their own."""
    if not isinstance(files, Mapping):
        return data.model_copy(update={"files": files})
    others = {
        name: process.model_copy(update={"files": files.get(name, process.files)})
        for name, process in data.processes.items()
    }
    return data.model_copy(update={"processes": others})


def _own_columns(study: Study) -> list[str]:
    """Without the weights of other systematic uncertainties, which other files need not have."""
    return columns_for(study.model_copy(update={"systematics": {}}))


def _changed(study: Study, base: Path, made: tuple[Change, list[str], list[str]]) -> Variation:
    change, columns, reads = made

    def shifted(source: Source) -> Source:
        return ShiftedSource(source, change, columns, reads)

    return Variation(open=partial(open_study_table, study, base, more=_own_columns(study), change=shifted))


def _changes(each: SomeSystematic, name: str) -> dict[str, tuple[Change, list[str], list[str]]]:
    if not isinstance(each, Scale | Shifted):
        return {}
    columns = [each.columns] if isinstance(each.columns, str) else each.columns
    sizes = {"up": each.up, "down": each.down}
    told = {end: size for end, size in sizes.items() if size is not None}
    if isinstance(each, Scale):
        return {end: (scaled_by(columns, size), columns, []) for end, size in told.items()}
    function = _imported(each.function, name)
    return {end: (partial(_called, function, size), columns, each.reads) for end, size in told.items()}


def _called(function: Callable[..., Any], size: float, given: Mapping[str, Array]) -> Mapping[str, Array]:
    found: Mapping[str, Array] = function(given, size)
    return found


def _imported(place: str, name: str) -> Callable[..., Any]:
    module, _, function = place.partition(":")
    try:
        found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError) as error:
        path = ("systematics", name, "function")
        raise SpecError([Mistake(path, f"'{place}' cannot be imported: {error}")]) from error
    return found


def _weight(table: Table, rows: Tensor, variation: Variation | None) -> Array:
    weight = table.weight[rows].numpy()
    if variation is None or variation.weight is None:
        return weight
    other = table.columns[variation.weight][rows].numpy().astype(np.float64).reshape(len(rows))
    if variation.factor:
        return weight * other
    return other * table.columns[SCALE][rows].numpy() if SCALE in table.columns else other


def places(table: Table, processes: Mapping[str, LabelledProcess], rows: Tensor) -> NDArray[np.int64]:
    """The place of the process of each of some events ``[N]``; -1 for none."""
    found = torch.full((len(rows),), -1, dtype=torch.int64)
    for place, process in enumerate(processes.values()):
        values = table.columns[process.column][rows].reshape(len(rows), -1)[:, 0]
        found[values == process.value] = place
    return found.numpy()
