"""The nominal events of a measurement: scored, weighted to what is expected, and binned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
import torch
from numpy.typing import NDArray

from tsunagu.analysis.binning import best_binning
from tsunagu.analysis.counts import Array, bin_numbers
from tsunagu.analysis.fine import Rules
from tsunagu.analysis.systematics import Scored
from tsunagu.data import Table
from tsunagu.errors import DataError
from tsunagu.spec import Study, sample_processes
from tsunagu.studies.opening import open_study_table
from tsunagu.studies.scoring import Part, Trained, check_against_stored, columns_for, part_of, places

__all__ = ["Nominal", "nominal_events", "together"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Nominal:
    """The events as they are.

    Args:
        table: of all of them.
        trained: the chains, one for each fold.
        parts: for each chain its events by kind: train, validation and test.
        factors: ``[P]``, from the physics weight of a test event to the events that it stands for.
        edges: for each chain the edges ``[B + 1]`` of the score, from its validation events.
    """

    table: Table
    trained: Sequence[Trained]
    parts: Sequence[Mapping[str, Part]]
    factors: Array
    edges: Sequence[Array]


def nominal_events(study: Study, base: Path, trained: Sequence[Trained]) -> Nominal:
    """The events of a study as its chains score them.

    Raises:
        DataError: other events than those of the training, a process without a positive yield, no bins within the rules.
    """
    analysis, processes = study.analysis, sample_processes(study)
    assert analysis is not None
    # Chains of other folds have the same events; a method may vary the data otherwise.
    table = open_study_table(trained[0].trial.study, base, more=columns_for(study))
    parts = [
        {kind: part_of(t, table, kind, study) for kind in ("train", "validation", "test")} for t in trained
    ]
    for each, own in zip(trained, parts, strict=True):
        check_against_stored(each, table, own["test"], analysis.score)
    tested = [own["test"] for own in parts]
    place = places(table, processes, torch.arange(len(table)))
    sums = [
        np.bincount(place[place >= 0], table.weight.numpy()[place >= 0], len(processes)),
        _yields(tested, len(processes)),
    ]
    for name, all_events, test in zip(processes, *sums, strict=True):
        if min(all_events, test) <= 0:
            msg = f"{', '.join(table.files)}: process {name}: the weights sum to {all_events:g}, of test events to {test:g}; both must be positive"
            raise DataError(msg)
    scales = np.array([process.scale for process in processes.values()])
    factors = scales * sums[0] / sums[1]
    return Nominal(
        table=table,
        trained=trained,
        parts=parts,
        factors=factors,
        edges=_edges(parts, study, scales * sums[0]),
    )


def _yields(parts: Sequence[Part], processes: int) -> Array:
    sums = [[part.weight[part.process == p].sum() for p in range(processes)] for part in parts]
    return np.asarray(np.sum(sums, axis=0))


def _edges(parts: Sequence[Mapping[str, Part]], study: Study, expected_events: Array) -> list[Array]:
    """The best edges by the validation events of each chain, all with the same number of bins."""
    assert study.analysis is not None
    rules = Rules(**study.analysis.binning.model_dump())
    signals = np.array([process.signal for process in sample_processes(study).values()])
    samples = [_validation(own["validation"], signals, expected_events) for own in parts]
    number = min(best_binning(*sample, rules).bins for sample in samples)
    return [_from_0_to_1(best_binning(*sample, rules, bins=number).edges) for sample in samples]


def _validation(
    part: Part, signals: NDArray[np.bool_], expected_events: Array
) -> tuple[Array, NDArray[np.bool_], Array]:
    known = part.process >= 0
    sums = _yields([part], len(signals))
    place = part.process[known]
    factors = expected_events / np.where(sums > 0, sums, np.inf)
    return part.score[known], signals[place], part.weight[known] * factors[place]


def _from_0_to_1(edges: Array) -> Array:
    return np.concatenate([[0.0], edges[1:-1], [1.0]])


def together(nominal: Nominal, parts: Sequence[Part]) -> Scored:
    """The test events of all chains, with the bins of each chain and the events that they stand for."""
    known = [part.process >= 0 for part in parts]
    process = np.concatenate([part.process[own] for part, own in zip(parts, known, strict=True)])
    weight = np.concatenate([part.weight[own] for part, own in zip(parts, known, strict=True)])
    bins = [
        bin_numbers(part.score[own], edges)
        for part, own, edges in zip(parts, known, nominal.edges, strict=True)
    ]
    return Scored(
        score=np.concatenate([part.score[own] for part, own in zip(parts, known, strict=True)]),
        weight=weight * nominal.factors[process],
        process=process,
        bin=np.concatenate(bins),
    )
