"""The simulation of a study against its data, before and after a reweighting; no training of the study is needed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import final

import torch

from tsunagu.analysis.closure import Closure, closure
from tsunagu.analysis.comparison import Reweighting, reweight
from tsunagu.analysis.sample import Sample
from tsunagu.data import Table
from tsunagu.errors import Mistake, SpecError
from tsunagu.random import derive_seed
from tsunagu.spec import Study, sample_processes
from tsunagu.studies.checks import check_spec
from tsunagu.studies.inputs import single_numbers, variable_columns
from tsunagu.studies.opening import open_observed, open_study_table
from tsunagu.studies.scoring import places

__all__ = ["Comparison", "compare_study"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison:
    """Simulation against data.

    Args:
        name: of the study.
        simulation: its events with expected weights.
        data: the observed events.
        expected: the sum of the weights of all simulated events.
        observed: the number of all observed events.
        reweighting: the factors that make the simulation look like data; yields stay.
        closure: the tests before and after.
        notes: what is not of all events, in sentences.
    """

    name: str
    simulation: Sample
    data: Sample
    expected: float
    observed: int
    reweighting: Reweighting
    closure: Closure
    notes: tuple[str, ...] = ()


def compare_study(
    study: Study,
    base: Path | str = ".",
    *,
    largest: float = 5.0,
    folds: int = 2,
    seed: int = 1,
    most: int = 50_000,
) -> Comparison:
    """Test, variable by variable and with a classifier, whether simulation is like data, and what a reweighting mends.

    Args:
        study: with a process that is ``observed``; the variables of its analysis, or the single numbers among the inputs.
        base: the folder that relative file names start from.
        largest: factor of the reweighting; see :func:`~tsunagu.analysis.reweight`.
        folds: by event number; every event is judged by a classifier that has not seen it.
        seed: of the classifiers and of the events that are drawn.
        most: events of each kind that are drawn where there are more.

    Raises:
        SpecError: no process is observed, or mistakes in the study.
        DataError: files or columns that cannot be read, too few events, no variable.
    """
    base = Path(base)
    if not study.data.observed:
        found = "none of them is data; mark one with `observed: true`"
        raise SpecError([Mistake(("data", "processes"), found)])
    if mistakes := check_spec(study, base):
        raise SpecError(mistakes)
    processes = sample_processes(study)
    named = variable_columns(study)
    more = [*named, *(process.column for process in processes.values())]
    table = open_study_table(study, base, more=more)
    named = [name for name in named if single_numbers(name, table.columns[name])]
    if not named:
        found = "there is no single number among the inputs; name columns to compare"
        raise SpecError([Mistake(("analysis", "variables"), found)])
    seen = open_observed(study, base, named)
    rows, weight = torch.arange(len(table)), table.weight
    if processes:
        place = torch.from_numpy(places(table, processes, rows))
        scales = torch.tensor([process.scale for process in processes.values()], dtype=torch.float64)
        rows = rows[place >= 0]
        weight = weight[rows] * scales[place[rows]]
    drawn = [
        _drawn(count, most, derive_seed(seed, kind))
        for count, kind in ((len(rows), "simulation"), (len(seen), "data"))
    ]
    simulation = _sample(table, named, rows[drawn[0]], weight[drawn[0]])
    data = _sample(seen, named, drawn[1], seen.weight[drawn[1]])
    found_factors = reweight(simulation, data, folds=folds, seed=seed, largest=largest)
    counts = (("simulated", len(rows)), ("observed", len(seen)))
    return Comparison(
        name=study.name or "simulation and data",
        simulation=simulation,
        data=data,
        expected=float(weight.sum()),
        observed=len(seen),
        reweighting=found_factors,
        closure=closure(simulation, data, found_factors, folds=folds + 1, seed=seed),
        notes=tuple(
            f"{most:,} of {count:,} {kind} events were drawn for it" for kind, count in counts if count > most
        ),
    )


def _drawn(count: int, most: int, seed: int) -> torch.Tensor:
    """Rows, drawn at random where there are too many: the files of a table are one after the other."""
    if count <= most:
        return torch.arange(count)
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed))[:most].sort().values


def _sample(table: Table, names: list[str], rows: torch.Tensor, weight: torch.Tensor) -> Sample:
    return Sample(
        variables={
            label: values
            for name in names
            for label, values in single_numbers(name, table.columns[name][rows]).items()
        },
        weight=weight.numpy(),
        event_number=table.event_number[rows].numpy(),
    )
