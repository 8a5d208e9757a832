"""How a supernet is trained under a searcher, and how the searcher is told what it asks.

What it can do says which: it names paths to train, or its mixture is trained; it asks architectures and is told their losses,
or mixture weights and is told a gradient. So a searcher of one's own needs no entry here.

| | trains | asks |
| --- | --- | --- |
| SPOS, FairNAS | paths | architectures, when the training has ended |
| ASNG, ENAS | paths | architectures |
| GDAS | paths | mixture weights of one 1 |
| DARTS | the mixture | mixture weights |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, final

from torch import Tensor

from tsunagu.errors import Mistake, Path, SpecError
from tsunagu.oneshot.objectives import Objectives
from tsunagu.oneshot.rounds import DrawnAhead
from tsunagu.search import HasDistribution, Losses, Searcher, TrainsPaths, WantsGradients, WeightGradients
from tsunagu.spec import Pipeline
from tsunagu.tasks import Graph, Stage, stages

__all__ = ["Strategy", "Trained", "joint_stages", "strategy"]

Trained = tuple[list[Tensor], list[Graph] | None]
"""Losses, and the path of each; None where it is that of a mixture, in which all leaves take part."""


@final
@dataclass(frozen=True, kw_only=True)
class Strategy:
    """A searcher in the training of a supernet; made by :func:`strategy`.

    Args:
        searcher: its settings.
        trains_paths: whether it names paths to train; else its mixture is trained.
        wants_gradients: whether it asks mixture weights; else architectures.
        learns: whether it asks while the supernet is trained; else it asks when that has ended.
    """

    searcher: Any
    trains_paths: bool
    wants_gradients: bool
    learns: bool

    @property
    def sparse(self) -> bool:
        """Whether mixtures run only the options of a weight that is not 0."""
        return self.trains_paths and self.wants_gradients

    @property
    def warmup(self) -> int:
        """Epochs of the last stage before the first question."""
        return int(getattr(self.searcher, "warmup", 0))

    def ahead(self, state: Any) -> DrawnAhead | None:
        """The paths of all steps, where no answer changes them."""
        return DrawnAhead(self.searcher, state) if self.trains_paths and not self.learns else None

    def train(self, state: Any, objectives: Objectives, index: Tensor, step: int) -> Trained:
        """The losses of a training step.

        Args:
            state: of the searcher.
            objectives: of this step.
            index: ``[B]`` rows of training events.
            step: of the stage, from 0.
        """
        if self.trains_paths:
            return objectives.of_paths(self.searcher.ask_training(state, step), index)
        weights = objectives.placed(self.searcher.ask(state).weights)
        individual: float = getattr(self.searcher, "individual", 0.0)
        turn = objectives.turn
        return [objectives.of_mixture(weights, index, individual=individual, turn=turn)], None

    def ask(self, state: Any, objectives: Objectives, train: Tensor, valid: Tensor, rate: float) -> Any:
        """The searcher's state after a question.

        Args:
            state: before.
            objectives: of this step.
            train: ``[B]`` rows of training events.
            valid: ``[B]`` rows of validation events.
            rate: the learning rate of the supernet's weights.
        """
        asked = self.searcher.ask(state)
        answer: Losses | WeightGradients
        if not self.wants_gradients:
            answer = self._losses(objectives, asked.architectures, valid)
        elif self.searcher.order == 2:
            answer = objectives.gradient_ahead(asked.weights, train, valid, rate=rate)
        else:
            answer = objectives.gradient(asked.weights, valid)
        return self.searcher.tell(state, asked, answer)

    def _losses(self, objectives: Objectives, architectures: Sequence[Any], valid: Tensor) -> list[float]:
        """The loss of each; those that were drawn twice are judged once."""
        unique = list(dict.fromkeys(architectures))
        found = dict(zip(unique, objectives.judge(unique, valid), strict=True))
        return [found[each] for each in architectures]


def strategy(searcher: Searcher[Any, Any, Any], questions: int, path: Path = ("search", "key")) -> Strategy:
    """How this searcher trains a supernet.

    Args:
        searcher: where it counts steps, they are set to those in which it may ask.
        questions: so many.
        path: where its key stands in the spec.

    Raises:
        SpecError: it trains each candidate by itself, and no supernet; or it would not be asked once.

    >>> from tsunagu.search import Asng, Grid
    >>> strategy(Asng(), 300).searcher.steps
    300
    >>> strategy(Grid(), 300)
    Traceback (most recent call last):
    tsunagu.errors.SpecError: ...search.key: Grid trains each candidate by itself; a supernet is trained by Spos, Asng, ...
    """
    name = type(searcher).__name__
    if not isinstance(searcher, TrainsPaths | WantsGradients):
        msg = f"{name} trains each candidate by itself; a supernet is trained by Spos, Asng, Enas, Darts or Gdas"
        raise SpecError([Mistake(path, msg)])
    made = Strategy(
        searcher=_counting(searcher, questions),
        trains_paths=isinstance(searcher, TrainsPaths),
        wants_gradients=isinstance(searcher, WantsGradients),
        learns=isinstance(searcher, HasDistribution),
    )
    if made.learns and questions < 1:
        msg = f"{name} would never be asked: train.epochs must be above its warmup of {made.warmup}"
        raise SpecError([Mistake(path, msg)])
    return made


def joint_stages(pipeline: Pipeline) -> tuple[Stage, ...]:
    """The stages of a pipeline whose last one is joint.

    Raises:
        SpecError: it is not.
    """
    found = stages(pipeline)
    if found[-1].frozen:
        msg = "a supernet ends in a joint stage, in which the search takes place; leave joint at true"
        raise SpecError([Mistake(("train", "joint"), msg)])
    return found


def _counting(searcher: Any, questions: int) -> Any:
    return replace(searcher, steps=max(1, questions)) if hasattr(searcher, "steps") else searcher
