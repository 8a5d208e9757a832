"""ENAS: a recurrent controller that is trained by reinforcement."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import final

import torch
from torch import Tensor

from tsunagu.search.adam import Adam
from tsunagu.search.bilevel import gradients, leaves_of
from tsunagu.search.controller import Decided, Pick, controller_start, decide
from tsunagu.search.registry import register_searcher
from tsunagu.search.scores import Scored, judged
from tsunagu.search.searcher import Distribution, Losses, Paths, Searcher, generator_of, require
from tsunagu.search.space import Space
from tsunagu.spec import Architecture

__all__ = ["Enas", "EnasState"]


@final
@dataclass(frozen=True, kw_only=True)
class EnasState:
    """The state of :class:`Enas`.

    Args:
        space: what is searched.
        seed: of all draws.
        step: how many answers it has been told.
        weights: of the controller, float64.
        moments: Adam's, ``[2, ...]`` for each weight.
        baseline: the mean loss so far, with decay; None before the first answer.
    """

    space: Space
    seed: int
    step: int = 0
    weights: Mapping[str, Tensor]
    moments: Mapping[str, Tensor]
    baseline: float | None = None


@register_searcher
@final
@dataclass(frozen=True, kw_only=True)
class Enas(Searcher[EnasState, Paths, Losses]):
    """A recurrent controller over shared weights (Pham et al., arXiv:1802.03268), trained by REINFORCE.

    The gradient is that of ``mean_k (l_k - b) log p(c_k) - entropy * H``, l the losses and b their moving mean. Its
    distribution over one choice depends on the choices before it, which independent probabilities cannot say.

    Args:
        samples: how many architectures are judged in one question, and trained in one step.
        hidden: width of the LSTM.
        rate: Adam's learning rate; the paper's 3.5e-4 is meant for some thousand steps an epoch.
        entropy: weight of the entropy, which keeps the controller trying.
        memory: how slowly the baseline forgets, 0 to 1.
        temperature: divides the logits.
        bound: of the logits.
        steps: how many answers it wants.

    >>> from tsunagu.spec import choice
    >>> search = Enas(steps=60, rate=0.02)
    >>> state = search.init(Space({"model": choice("a", "b")}), seed=1)
    >>> while not search.done(state):
    ...     asked = search.ask(state)
    ...     state = search.tell(state, asked, [float(a["model"] == "a") for a in asked.architectures])
    >>> search.best(state)
    Architecture({'model': 'b'})
    """

    samples: int = 4
    hidden: int = 32
    rate: float = 3.5e-3
    entropy: float = 1e-4
    memory: float = 0.95
    temperature: float = 5.0
    bound: float = 2.5
    steps: int = 1000

    def __post_init__(self) -> None:
        for name in ("samples", "hidden", "rate", "temperature", "bound", "steps"):
            require(getattr(self, name) > 0, f"{name} must be positive, found {getattr(self, name)}")
        require(self.entropy >= 0.0, f"entropy must be 0 or more, found {self.entropy}")
        require(0.0 <= self.memory < 1.0, f"memory must be 0 or more and below 1, found {self.memory}")

    def init(self, space: Space, seed: int) -> EnasState:
        weights = controller_start(space, seed, self.hidden)
        return EnasState(space=space, seed=seed, weights=weights, moments=self._adam.start(weights))

    def ask_training(self, state: EnasState, step: int) -> list[Architecture]:
        """Samples whose mean gradient makes a training step."""
        return self._draw(state, "enas training", step)

    def ask(self, state: EnasState) -> Paths:
        return Paths(() if self.done(state) else tuple(self._draw(state, "enas", state.step)))

    def tell(self, state: EnasState, asked: Paths, answer: Losses) -> EnasState:
        scored = [pair for pair in judged(asked.architectures, answer) if math.isfinite(pair[1])]
        if not scored:
            return replace(state, step=state.step + 1)
        mean = sum(loss for _, loss in scored) / len(scored)
        before = mean if state.baseline is None else state.baseline
        baseline = self.memory * before + (1.0 - self.memory) * mean
        gradients = self._gradients(state, scored, baseline)
        weights, moments = self._adam.step(state.weights, state.moments, gradients, state.step + 1)
        return replace(state, step=state.step + 1, weights=weights, moments=moments, baseline=baseline)

    def best(self, state: EnasState) -> Architecture:
        """The most probable option at each open choice, given the ones before."""
        return self._decide(state.weights, state.space, lambda _, held: int(held.argmax())).architecture

    def done(self, state: EnasState) -> bool:
        return state.step >= self.steps

    def distribution(self, state: EnasState) -> Distribution:
        """The probabilities of the open choices of the best architecture, each given the decisions before it."""
        decided = self._decide(state.weights, state.space, lambda _, held: int(held.argmax()))
        return {
            label: dict(zip(state.space.options[label], held.tolist(), strict=True))
            for label, held in decided.probabilities.items()
        }

    def _decide(self, weights: Mapping[str, Tensor], space: Space, pick: Pick) -> Decided:
        return decide(weights, space, pick, self.temperature, self.bound)

    def _draw(self, state: EnasState, purpose: str, step: int) -> list[Architecture]:
        generator = generator_of(state, purpose, step)

        def sample(_: str, held: Tensor) -> int:
            passed = held.cumsum(0)
            return int((passed < generator.random() * float(passed[-1])).sum())

        with torch.no_grad():
            made = [self._decide(state.weights, state.space, sample) for _ in range(self.samples)]
        return [decided.architecture for decided in made]

    def _gradients(self, state: EnasState, scored: Sequence[Scored], baseline: float) -> dict[str, Tensor]:
        leaves = leaves_of(state.weights)
        terms = []
        for architecture, loss in scored:
            decided = self._decide(leaves, state.space, _as_in(architecture, state.space))
            terms.append((loss - baseline) * decided.log_probability - self.entropy * decided.entropy)
        return gradients(torch.stack(terms).mean(), leaves)

    @property
    def _adam(self) -> Adam:
        return Adam(rate=self.rate)


def _as_in(architecture: Architecture, space: Space) -> Pick:
    return lambda label, _: space.options[label].index(architecture[label])
