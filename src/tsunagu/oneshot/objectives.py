"""The losses that train a supernet, and those that its searcher is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import final

import torch
from torch import Tensor, nn
from torch.func import functional_call

from tsunagu.data import Table
from tsunagu.oneshot.judging import judging
from tsunagu.search import Objective, WeightGradients, second_order
from tsunagu.spec import Architecture
from tsunagu.tasks import Graph, Stage
from tsunagu.tasks.supernet import mixture, own_outputs, single_path
from tsunagu.train import columns_of

__all__ = ["Objectives"]

Weights = Mapping[str, Tensor]


@final
@dataclass(frozen=True, kw_only=True)
class Objectives:
    """Losses of paths and mixtures of a supergraph in one stage.

    Args:
        graph: the supergraph.
        stage: says which tasks run, and their losses.
        table: the events.
        sparse: whether a mixture runs only the options of a weight that is not 0.
    """

    graph: Graph
    stage: Stage
    table: Table
    sparse: bool = False

    def of_paths(
        self, architectures: Sequence[Architecture], index: Tensor
    ) -> tuple[Tensor, list[nn.Module]]:
        """The mean loss of paths, and the paths.

        Args:
            architectures: at least one.
            index: ``[B]`` rows.
        """
        graphs = [single_path(self.graph, each) for each in architectures]
        losses = [self._loss(graph, index) for graph in graphs]
        return (losses[0] if len(losses) == 1 else torch.stack(losses).mean()), [*graphs]

    def judge(self, architectures: Sequence[Architecture], index: Tensor) -> list[float]:
        """The loss of each path on a batch of validation events ``[B]``, dropout off."""
        with torch.no_grad(), judging(self.graph):
            return [float(self._loss(single_path(self.graph, each), index)) for each in architectures]

    def of_mixture(self, weights: Weights, index: Tensor, *, individual: float = 0.0) -> Tensor:
        """The loss of a mixture and, each with a factor, those of its candidates.

        ``L(mix) + r * sum_m L(candidate m)``, where a candidate's own loss is that of its task on what it makes of the
        mixed inputs; so each keeps a gradient of its own when its weight is near 0 (the loss of multiml).

        Args:
            weights: ``[K]`` by label.
            index: ``[B]`` rows.
            individual: the factor r.
        """
        mixed = mixture(self.graph, weights, sparse=self.sparse, keep=individual > 0.0)
        batch, sizes = self.table.take(columns_of(self.graph, self.stage), index), self.table.weights(index)
        loss = self.stage.loss(mixed(batch, self.stage.tasks, self.stage.substitutes), batch, sizes)
        for task, outputs in own_outputs(mixed).items() if individual > 0.0 else ():
            for output in outputs.values():
                loss = loss + individual * self._own_loss(task, output, batch, sizes)
        return loss

    def gradient(self, weights: Weights, index: Tensor) -> WeightGradients:
        """The gradient of the loss on validation events by mixture weights, the supernet's weights fixed.

        Args:
            weights: ``[K]`` by label.
            index: ``[B]`` rows.
        """
        along = {label: value.float().requires_grad_() for label, value in weights.items()}
        with judging(self.graph):
            loss = self.of_mixture(along, index)
        found = torch.autograd.grad(loss, list(along.values()), materialize_grads=True)
        return {label: slope.double() for label, slope in zip(along, found, strict=True)}

    def gradient_ahead(
        self, weights: Weights, train: Tensor, valid: Tensor, *, rate: float
    ) -> WeightGradients:
        """The same through one step of the supernet's weights on training events (DARTS, second order).

        Args:
            weights: ``[K]`` by label.
            train: ``[B]`` rows.
            valid: ``[B]`` rows.
            rate: the learning rate of that step.
        """
        mixed = _Mixed(self)
        own = {name: p.detach() for name, p in mixed.named_parameters() if p.requires_grad}
        along = {label: value.float() for label, value in weights.items()}
        with judging(self.graph):
            found = second_order(mixed.loss_on(train), mixed.loss_on(valid), own, along, rate=rate)
        return {label: slope.double() for label, slope in found.items()}

    def _own_loss(self, task: str, output: Tensor, batch: Weights, sizes: Tensor) -> Tensor:
        name = self.graph.outputs[task]
        terms = tuple(term for term in self.stage.terms if term.output == name)
        if not terms:
            return output.new_zeros(())
        return replace(self.stage, terms=terms).loss({name: output}, batch, sizes)

    def _loss(self, graph: Graph, index: Tensor) -> Tensor:
        batch = self.table.take(columns_of(graph, self.stage), index)
        made = graph(batch, self.stage.tasks, self.stage.substitutes)
        return self.stage.loss(made, batch, self.table.weights(index))


@final
class _Mixed(nn.Module):
    """The loss of a mixture as a function of the supernet's weights and those of the mixture."""

    def __init__(self, objectives: Objectives) -> None:
        super().__init__()
        self.graph, self._objectives = objectives.graph, objectives

    def forward(self, weights: Weights, index: Tensor) -> Tensor:
        return self._objectives.of_mixture(weights, index)

    def loss_on(self, index: Tensor) -> Objective:
        """The loss on some rows ``[B]``."""

        def loss(own: Weights, along: Weights) -> Tensor:
            made: Tensor = functional_call(self, dict(own), (along, index))
            return made

        return loss
