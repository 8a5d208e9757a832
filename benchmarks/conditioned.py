"""One network for all values of a loss parameter, beside the same network with one value: what a step costs more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, final

import torch

from benchmarks.chain import BATCH, LABEL, LR, vectors
from benchmarks.engine import Together
from benchmarks.measure import Side
from benchmarks.resnet import images
from tsunagu.data import Table
from tsunagu.spec import LossTerm, Pipeline, Task, Train, condition, log_uniform, node

__all__ = ["NETWORKS", "Network", "beside_fixed"]

IMAGES = [
    node("ConvResBlock", 3, 16),
    node("ConvResBlock", 16, 32),
    node("AdaptiveAvgPool2d", 1),
    node("Flatten"),
    node("Linear", 32, 2),
]


@final
@dataclass(frozen=True, kw_only=True)
class Network:
    """A classifier with a class-balanced loss.

    Args:
        model: its layers.
        inputs: the column that it reads.
        label: the column of its classes.
        batch: events in a step.
        events: makes a table of so many events.
        drawn: whether ``1 - beta`` is a condition, in place of 1e-4.
    """

    model: Any
    inputs: str
    label: str
    batch: int
    events: Callable[[int], Table]
    drawn: bool = False

    def pipeline(self, **train: Any) -> Pipeline:
        """One epoch, unless it is said otherwise."""
        value = condition("one_minus_beta", log_uniform(1e-6, 1.0)) if self.drawn else 1e-4
        loss = LossTerm(key="class_balanced", target=self.label, args={"one_minus_beta": value})
        task = Task(inputs=[self.inputs], output="logits", model=self.model, loss=loss)
        settings: dict[str, Any] = {"epochs": 1, "batch_size": self.batch, "optimizer": node("Adam", lr=LR)}
        return Pipeline(
            tasks={"classify": task},
            train=Train(patience=None, **settings | train),
            metric=f"accuracy(logits, {self.label})",
        )


def _mlp(*, drawn: bool, batch: int = BATCH) -> Network:
    model = node("MLP", inputs=8, hidden=[256, 256], outputs=2, momenta=False)
    return Network(model=model, inputs="jets", label=LABEL, batch=batch, events=vectors, drawn=drawn)


def _cnn(*, drawn: bool) -> Network:
    return Network(model=IMAGES, inputs="jet_image", label="is_tau", batch=64, events=images, drawn=drawn)


NETWORKS: dict[str, tuple[Callable[..., Network], int]] = {
    "mlp256": (partial(_mlp, batch=1024), 20_480),
    "mlp256_batch_100": (_mlp, 10_000),
    "cnn": (_cnn, 640),
}
"""What makes each network, and the events of its epoch."""


def beside_fixed(name: str) -> tuple[Side, Side]:
    """A training with a condition, and the same without; one member each."""
    torch.set_num_threads(1)
    make, events = NETWORKS[name]
    return Together([make(drawn=True)], 1, events), Together([make(drawn=False)], 1, events)
