"""The graph of tasks as one module: columns in, the outputs of every task out, under their names."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import final

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from tsunagu.errors import Mistake, SpecError
from tsunagu.layers import Conditioned, film_sites
from tsunagu.random import derive_seed
from tsunagu.spec import Pipeline, Task, order
from tsunagu.tasks.build import build
from tsunagu.tasks.conditions import CONDITION, Conditions, conditions_of

__all__ = [
    "Graph",
    "Wiring",
    "build_graph",
    "call",
    "condition_weights",
    "no_place",
    "unfit_weights",
    "wire",
]

Wiring = tuple[tuple[str, ...], tuple[tuple[str, str], ...]]
"""The columns that a model takes by position, and those it takes by keyword as pairs (argument, column)."""


NONE = Conditions(())


@final
class Graph(nn.Module):
    """Tasks in the order in which their outputs are needed.

    Args:
        models: one module for each task.
        wiring: for each task the names it reads, positionally and by keyword; see :func:`wire`.
        outputs: the name under which each task's prediction joins the batch.
        conditions: what the batch must hold beside columns, see :data:`~tsunagu.tasks.conditions.CONDITION`.
    """

    def __init__(
        self,
        models: Mapping[str, nn.Module],
        wiring: Mapping[str, Wiring],
        outputs: Mapping[str, str],
        conditions: Conditions = NONE,
    ) -> None:
        super().__init__()
        self.models = nn.ModuleDict(dict(models))
        self.wiring = dict(wiring)
        self.outputs = dict(outputs)
        self.conditions = conditions
        # ModuleDict look-ups cost more than the small models themselves would forgive.
        self._steps = {
            name: (self.models[name], *self.wiring[name], self.outputs[name]) for name in self.wiring
        }

    def forward(
        self,
        batch: Mapping[str, Tensor],
        tasks: Sequence[str] | None = None,
        substitutes: Mapping[str, str] | None = None,
    ) -> dict[str, Tensor]:
        """Run tasks on a batch.

        Args:
            batch: columns ``[E, ...]`` by name.
            tasks: which tasks, in order; all by default.
            substitutes: columns to read in place of upstream outputs (the pretraining of one task).

        Returns:
            The predictions ``[E, ...]`` by output name.
        """
        known = dict(batch)
        # One that no model reads, such as a tag beside a candidate without tags, need not be in the batch.
        known |= {out: batch[column] for out, column in (substitutes or {}).items() if column in batch}
        predictions: dict[str, Tensor] = {}
        for name in self._steps if tasks is None else tasks:
            model, positional, keywords, output = self._steps[name]
            known[output] = predictions[output] = call(model, positional, keywords, known)
        return predictions

    def columns(
        self, tasks: Sequence[str] | None = None, substitutes: Mapping[str, str] | None = None
    ) -> list[str]:
        """The table's columns that a forward pass of these tasks reads."""
        replaced = dict(substitutes or {})
        needed: dict[str, None] = {}
        made: set[str] = set()
        for name in self._steps if tasks is None else tasks:
            _, positional, keywords, output = self._steps[name]
            for column in (*positional, *(column for _, column in keywords)):
                if column not in made:
                    needed[replaced.get(column, column)] = None
            made.add(output)
        return [name for name in needed if name != CONDITION or not self.conditions]

    def at(self, values: Tensor) -> Graph:
        """A copy at one value ``[L]`` of the conditions, which it takes no more."""
        condition = self.conditions.normalise(values.unsqueeze(0))[0]
        models: dict[str, nn.Module] = {
            name: model.at(condition) if isinstance(model, Conditioned) else copy.deepcopy(model)
            for name, model in self.models.items()
        }
        wiring = {
            name: (
                positional,
                tuple(pair for pair in keywords if pair[0] != CONDITION or name not in self.conditioned),
            )
            for name, (positional, keywords) in self.wiring.items()
        }
        return Graph(models, wiring, self.outputs).train(self.training)

    @property
    def conditioned(self) -> list[str]:
        """The tasks whose models take the condition."""
        return [name for name, model in self.models.items() if isinstance(model, Conditioned)]


def call(
    model: nn.Module,
    positional: Sequence[str],
    keywords: Sequence[tuple[str, str]],
    known: Mapping[str, Tensor],
) -> Tensor:
    """A model on columns ``[E, ...]`` by name, as its wiring says; see :func:`wire`."""
    inputs = [known[column] for column in positional]
    made: Tensor = model(*inputs, **{argument: known[column] for argument, column in keywords})
    return made


def build_graph(pipeline: Pipeline, *, seed: int) -> Graph:
    """Build the models of a pipeline without choices and wire them by name.

    Raises:
        SpecError: a model that cannot be built or trained, or a ``forward`` that does not fit the task's inputs.

    >>> import torch
    >>> from tsunagu.spec import LossTerm, Pipeline, Task, node
    >>> task = Task(inputs=["x"], output="y", model=node("Linear", 2, 1), loss=LossTerm(key="mse", target="t"))
    >>> graph = build_graph(Pipeline(tasks={"fit": task}, metric="mse(y, t)"), seed=1)
    >>> {name: tuple(value.shape) for name, value in graph({"x": torch.zeros(5, 2)}).items()}
    {'y': (5, 1)}
    """
    names, conditions = order(pipeline), conditions_of(pipeline)
    models = {
        n: build(pipeline.tasks[n].model, seed=seed, path=("tasks", n, "model"), film=bool(conditions))
        for n in names
    }
    if mistakes := [m for name, model in models.items() for m in unfit_weights(model, name)]:
        raise SpecError(mistakes)
    wiring = {n: wire(models[n], pipeline.tasks[n], n) for n in names}
    if conditions:
        models, wiring = _conditioned(models, wiring, conditions, seed)
    return Graph(models, wiring, {n: pipeline.tasks[n].output for n in names}, conditions)


def _conditioned(
    models: Mapping[str, nn.Module], wiring: Mapping[str, Wiring], conditions: Conditions, seed: int
) -> tuple[dict[str, nn.Module], dict[str, Wiring]]:
    """The models with sites take the condition as one input more."""
    made, wired = dict(models), dict(wiring)
    for name, model in models.items():
        if film_sites(model):
            with condition_weights(seed, name):
                made[name] = Conditioned(model, len(conditions.labels))
            positional, keywords = wiring[name]
            wired[name] = positional, (*keywords, (CONDITION, CONDITION))
    if made == dict(models):
        raise SpecError([no_place(conditions)])
    return made, wired


@contextmanager
def condition_weights(seed: int, task: str) -> Iterator[None]:
    """While the block runs, first weights are drawn for what a task does with conditions."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(derive_seed(seed, "weights", "tasks", task, CONDITION))
        yield


def no_place(conditions: Conditions, decided: str = "") -> Mistake:
    """What is wrong where no model takes the conditions."""
    found = (
        f"{', '.join(conditions.labels)}: {f'with {decided}, ' if decided else ''}no model has a place where a condition could "
        "enter; take layers that have one (MLP, MLPBlock, ResBlock, ConvResBlock, ...) without film: false, or put "
        "{key: FiLMSite, args: [features]} into a list of layers"
    )
    return Mistake(("tasks",), found)


def wire(model: nn.Module, task: Task, name: str) -> Wiring:
    """How a task's inputs reach ``forward``: by name where it names them, else by position where the number fits.

    Returns:
        The columns to pass by position, and the pairs (argument, column) to pass by keyword.

    Raises:
        SpecError: neither fits; the message lists both sides.
    """
    inputs = (
        dict(task.inputs) if isinstance(task.inputs, Mapping) else {column: column for column in task.inputs}
    )
    parameters = _parameters(model)
    required = [
        p.name for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    named = [p.name for p in parameters if p.name in inputs and p.kind is not p.POSITIONAL_ONLY]
    if any(p.kind is p.VAR_KEYWORD for p in parameters) and isinstance(task.inputs, Mapping):
        named = list(inputs)
    if set(required) <= set(named) and named:
        # A sequence itself knows no names.
        if isinstance(model, nn.Sequential):
            return tuple(inputs[argument] for argument in named), ()
        return (), tuple((argument, inputs[argument]) for argument in named)
    variadic = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    if not isinstance(task.inputs, Mapping) and (variadic or len(required) <= len(inputs) <= len(parameters)):
        return tuple(inputs.values()), ()
    found = f"forward({', '.join(p.name for p in parameters)}) cannot take the inputs {', '.join(inputs)}; name its arguments"
    raise SpecError([Mistake(("tasks", name, "inputs"), found)])


def unfit_weights(model: nn.Module, name: str) -> list[Mistake]:
    """Weights without a shape, or of several dtypes: what keeps the model of a task from being trained."""
    tensors = [*model.named_parameters(), *model.named_buffers()]
    lazy = [path for path, tensor in tensors if is_lazy(tensor)]
    dtypes = {str(p.dtype).removeprefix("torch.") for p in model.parameters() if p.requires_grad}
    problems = []
    if lazy:
        problems.append(f"{', '.join(lazy)}: no shape until the first event comes; give the layer its sizes")
    if len(dtypes) > 1:
        problems.append(f"weights of {' and '.join(sorted(dtypes))} cannot be trained as one; take one dtype")
    return [Mistake(("tasks", name, "model"), problem) for problem in problems]


def _parameters(model: nn.Module) -> list[inspect.Parameter]:
    # A sequence hands its inputs to its first module, so that one's signature counts.
    first = model
    while isinstance(first, nn.Sequential) and len(first):
        first = first[0]
    return list(inspect.signature(first.forward).parameters.values())
