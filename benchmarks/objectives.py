"""Two tasks on shared layers, their losses combined in one way or another: what the combination costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, final

import torch

from benchmarks.chain import BATCH, LABEL, LR, vectors
from benchmarks.engine import Together
from benchmarks.measure import Side
from tsunagu.data import Table
from tsunagu.spec import LossTerm, Node, Pipeline, Task, Train, node

__all__ = ["TwoHeads", "beside_the_sum"]

WIDTH = 256


@final
@dataclass(frozen=True, kw_only=True)
class TwoHeads:
    """A trunk 8-256-256-256, and on it a calibration 256-256-6 (MSE) and a classifier 256-256-1 (BCE).

    Args:
        aggregate: what combines the two losses.
    """

    aggregate: Node
    events: Callable[[int], Table] = vectors

    def pipeline(self, **train: Any) -> Pipeline:
        """One epoch, unless it is said otherwise."""
        settings: dict[str, Any] = {"epochs": 1, "batch_size": BATCH, "optimizer": node("Adam", lr=LR)}
        tasks = {
            "trunk": Task(inputs=["jets"], output="shared", model=_layers(8, WIDTH, WIDTH, WIDTH), loss=[]),
            "calibrate": _head("taus", 6, LossTerm(key="mse", target="true_taus")),
            "classify": _head("score", 1, LossTerm(key="binary", target=LABEL)),
        }
        return Pipeline(
            tasks=tasks,
            train=Train(pretrain=False, patience=None, aggregate=self.aggregate, **settings | train),
            metric=f"auc(score, {LABEL})",
        )


def beside_the_sum(aggregate: Node, seeds: int = 1, events: int = 10_000) -> tuple[Side, Side]:
    """Trainings with an aggregator, and the same with the plain sum."""
    torch.set_num_threads(1)
    ours, theirs = TwoHeads(aggregate=aggregate), TwoHeads(aggregate=node("sum"))
    return Together([ours], seeds, events), Together([theirs], seeds, events)


def _head(output: str, size: int, loss: LossTerm) -> Task:
    return Task(inputs=["shared"], output=output, model=_layers(WIDTH, WIDTH, size)[:-1], loss=loss)


def _layers(*sizes: int) -> list[Node]:
    return [part for pair in pairwise(sizes) for part in (node("Linear", *pair), node("ReLU"))]
