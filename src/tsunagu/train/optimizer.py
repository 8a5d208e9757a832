"""Optimisers and learning-rate schedules, by key."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from tsunagu.errors import Mistake, Path, did_you_mean
from tsunagu.layers import check_args
from tsunagu.spec import Node

__all__ = ["SCHEDULES", "check_optimizer", "check_schedule", "learning_rate", "optimizer"]

Schedule = Callable[..., float]


def optimizer(spec: Node, weights: list[nn.Parameter]) -> torch.optim.Optimizer:
    """A ``torch.optim`` class by its name, fused where torch has a fused kernel.

    >>> from tsunagu.spec import node
    >>> type(optimizer(node("Adam", lr=1e-3), [nn.Parameter(torch.zeros(3))])).__name__
    'Adam'
    """
    cls = getattr(torch.optim, spec.key)
    arguments: dict[str, Any] = dict(spec.args)
    if "fused" in inspect.signature(cls).parameters:
        arguments.setdefault("fused", True)
    made: torch.optim.Optimizer = cls(weights, **arguments)
    return made


def constant(progress: float) -> float:  # noqa: ARG001
    """The learning rate as given."""
    return 1.0


def cosine(progress: float, *, final: float = 0.0) -> float:
    """Half a cosine from 1 to ``final`` (Loshchilov & Hutter, arXiv:1608.03983, without restarts).

    >>> [round(cosine(x), 3) for x in (0.0, 0.5, 1.0)]
    [1.0, 0.5, 0.0]
    """
    return final + (1.0 - final) * 0.5 * (1.0 + math.cos(math.pi * progress))


def exponential(progress: float, *, final: float = 0.01) -> float:
    """An exponential decay that reaches ``final`` at the end: ``final ** progress``.

    >>> round(exponential(0.5, final=0.01), 6)
    0.1
    """
    return float(final**progress)


def steps(progress: float, *, at: list[float], factor: float = 0.1) -> float:
    """Multiply by ``factor`` at each of the given shares of the training.

    >>> round(steps(0.8, at=[0.5, 0.75], factor=0.1), 6)
    0.01
    """
    return float(factor ** sum(progress >= place for place in at))


def warmup(progress: float, *, share: float = 0.05, final: float = 0.0) -> float:
    """A linear rise over the first ``share`` of the training, then a cosine to ``final``.

    >>> [round(warmup(x, share=0.1), 3) for x in (0.05, 0.1, 1.0)]
    [0.5, 1.0, 0.0]
    """
    if progress < share:
        return progress / share
    return cosine((progress - share) / (1.0 - share), final=final)


SCHEDULES: dict[str, Schedule] = {f.__name__: f for f in (constant, cosine, exponential, steps, warmup)}


def learning_rate(spec: Node | None, step: int, steps_in_all: int) -> float:
    """The factor on the learning rate at a step: a pure function of the step, so nothing needs to be stored.

    >>> from tsunagu.spec import node
    >>> learning_rate(node("cosine"), 50, 100)
    0.5
    """
    if spec is None:
        return 1.0
    return SCHEDULES[spec.key](step / max(1, steps_in_all), **dict(spec.args))


def check_optimizer(spec: Node, path: Path) -> list[Mistake]:
    """An unknown optimiser, or arguments that it does not take.

    >>> from tsunagu.spec import node
    >>> print(check_optimizer(node("Adma"), ("train", "optimizer"))[0])
    train.optimizer.key: unknown optimizer 'Adma' (did you mean 'Adam'?)
    """
    known = [
        n for n, c in vars(torch.optim).items() if inspect.isclass(c) and issubclass(c, torch.optim.Optimizer)
    ]
    known = [name for name in known if name not in ("Optimizer", "SparseAdam", "LBFGS")]
    if spec.key not in known:
        found = f"unknown optimizer '{spec.key}'{did_you_mean(spec.key, known)}"
        return [Mistake((*path, "key"), found)]
    if not isinstance(spec.args, dict):
        return _fit(check_args(getattr(torch.optim, spec.key), {"params": [], **dict(spec.args)}), path)
    return _fit(check_args(getattr(torch.optim, spec.key), {"params": [], **spec.args}), path)


def check_schedule(spec: Node | None, path: Path) -> list[Mistake]:
    """An unknown schedule, or arguments that it does not take."""
    if spec is None:
        return []
    if spec.key not in SCHEDULES:
        found = f"unknown schedule '{spec.key}'{did_you_mean(spec.key, SCHEDULES)}"
        return [Mistake((*path, "key"), found)]
    return _fit(check_args(SCHEDULES[spec.key], {"progress": 0.0, **dict(spec.args)}), path)


def _fit(problem: str | None, path: Path) -> list[Mistake]:
    return [Mistake((*path, "args"), problem)] if problem else []
