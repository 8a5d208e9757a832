"""How a supernet is trained under each family of searchers, and how these are told what they ask."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any, final

from torch import Tensor, nn

from tsunagu.errors import Mistake, Path, SpecError
from tsunagu.oneshot.objectives import Objectives
from tsunagu.search import Darts, Gdas, Searcher, Spos, TrainsPaths

__all__ = ["Strategy", "strategy"]

Loss = tuple[Tensor, list[nn.Module] | None]
"""A scalar and the paths that it was computed with, or None where all leaves take part."""


class Strategy(ABC):
    """A searcher in the training of a supernet.

    Args:
        searcher: its settings.
    """

    sparse = False
    """Whether mixtures run only the options of a weight that is not 0."""

    def __init__(self, searcher: Any) -> None:
        self.searcher: Searcher[Any, Any, Any] = searcher

    @property
    def warmup(self) -> int:
        """Epochs of the last stage before the first question."""
        return int(getattr(self.searcher, "warmup", 0))

    @property
    def learns(self) -> bool:
        """Whether it asks while the supernet is trained; else it asks when that has ended."""
        return not isinstance(self.searcher, Spos)

    @abstractmethod
    def train(self, state: Any, objectives: Objectives, index: Tensor, step: int) -> Loss:
        """The loss of a training step on the events ``[B]``."""

    @abstractmethod
    def ask(self, state: Any, objectives: Objectives, train: Tensor, valid: Tensor, rate: float) -> Any:
        """The searcher's state after a question.

        Args:
            state: before.
            objectives: of the last stage.
            train: ``[B]`` rows of training events.
            valid: ``[B]`` rows of validation events.
            rate: the learning rate of the supernet's weights.
        """


@final
class _Sampling(Strategy):
    """Paths are trained and judged one at a time: SPOS, ASNG, ENAS."""

    def train(self, state: Any, objectives: Objectives, index: Tensor, step: int) -> Loss:
        searcher: Any = self.searcher
        return objectives.of_paths(searcher.ask_training(state, step), index)

    def ask(self, state: Any, objectives: Objectives, train: Tensor, valid: Tensor, rate: float) -> Any:  # noqa: ARG002
        asked = self.searcher.ask(state)
        return self.searcher.tell(state, asked, objectives.judge(asked.architectures, valid))


@final
class _Mixing(Strategy):
    """All options are added up with weights: DARTS."""

    def train(self, state: Any, objectives: Objectives, index: Tensor, step: int) -> Loss:  # noqa: ARG002
        weights = {label: value.float() for label, value in self.searcher.ask(state).weights.items()}
        individual: float = getattr(self.searcher, "individual", 0.0)
        return objectives.of_mixture(weights, index, individual=individual), None

    def ask(self, state: Any, objectives: Objectives, train: Tensor, valid: Tensor, rate: float) -> Any:
        asked = self.searcher.ask(state)
        if getattr(self.searcher, "order", 1) == 2:
            answer = objectives.gradient_ahead(asked.weights, train, valid, rate=rate)
        else:
            answer = objectives.gradient(asked.weights, valid)
        return self.searcher.tell(state, asked, answer)


@final
class _Drawing(Strategy):
    """One option is drawn for each choice, with the gradient of a mixture: GDAS."""

    sparse = True

    def train(self, state: Any, objectives: Objectives, index: Tensor, step: int) -> Loss:  # noqa: ARG002
        weights = self.searcher.ask(state).weights
        drawn = state.space.walk(lambda label, options: options[int(weights[label].argmax())])
        return objectives.of_paths([drawn], index)

    def ask(self, state: Any, objectives: Objectives, train: Tensor, valid: Tensor, rate: float) -> Any:  # noqa: ARG002
        asked = self.searcher.ask(state)
        return self.searcher.tell(state, asked, objectives.gradient(asked.weights, valid))


def strategy(searcher: Searcher[Any, Any, Any], questions: int, path: Path = ("search", "key")) -> Strategy:
    """How this searcher trains a supernet.

    Args:
        searcher: where it counts steps, they are set to those of the training.
        questions: steps of the last stage, in each of which it may ask.
        path: where it stands in the spec.

    Raises:
        SpecError: it trains each candidate by itself, and no supernet.
    """
    settings: Any = searcher
    if hasattr(searcher, "steps"):
        settings = replace(settings, steps=max(1, questions))
    if isinstance(searcher, Gdas):
        return _Drawing(settings)
    if isinstance(searcher, Darts):
        return _Mixing(settings)
    if isinstance(searcher, TrainsPaths):
        return _Sampling(settings)
    name = type(searcher).__name__
    msg = f"{name} trains each candidate by itself; a supernet is trained by Spos, Asng, Enas, Darts or Gdas"
    raise SpecError([Mistake(path, msg)])
