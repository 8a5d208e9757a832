"""ASNG: a natural gradient with an adaptive step on the probabilities of the options."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tsunagu.errors import ChoiceError
from tsunagu.search.natural import Mask, restrict, utilities, whitened
from tsunagu.search.registry import register_searcher
from tsunagu.search.scores import judged
from tsunagu.search.searcher import Distribution, Losses, Paths, Searcher, generator_of, require
from tsunagu.search.space import Space
from tsunagu.spec import Architecture

__all__ = ["Asng", "AsngState"]


@final
@dataclass(frozen=True, kw_only=True)
class AsngState:
    """The state of :class:`Asng`; D labels, K the largest number of options.

    Args:
        space: what is searched.
        seed: of all draws.
        step: how many answers it has been told.
        theta: ``[D, K]`` float64, the probabilities; 0 where a label has fewer options.
        path: ``[D, K]`` float64, the whitened natural gradients, summed with decay.
        gamma: what the squared length of ``path`` is expected to be where the gradients are noise.
        slowness: the step is ``delta0`` over this; the paper's Delta.
    """

    space: Space
    seed: int
    step: int = 0
    theta: Tensor
    path: Tensor
    gamma: float = 0.0
    slowness: float = 1.0

    @property
    def mask(self) -> Mask:
        """``[D, K]``: which options exist."""
        return _mask(self.space)


@register_searcher
@final
@dataclass(frozen=True, kw_only=True)
class Asng(Searcher[AsngState, Paths, Losses]):
    """Adaptive stochastic natural gradient (Akimoto et al., arXiv:1905.08537).

    The supernet trains on samples of a distribution; other samples are judged on validation events, and only the
    ranks of their losses move the distribution, by a step whose length follows how well the gradients agree.

    Differences from the published code, each for a reason: the floor of the probabilities suits few choices; equal
    losses are found by an absolute tolerance; a gradient of zero is skipped; the step is at most ``sqrt(N)`` in the
    Fisher metric, N the number of free probabilities, so that the decay of the path stays one; and the order of the
    options does not matter. A choice that is not
    open in a sample gets no gradient from it.

    Args:
        samples: how many architectures are judged in one question, and trained in one step; 2 or more.
        delta0: the first step in the Fisher metric; the paper's 1 is too fast for a few noisy choices.
        alpha: above which length of the path, squared and relative to noise, the step grows.
        floor: the smallest probability of an option: ``repaired`` is ``min(1 / (D (C - 1)), 0.1 / C)``, ``published``
            is ``1 / (D (C - 1))``, which lets no probability pass ``1 - 1 / D``; or a number. D is the number of
            choices with two options or more, C that of options.
        tolerance: losses that differ by no more are equal.
        warmup: for how many epochs the weights train on uniform samples before the first question; without, what learns
            fast wins over what ends best.
        steps: how many answers it wants.

    >>> from tsunagu.spec import choice
    >>> search = Asng(steps=200)
    >>> state = search.init(Space({"lr": choice(0.1, 0.01, 0.001)}), seed=1)
    >>> while not search.done(state):
    ...     asked = search.ask(state)
    ...     state = search.tell(state, asked, [abs(float(a["lr"]) - 0.01) for a in asked.architectures])
    >>> search.best(state), search.distribution(state)["lr"]["0.01"] > 0.9
    (Architecture({'lr': '0.01'}), True)
    """

    samples: int = 2
    delta0: float = 0.1
    alpha: float = 1.5
    floor: str | float = "repaired"
    tolerance: float = 1e-12
    warmup: int = 0
    steps: int = 1000

    def __post_init__(self) -> None:
        require(self.samples >= 2, f"samples must be 2 or more, to compare them; found {self.samples}")
        require(self.delta0 > 0.0, f"delta0 must be positive, found {self.delta0}")
        require(self.alpha > 0.0, f"alpha must be positive, found {self.alpha}")
        require(self.tolerance >= 0.0, f"tolerance must be 0 or more, found {self.tolerance}")
        require(self.warmup >= 0, f"warmup must be 0 or more, found {self.warmup}")
        require(self.steps >= 1, f"steps must be 1 or more, found {self.steps}")
        known = self.floor in ("repaired", "published") or not isinstance(self.floor, str)
        require(known, f"floor must be repaired, published or a number, found '{self.floor}'")

    def init(self, space: Space, seed: int) -> AsngState:
        mask = _mask(space)
        floors, most = self._floors(mask), 1.0 / mask.sum(axis=1)
        if ((floors >= most) & (mask.sum(axis=1) > 1)).any():
            msg = f"the floor {floors.max():.3g} leaves nothing to learn with so few options; use floor 'repaired'"
            raise ChoiceError(msg)
        return AsngState(
            space=space,
            seed=seed,
            theta=torch.from_numpy(mask * most[:, None]),
            path=torch.zeros(mask.shape, dtype=torch.float64),
        )

    def ask_training(self, state: AsngState, step: int) -> list[Architecture]:
        """Samples whose mean gradient makes a training step."""
        return self._draw(state, "asng training", step)

    def ask(self, state: AsngState) -> Paths:
        return Paths(() if self.done(state) else tuple(self._draw(state, "asng", state.step)))

    def tell(self, state: AsngState, asked: Paths, answer: Losses) -> AsngState:
        losses = [loss for _, loss in judged(asked.architectures, answer)]
        worth = utilities(losses, self.tolerance)
        gradient = _natural_gradient(state, asked, worth)
        after = replace(state, step=state.step + 1)
        norm = float(np.linalg.norm(whitened(gradient, state.theta.numpy(), state.mask)))
        return self._moved(after, gradient, norm) if norm > 1e-12 else after

    def best(self, state: AsngState) -> Architecture:
        """The most probable option at each open choice."""
        held = self.distribution(state)
        return state.space.walk(lambda label, options: max(options, key=held[label].__getitem__))

    def done(self, state: AsngState) -> bool:
        return state.step >= self.steps

    def distribution(self, state: AsngState) -> Distribution:
        """The probability of each option of each label; a short noisy search may name a best that it is not sure of."""
        rows = zip(state.space.options.items(), state.theta.tolist(), strict=True)
        return {label: dict(zip(options, row, strict=False)) for (label, options), row in rows}

    def _floors(self, mask: Mask) -> NDArray[np.float64]:
        options = mask.sum(axis=1)
        open_choices = max(int((options > 1).sum()), 1)
        published = 1.0 / (open_choices * np.maximum(options - 1, 1))
        if not isinstance(self.floor, str):
            return np.where(options > 1, float(self.floor), 0.0)
        floors = published if self.floor == "published" else np.minimum(published, 0.1 / options)
        return np.where(options > 1, floors, 0.0)

    def _draw(self, state: AsngState, purpose: str, step: int) -> list[Architecture]:
        generator = generator_of(state, purpose, step)
        held = {label: list(options.values()) for label, options in self.distribution(state).items()}
        return [state.space.draw(generator, held) for _ in range(self.samples)]

    def _moved(self, state: AsngState, gradient: NDArray[np.float64], norm: float) -> AsngState:
        theta, mask = state.theta.numpy(), state.mask
        free = float(mask.sum() - len(mask))
        delta = min(self.delta0 / state.slowness, math.sqrt(free))
        beta = delta / math.sqrt(free)
        gain = beta * (2.0 - beta)
        path = (1.0 - beta) * state.path.numpy() + math.sqrt(gain) * whitened(gradient, theta, mask) / norm
        gamma = (1.0 - beta) ** 2 * state.gamma + gain
        growth = math.exp(beta * (gamma - float((path**2).sum()) / self.alpha))
        moved = restrict(theta + delta / norm * gradient, self._floors(mask), mask)
        slowness = min(max(state.slowness * growth, self.delta0 / math.sqrt(free)), 1e12)
        return replace(
            state,
            theta=torch.from_numpy(moved),
            path=torch.from_numpy(path),
            gamma=gamma,
            slowness=slowness,
        )


def _mask(space: Space) -> Mask:
    options = np.array([len(found) for found in space.options.values()])
    mask: Mask = np.arange(options.max()) < options[:, None]
    return mask


def _natural_gradient(state: AsngState, asked: Paths, worth: Any) -> NDArray[np.float64]:
    """``G_i = mean_k u_k (onehot(c_ki) - theta_i)``, over the samples in which choice i is open."""
    theta = state.theta.numpy()
    gradient = np.zeros_like(theta)
    for architecture, utility in zip(asked.architectures, worth, strict=True):
        for row, (label, options) in enumerate(state.space.options.items()):
            if label in architecture:
                gradient[row] -= utility * theta[row]
                gradient[row, options.index(architecture[label])] += utility
    return gradient / len(worth)
