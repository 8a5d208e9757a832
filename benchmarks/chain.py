"""The chain that all rows train, its events, and our engine as a side: jets -> tau momenta -> logit."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.measure import Clock
from tsunagu.data import Split, Table
from tsunagu.spec import LossTerm, Node, Pipeline, Task, Train, node
from tsunagu.tasks import Graph, build_graph
from tsunagu.train import Training

__all__ = ["BATCH", "COLUMNS", "LR", "EngineLoop", "make_graph", "make_pipeline", "make_table", "torch_loss"]

BATCH = 100
LR = 1e-3
WIDTH = 64
COLUMNS = ("jets", "true_taus", "is_higgs")
VALIDATION = 100


def make_table(events: int) -> Table:
    """Made-up events: 8 reconstructed numbers, 6 true ones and a label, all float32, weights 1."""
    generator = torch.Generator().manual_seed(1)
    label = (torch.rand(events, generator=generator) < 0.5).float()
    taus = torch.randn(events, 6, generator=generator) + label[:, None]
    jets = torch.cat([taus, torch.zeros(events, 2)], dim=1) + 0.3 * torch.randn(
        events, 8, generator=generator
    )
    number = torch.arange(events)
    return Table(
        columns=dict(zip(COLUMNS, (jets, taus, label), strict=True)),
        weight=torch.ones(events, dtype=torch.float64),
        train_weight=torch.ones(events),
        event_number=number,
        fold=number % 5,
        fingerprint="made up",
    )


def make_pipeline(width: int = WIDTH, activations: tuple[str, str] = ("ReLU", "ReLU")) -> Pipeline:
    """Two MLPs of two hidden layers: one epoch of the joint stage, with both losses at weight 1.

    Args:
        width: of the hidden layers.
        activations: of the first and of the second MLP.
    """
    first, second = _mlp(8, 6, width, activations[0]), _mlp(6, 1, width, activations[1])
    calibrate = Task(
        inputs=["jets"], output="taus", model=first, loss=LossTerm(key="mse", target="true_taus")
    )
    classify = Task(
        inputs=["taus"], output="score", model=second, loss=LossTerm(key="binary", target="is_higgs")
    )
    train = Train(pretrain=False, epochs=1, batch_size=BATCH, optimizer=node("Adam", lr=LR))
    return Pipeline(
        tasks={"calibrate": calibrate, "classify": classify}, train=train, metric="mse(taus, true_taus)"
    )


def make_graph(width: int = WIDTH, activations: tuple[str, str] = ("ReLU", "ReLU")) -> Graph:
    """Fresh modules with the initial weights that the engine's have too."""
    return build_graph(make_pipeline(width, activations), seed=1)


def torch_loss(taus: Tensor, logit: Tensor, true_taus: Tensor, label: Tensor) -> Tensor:
    """The same objective in the ordinary unweighted way; the engine carries event weights, here all 1."""
    classification = functional.binary_cross_entropy_with_logits(logit.squeeze(-1), label)
    return functional.mse_loss(taus, true_taus) + classification


class EngineLoop:
    """Our side: :meth:`Training.run` from its call to the end of the last step, before the validation pass."""

    def __init__(self, events: int) -> None:
        self.pipeline = make_pipeline()
        self.table = make_table(events + VALIDATION)
        rows = torch.arange(events + VALIDATION)
        self.split = Split(train=rows[:events], validation=rows[events:], test=rows[:0])

    def __call__(self, clock: Clock) -> float:
        training = Training(self.pipeline, self.table, self.split, seed=1)
        steps, ends = training.steps_per_epoch, []

        def watch(current: Training) -> None:
            if current.position.step == steps:
                ends.append(clock())

        start = clock()
        training.run(on_step=watch)
        return (ends[0] - start) / steps


def _mlp(inputs: int, outputs: int, width: int, activation: str) -> list[Node]:
    sizes = (inputs, width, width, outputs)
    layers = [part for a, b in pairwise(sizes) for part in (node("Linear", a, b), node(activation))]
    return layers[:-1]
