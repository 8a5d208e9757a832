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
from tsunagu.oneshot.noise import Noise
from tsunagu.search import Objective, WeightGradients, second_order
from tsunagu.spec import Architecture
from tsunagu.tasks import CONDITION, VALUES, Graph, Stage
from tsunagu.tasks.supernet import mixture, own_outputs, single_path
from tsunagu.train import Drawn, Turn, columns_of

__all__ = ["Objectives"]

Weights = Mapping[str, Tensor]


@final
@dataclass(frozen=True, kw_only=True)
class Objectives:
    """Losses of paths and mixtures of a supergraph in one step.

    Args:
        graph: the supergraph.
        stage: says which tasks run, and their losses.
        table: the events.
        noise: the layers that draw random numbers.
        seed: of what they draw in this step.
        sparse: whether a mixture runs only the options of a weight that is not 0.
        drawn: the conditions of events, where there are any.
        turn: which of their draws the training events of this step get. Validation events, by which paths are compared, have
            the values that they are compared at.
    """

    graph: Graph
    stage: Stage
    table: Table
    noise: Noise
    seed: int
    sparse: bool = False
    drawn: Drawn | None = None
    turn: Turn | None = None

    def of_paths(
        self, architectures: Sequence[Architecture], index: Tensor
    ) -> tuple[list[Tensor], list[Graph]]:
        """The loss of each path, a scalar, and the paths themselves.

        Args:
            architectures: at least one.
            index: ``[B]`` rows.
        """
        graphs = [single_path(self.graph, each) for each in architectures]
        batch, sizes = self._batch(graphs, index, self.turn), self.table.weights(index)
        return [self._loss(graph, batch, sizes) for graph in graphs], graphs

    def judge(self, architectures: Sequence[Architecture], index: Tensor) -> list[float]:
        """The loss of each path on a batch of validation events ``[B]``, dropout off."""
        graphs = [single_path(self.graph, each) for each in architectures]
        batch, sizes = self._batch(graphs, index, None), self.table.weights(index)
        found = []
        for graph in graphs:
            with torch.no_grad(), judging(graph):
                found.append(float(self._loss(graph, batch, sizes)))
        return found

    def of_mixture(
        self, weights: Weights, index: Tensor, *, individual: float = 0.0, turn: Turn | None = None
    ) -> Tensor:
        """The loss of a mixture and, each with a factor, those of its candidates.

        ``L(mix) + r * sum_m L(candidate m)``, where a candidate's own loss is that of its task on what it makes of the
        mixed inputs; so each keeps a gradient of its own when its weight is near 0 (the loss of multiml).

        Args:
            weights: ``[K]`` by label.
            index: ``[B]`` rows.
            individual: the factor r.
            turn: which draws of the conditions the events get.
        """
        self.noise.reseed(self.graph, self.seed)
        mixed = mixture(self.graph, weights, sparse=self.sparse, keep=individual > 0.0)
        batch, sizes = self._batch([self.graph], index, turn), self.table.weights(index)
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

        Returns:
            ``[K]`` float64 by label, on the CPU.
        """
        along = {label: value.requires_grad_() for label, value in self.placed(weights).items()}
        with judging(self.graph):
            loss = self.of_mixture(along, index)
        found = torch.autograd.grad(loss, list(along.values()), materialize_grads=True)
        return _told(dict(zip(along, found, strict=True)))

    def gradient_ahead(
        self, weights: Weights, train: Tensor, valid: Tensor, *, rate: float
    ) -> WeightGradients:
        """The same through one plain step of the supernet's weights on training events (DARTS, second order).

        Args:
            weights: ``[K]`` by label.
            train: ``[B]`` rows.
            valid: ``[B]`` rows.
            rate: the learning rate of that step.
        """
        mixed = _Mixed(self)
        own = {name: p.detach() for name, p in mixed.named_parameters() if p.requires_grad}
        with judging(self.graph):
            found = second_order(
                mixed.loss_on(train, self.turn),
                mixed.loss_on(valid, None),
                own,
                self.placed(weights),
                rate=rate,
            )
        return _told(found)

    def placed(self, weights: Weights) -> dict[str, Tensor]:
        """Copies of mixture weights of the dtype and on the device of the supernet's own."""
        like = next(self.graph.parameters(), torch.zeros((), device=self.table.device))
        return {label: value.detach().to(like, copy=True) for label, value in weights.items()}

    def _batch(self, graphs: Sequence[Graph], index: Tensor, turn: Turn | None) -> dict[str, Tensor]:
        read = dict.fromkeys(column for graph in graphs for column in columns_of(graph, self.stage))
        batch = self.table.take(read, index)
        if self.drawn is None:
            return batch
        (values,), (seen,) = self.drawn.take(index.unsqueeze(0), turn)
        return batch | {VALUES: values, CONDITION: seen}

    def _loss(self, graph: Graph, batch: Weights, sizes: Tensor) -> Tensor:
        self.noise.reseed(graph, self.seed)
        made = graph(batch, self.stage.tasks, self.stage.substitutes)
        return self.stage.loss(made, batch, sizes)

    def _own_loss(self, task: str, output: Tensor, batch: Weights, sizes: Tensor) -> Tensor:
        name = self.graph.outputs[task]
        terms = tuple(term for term in self.stage.terms if term.output == name)
        if not terms:
            return output.new_zeros(())
        return replace(self.stage, terms=terms).loss({name: output}, batch, sizes)


@final
class _Mixed(nn.Module):
    """The loss of a mixture as a function of the supernet's weights and those of the mixture."""

    def __init__(self, objectives: Objectives) -> None:
        super().__init__()
        self.graph, self._objectives = objectives.graph, objectives

    def forward(self, weights: Weights, index: Tensor, turn: Turn | None) -> Tensor:
        return self._objectives.of_mixture(weights, index, turn=turn)

    def loss_on(self, index: Tensor, turn: Turn | None) -> Objective:
        """The loss on some rows ``[B]``."""

        def loss(own: Weights, along: Weights) -> Tensor:
            made: Tensor = functional_call(self, dict(own), (along, index, turn))
            return made

        return loss


def _told(slopes: Weights) -> dict[str, Tensor]:
    """As a searcher keeps its numbers."""
    return {label: slope.detach().double().cpu() for label, slope in slopes.items()}
