"""One classifier, trained with one loss or another: what the loss costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import torch

from benchmarks.chain import BATCH, LABEL, LR, vectors
from benchmarks.engine import Together
from benchmarks.measure import Side
from tsunagu.data import Table
from tsunagu.spec import LossTerm, Pipeline, Task, Train, node

__all__ = ["COSTS", "Classifier", "beside_cross_entropy"]

WIDTH = 256
HEADS = {"affinity": "Affinity"}
COSTS = {
    "class_balanced": 1.2,
    "class_balanced_focal": 1.2,
    "focal": 1.2,
    "ldam": 1.2,
    "logit_adjusted": 1.2,
    "affinity": 1.6,
}
"""The losses that have a row, with the most that a step may cost beside one of ``cross_entropy``."""


@final
@dataclass(frozen=True, kw_only=True)
class Classifier:
    """An MLP 8-256-256-2 with a loss of its logits.

    Args:
        loss: its key.
    """

    loss: str
    events: Callable[[int], Table] = vectors

    def pipeline(self, **train: Any) -> Pipeline:
        """One epoch, unless it is said otherwise."""
        sizes = ((8, WIDTH), (WIDTH, WIDTH))
        model = [part for size in sizes for part in (node("Linear", *size), node("ReLU"))]
        model.append(node(HEADS.get(self.loss, "Linear"), WIDTH, 2))
        loss = LossTerm(key=self.loss, target=LABEL)
        task = Task(inputs=["jets"], output="logits", model=model, loss=loss)
        settings: dict[str, Any] = {"epochs": 1, "batch_size": BATCH, "optimizer": node("Adam", lr=LR)}
        return Pipeline(
            tasks={"classify": task},
            train=Train(patience=None, **settings | train),
            metric=f"accuracy(logits, {LABEL})",
        )


def beside_cross_entropy(loss: str, events: int = 10_000) -> tuple[Side, Side]:
    """A training with a loss, and the same with ``cross_entropy``; one member each."""
    torch.set_num_threads(1)
    return Together([Classifier(loss=loss)], 1, events), Together(
        [Classifier(loss="cross_entropy")], 1, events
    )
