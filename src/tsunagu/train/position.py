"""Where a training stands: everything but the tensors, as plain numbers that a checkpoint can hold."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field

__all__ = ["Epoch", "Position"]


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """One line of the history.

    Args:
        stage: name of the stage.
        epoch: counted from 1 within the stage.
        step: optimiser steps done within the stage.
        train_loss: mean of the batches' losses while they were trained on.
        valid_loss: the stage's loss on the validation events.
        metric: the pipeline's metric on the validation events; NaN where the stage does not make what it reads.
        seconds: of the training until now; see :class:`tsunagu.train.Meter`.
    """

    stage: str
    epoch: int
    step: int
    train_loss: float
    valid_loss: float
    metric: float
    seconds: float


@dataclass(kw_only=True)
class Position:
    """A place in a training: the next step is a pure function of it, the seed and the tensors.

    >>> Position.loads(Position(stage=1, epoch=3).dumps()) == Position(stage=1, epoch=3)
    True
    """

    stage: int = 0
    epoch: int = 0
    step: int = 0
    best_loss: float = math.inf
    best_epoch: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    history: list[Epoch] = field(default_factory=list)

    def next_stage(self) -> None:
        """Go on to the beginning of the next stage."""
        self.stage, self.epoch, self.step = self.stage + 1, 0, 0
        self.best_loss, self.best_epoch = math.inf, 0

    def dumps(self) -> str:
        """The place as JSON."""
        return json.dumps(asdict(self))

    @staticmethod
    def loads(text: str) -> Position:
        """The place that :meth:`dumps` wrote."""
        fields = json.loads(text)
        return Position(**fields | {"history": [Epoch(**row) for row in fields["history"]]})
