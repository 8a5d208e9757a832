"""The chains that the rows train, with their made-up events: jets -> tau momenta -> logit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any, final

import torch
from torch import Tensor, nn
from torch.nn import functional

from tsunagu.data import Table
from tsunagu.losses import find_loss
from tsunagu.spec import LossTerm, Node, Pipeline, Task, Train, node
from tsunagu.tasks import Graph, build_graph

__all__ = [
    "ACTIVATIONS",
    "BATCH",
    "GRID",
    "LR",
    "Chain",
    "Scaled",
    "mlps",
    "of_the_talk",
    "own_weights",
    "vectors",
]

BATCH = 100
LR = 1e-3
LABEL = "is_higgs"


@dataclass(frozen=True, kw_only=True)
class Chain:
    """Two models in a row, as both sides train them.

    Args:
        first: the model of the first task.
        second: that of the second.
        events: makes a table of so many events.
        inputs: the columns that the first model reads.
        truth: the column that its output is compared with.
        loss: the first task's, by its key; the second task has ``binary``.
        weight: of each of the two losses.
        by_hand: the same objective of ``(taus, logit, truth, label)`` in the ordinary unweighted way; the engine carries
            event weights, here all 1.
    """

    first: Any
    second: Any
    events: Callable[[int], Table]
    inputs: tuple[str, ...]
    truth: str
    loss: str
    weight: float
    by_hand: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]

    @property
    def columns(self) -> tuple[str, ...]:
        """The inputs, the truth and the label."""
        return (*self.inputs, self.truth, LABEL)

    @property
    def tasks(self) -> dict[str, Task]:
        """The two tasks of a pipeline."""
        first = LossTerm(key=self.loss, target=self.truth, weight=self.weight)
        second = LossTerm(key="binary", target=LABEL, weight=self.weight)
        return {
            "calibrate": Task(inputs=list(self.inputs), output="taus", model=self.first, loss=first),
            "classify": Task(inputs=["taus"], output="score", model=self.second, loss=second),
        }

    def pipeline(self, **train: Any) -> Pipeline:
        """The joint stage only: one epoch, unless it is said otherwise."""
        settings: dict[str, Any] = {"epochs": 1, "batch_size": BATCH, "optimizer": node("Adam", lr=LR)}
        return Pipeline(
            tasks=self.tasks,
            train=Train(pretrain=False, patience=None, **settings | train),
            metric=f"auc(score, {LABEL})",
        )

    def graph(self) -> Graph:
        """Fresh models with the initial weights that the engine's have too."""
        return build_graph(self.pipeline(), seed=1)


def mlps(width: int = 64, activations: tuple[str, str] = ("ReLU", "ReLU")) -> Chain:
    """Two MLPs of two hidden layers, 8 -> 6 with MSE and 6 -> logit.

    Args:
        width: of the hidden layers.
        activations: of the first and of the second MLP.
    """
    return _on_vectors(_mlp(8, 6, width, activations[0]), _mlp(6, 1, width, activations[1]))


def own_weights() -> Chain:
    """As :func:`mlps`, but both models have a weight of their own, which no batched layer knows."""
    key = f"{__name__}:Scaled"
    return _on_vectors(node(key, 8, 6), node(key, 6, 1))


def of_the_talk(first: str, second: str) -> Chain:
    """A chain of two of the package's models for H -> tau tau.

    Args:
        first: ``TauCNN``, ``TauMLP`` or ``ScaleFactor``; the last one is given no images, by neither side.
        second: ``LSTM``, ``MLP`` or ``MassMLP``.
    """
    momentum_loss = find_loss("four_momentum")()

    def by_hand(taus: Tensor, logit: Tensor, truth: Tensor, label: Tensor) -> Tensor:
        classification = functional.binary_cross_entropy_with_logits(logit, label)
        return 0.5 * momentum_loss(taus, truth).mean() + 0.5 * classification

    images = () if first == "ScaleFactor" else ("jet_image",)
    return Chain(
        first=node(first),
        second=node(second),
        events=jets_with_images,
        inputs=(*images, "jet_p4"),
        truth="true_tau_p4",
        loss="four_momentum",
        weight=0.5,
        by_hand=by_hand,
    )


@final
class Scaled(nn.Module):
    """An MLP of two hidden layers of 64 on inputs that are scaled by weights of its own: ``[E, I] -> [E, O]``."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(inputs))
        self.layers = nn.Sequential(
            *(nn.Linear(inputs, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, outputs))
        )

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.layers(x * self.scale)
        return made


def vectors(events: int) -> Table:
    """8 reconstructed numbers, 6 true ones and a label, all float32, weights 1."""
    generator = torch.Generator().manual_seed(1)
    label = (torch.rand(events, generator=generator) < 0.5).float()
    taus = torch.randn(events, 6, generator=generator) + label[:, None]
    noise = torch.randn(events, 8, generator=generator)
    jets = torch.cat([taus, torch.zeros(events, 2)], dim=1) + 0.3 * noise
    return _table({"jets": jets, "true_taus": taus, LABEL: label})


def jets_with_images(events: int) -> Table:
    """Two jets with sparse images ``[E, 2, 3, 16, 16]`` and momenta ``[E, 2, 4]``, the true momenta and a label."""
    generator = torch.Generator().manual_seed(1)
    label = (torch.rand(events, generator=generator) < 0.5).float()
    draw = torch.rand(events, 2, 5, generator=generator)
    truth = torch.stack([25.0 + 60.0 * draw[..., 0], 4.0 * draw[..., 1] - 2.0, 6.0 * draw[..., 2] - 3.0], -1)
    truth[..., 0] += 10.0 * label[:, None]
    share, mass = 0.5 + 0.5 * draw[..., 3], 1.0 + 7.0 * draw[..., 4]
    jets = torch.cat([truth, mass[..., None]], dim=-1)
    jets[..., 0] *= share
    pixels = torch.rand(events, 2, 3, 16, 16, generator=generator)
    images = torch.where(pixels > 0.95, 100.0 * (pixels - 0.95), torch.zeros(()))
    return _table({"jet_image": images, "jet_p4": jets, "true_tau_p4": truth, LABEL: label})


def _on_vectors(first: Any, second: Any) -> Chain:
    return Chain(
        first=first,
        second=second,
        events=vectors,
        inputs=("jets",),
        truth="true_taus",
        loss="mse",
        weight=1.0,
        by_hand=_squares_and_entropy,
    )


def _squares_and_entropy(taus: Tensor, logit: Tensor, truth: Tensor, label: Tensor) -> Tensor:
    classification = functional.binary_cross_entropy_with_logits(logit.squeeze(-1), label)
    return functional.mse_loss(taus, truth) + classification


def _mlp(inputs: int, outputs: int, width: int, activation: str) -> list[Node]:
    sizes = (inputs, width, width, outputs)
    layers = [part for a, b in pairwise(sizes) for part in (node("Linear", a, b), node(activation))]
    return layers[:-1]


def _table(columns: dict[str, Tensor]) -> Table:
    events = len(columns[LABEL])
    number = torch.arange(events)
    return Table(
        columns=columns,
        weight=torch.ones(events, dtype=torch.float64),
        train_weight=torch.ones(events),
        event_number=number,
        fold=number % 5,
        fingerprint="made up",
    )


ACTIVATIONS = ("ReLU", "Tanh", "SiLU")
GRID = tuple(mlps(64, pair) for pair in product(ACTIVATIONS, ACTIVATIONS))
"""Three candidates for each of the two steps, told apart by their activation."""
