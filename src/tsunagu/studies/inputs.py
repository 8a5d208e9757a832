"""What a measurement shows of the inputs: their distributions, and how much each task needs them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tsunagu.analysis.counts import Array
from tsunagu.analysis.importance import Importance, permutation_importance
from tsunagu.analysis.significance import signal_probability
from tsunagu.data import Table
from tsunagu.metrics import auc
from tsunagu.spec import Study, sample_processes
from tsunagu.studies.scoring import Part, Trained, places

__all__ = ["input_importance", "input_variables", "single_numbers", "variable_columns"]

MOST_EVENTS, MOST_NUMBERS = 5000, 8
"""Events that are shuffled, and numbers of one column that are drawn."""


def input_importance(trained: Trained, table: Table, part: Part, study: Study) -> list[Importance]:
    """Permutation importance on test events of a process, by the area under the ROC curve.

    Args:
        trained: the chain.
        table: of all events.
        part: its test events.
        study: names score and signals.
    """
    analysis = study.analysis
    assert analysis is not None
    known = np.flatnonzero(part.process >= 0)[:MOST_EVENTS]
    signals = np.array([process.signal for process in sample_processes(study).values()])
    label, weight = signals[part.process[known]], part.weight[known]
    columns = table.take(trained.graph.columns(), part.rows[torch.from_numpy(known)])

    def judge(outputs: Mapping[str, Tensor]) -> float:
        score = signal_probability(outputs[analysis.score].numpy(), analysis.signal_class)
        return auc(score, label, np.abs(weight))

    return permutation_importance(trained.graph, columns, judge, seed=trained.trial.seed)


def input_variables(study: Study, table: Table, factors: Array) -> dict[str, Any]:
    """Single numbers of all events of a process, with what tells signal from background."""
    processes = sample_processes(study)
    place = places(table, processes, torch.arange(len(table)))
    known = place >= 0
    signals = np.array([process.signal for process in processes.values()])
    return {
        "variables": {
            label: values[known]
            for name in variable_columns(study)
            for label, values in single_numbers(name, table.columns[name]).items()
        },
        "variable_signal": signals[place[known]],
        "variable_weight": table.weight.numpy()[known] * factors[place[known]],
    }


def variable_columns(study: Study) -> list[str]:
    """The columns to look at: those that the analysis names, or the inputs of all tasks that are columns."""
    if study.analysis is not None and study.analysis.variables:
        return study.analysis.variables
    outputs = {task.output for task in study.tasks.values()}
    read = [task.inputs for task in study.tasks.values()]
    names = [n for each in read for n in (each.values() if isinstance(each, Mapping) else each)]
    return [name for name in dict.fromkeys(names) if name not in outputs]


def single_numbers(name: str, column: Tensor) -> dict[str, Array]:
    """A column of a few numbers for each event, as one variable ``[E]`` each; an image is none.

    >>> list(single_numbers("pt", torch.zeros(3, 2)))
    ['pt[0]', 'pt[1]']
    """
    flat = column.reshape(len(column), -1).numpy().astype(np.float64)
    if flat.shape[1] > MOST_NUMBERS:
        return {}
    if flat.shape[1] == 1:
        return {name: flat[:, 0]}
    return {f"{name}[{i}]": flat[:, i] for i in range(flat.shape[1])}
