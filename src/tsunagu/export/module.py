"""A trained chain as one plain module: columns in by position, the outputs of all tasks out."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, final

import torch
from torch import Tensor, nn

from tsunagu.errors import TsunaguError
from tsunagu.losses import ClassLoss, find_loss
from tsunagu.spec import Pipeline
from tsunagu.tasks import CONDITION, Graph

__all__ = ["Deployed", "final_outputs", "kinds", "outputs_of"]

PROBABILITY, PLAIN = "logit", "plain"


@final
class Deployed(nn.Module):
    """A chain in evaluation mode, with its columns by position: what is exported.

    A condition that is still open is one input more, under its own name, in the numbers that a user knows it by: ``[E]``
    float64, for a simplex ``[E, W]``. What a network sees of it is computed inside.

    Args:
        graph: the trained models; a copy is kept.

    Attributes:
        inputs: names of the columns ``[E, ...]`` and of the conditions, in the order of the arguments.
        outputs: names of the predictions ``[E, ...]``, in the order of the tasks.

    >>> from tsunagu.spec import LossTerm, Task, node
    >>> from tsunagu.tasks import build_graph
    >>> task = Task(inputs=["x"], output="y", model=node("Linear", 2, 1), loss=LossTerm(key="mse", target="t"))
    >>> module = Deployed(build_graph(Pipeline(tasks={"fit": task}, metric="mse(y, t)"), seed=1))
    >>> module.inputs, module.outputs, module(torch.zeros(5, 2))[0].shape
    (('x',), ('y',), torch.Size([5, 1]))
    """

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self.chain = copy.deepcopy(graph).cpu().eval()
        self.conditions = tuple(declared.name for declared in graph.conditions.each)
        self.inputs = (*graph.columns(), *self.conditions)
        self.outputs = tuple(graph.outputs.values())

    def forward(self, *columns: Tensor) -> tuple[Tensor, ...]:
        batch = dict(zip(self.inputs, columns, strict=True))
        if self.conditions:
            values = [batch.pop(name) for name in self.conditions]
            wide = torch.cat([v.unsqueeze(1) if v.ndim == 1 else v for v in values], dim=1)
            seen = self.chain.conditions.normalise(wide)
            batch[CONDITION] = seen.to(next(self.chain.parameters()).dtype)
        made = self.chain(batch)
        return tuple(made[name] for name in self.outputs)

    def outputs_for(self, columns: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The outputs by name, of columns by name.

        Raises:
            TsunaguError: a model draws random numbers, so that nothing could be compared with it.
        """
        given = [columns[name] for name in self.inputs]
        with torch.no_grad():
            first, again = self(*given), self(*given)
        for name, one, other in zip(self.outputs, first, again, strict=True):
            if not torch.equal(one, other) and not torch.isnan(one).any():
                msg = f"{name}: its model draws random numbers in evaluation, as a control does; it cannot be exported"
                raise TsunaguError(msg)
        return dict(zip(self.outputs, first, strict=True))


def kinds(pipeline: Pipeline) -> dict[str, str]:
    """For each output whether it is a ``logit`` (of a loss of classes), or ``plain``.

    >>> from tsunagu.spec import LossTerm, Task, node
    >>> task = Task(inputs=["x"], output="y", model=node("ReLU"), loss=LossTerm(key="binary", target="t"))
    >>> kinds(Pipeline(tasks={"fit": task}, metric="auc(y, t)"))
    {'y': 'logit'}
    """
    return {
        task.output: PROBABILITY
        if any(issubclass(find_loss(t.key), ClassLoss) for t in task.losses)
        else PLAIN
        for task in pipeline.tasks.values()
    }


def final_outputs(pipeline: Pipeline) -> list[str]:
    """The outputs that no other task reads: the scores."""
    read = {
        name
        for task in pipeline.tasks.values()
        for name in (task.inputs.values() if isinstance(task.inputs, Mapping) else task.inputs)
    }
    return [task.output for task in pipeline.tasks.values() if task.output not in read]


def outputs_of(pipeline: Pipeline, shapes: Mapping[str, Sequence[int]]) -> list[dict[str, Any]]:
    """What each output is, for a manifest.

    Args:
        pipeline: without choices.
        shapes: for each output that of one event.
    """
    found, last = kinds(pipeline), final_outputs(pipeline)
    return [
        {
            "name": task.output,
            "task": name,
            "shape": list(shapes[task.output]),
            "kind": found[task.output],
            "losses": [[term.key, term.target] for term in task.losses],
            "final": task.output in last,
        }
        for name, task in pipeline.tasks.items()
    ]
