"""Optimisers and learning-rate schedules, by key."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from tsunagu.errors import Mistake, Path, did_you_mean
from tsunagu.layers import check_args
from tsunagu.spec import Node, choices

__all__ = ["SCHEDULES", "check_optimizer", "check_schedule", "clip", "learning_rate", "optimizer", "placed"]

Schedule = Callable[..., float]


def optimizer(spec: Node, weights: list[nn.Parameter]) -> torch.optim.Optimizer:
    """A ``torch.optim`` class by its name, fused where torch has a fused kernel.

    >>> from tsunagu.spec import node
    >>> type(optimizer(node("Adam", lr=1e-3), [nn.Parameter(torch.zeros(3))])).__name__
    'Adam'
    """
    cls = getattr(torch.optim, spec.key)
    arguments = _named(spec)
    # One vector of weights makes torch's "foreach" pointless, and it excludes "fused".
    if "fused" in inspect.signature(cls).parameters and not arguments.keys() & {"foreach", "differentiable"}:
        arguments.setdefault("fused", True)
    made: torch.optim.Optimizer = cls(weights, **arguments)
    return made


def placed(
    state: Mapping[str, Tensor], device: torch.device, made: torch.optim.Optimizer
) -> dict[str, Tensor]:
    """The state of a weight where an optimiser keeps it: on the weight's device, but for the number of steps, as torch reads it."""
    beside = made.defaults.get("fused") or made.defaults.get("capturable")
    return {
        name: value if name == "step" and not beside else value.to(device) for name, value in state.items()
    }


def clip(gradients: Sequence[Tensor], limit: float) -> None:
    """Shorten gradients, in place, so that their common norm is at most ``limit``.

    >>> gradients = [torch.tensor([3.0]), torch.tensor([4.0])]
    >>> clip(gradients, 0.5)
    >>> [round(float(part), 3) for part in gradients]
    [0.3, 0.4]
    """
    norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(part) for part in gradients]))
    # As torch.nn.utils.clip_grad_norm_ does it.
    torch._foreach_mul_(list(gradients), (limit / (norm + 1e-6)).clamp(max=1.0))


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
    """An exponential decay that reaches ``final``, 0 or more, at the end: ``final ** progress``.

    >>> round(exponential(0.5, final=0.01), 6)
    0.1
    """
    if final < 0.0:
        msg = f"final must be 0 or more, found {final}"
        raise ValueError(msg)
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
    return SCHEDULES[spec.key](step / max(1, steps_in_all), **_named(spec))


def check_optimizer(spec: Node, path: Path) -> list[Mistake]:
    """An unknown optimiser, or arguments that it does not take.

    >>> from tsunagu.spec import node
    >>> print(check_optimizer(node("Adma"), ("train", "optimizer"))[0])
    train.optimizer.key: unknown optimizer 'Adma' (did you mean 'Adam'?)
    >>> print(check_optimizer(node("Adam", lr=-1.0), ("train", "optimizer"))[0])
    train.optimizer.args: Invalid learning rate: -1.0
    """
    if spec.key in _UNFIT:
        return [Mistake((*path, "key"), f"'{spec.key}' {_UNFIT[spec.key]}; take Adam or another one")]
    known = _optimizers()
    if spec.key not in known:
        return [Mistake((*path, "key"), f"unknown optimizer '{spec.key}'{did_you_mean(spec.key, known)}")]
    made = getattr(torch.optim, spec.key)
    return _check(spec, path, (made, {"params": []}), lambda: optimizer(spec, [nn.Parameter(torch.zeros(1))]))


def check_schedule(spec: Node | None, path: Path) -> list[Mistake]:
    """An unknown schedule, arguments that it does not take, or a learning rate below 0.

    >>> from tsunagu.spec import node
    >>> print(check_schedule(node("steps", at=[0.5], factor=-1.0), ("train", "schedule"))[0])
    train.schedule.args: the learning rate must be 0 or more at any time, found the factor -1 at 50 %
    """
    if spec is None:
        return []
    if spec.key not in SCHEDULES:
        found = f"unknown schedule '{spec.key}'{did_you_mean(spec.key, SCHEDULES)}"
        return [Mistake((*path, "key"), found)]
    return _check(spec, path, (SCHEDULES[spec.key], {"progress": 0.0}), lambda: _try_schedule(spec))


# The weights of a model are one vector, so what an optimiser reads off the shape of a matrix is not there.
_UNFIT = {
    "Adafactor": "treats each matrix of weights by its shape, but here the weights of a model are one vector",
    "LBFGS": "evaluates the loss several times in a step, which a training on batches does not offer",
    "Muon": "treats each matrix of weights by its shape, but here the weights of a model are one vector",
    "SparseAdam": "takes sparse gradients only",
}


def _optimizers() -> list[str]:
    classes = {name: cls for name, cls in vars(torch.optim).items() if inspect.isclass(cls)}
    found = [name for name, cls in classes.items() if issubclass(cls, torch.optim.Optimizer)]
    return [name for name in found if name not in {*_UNFIT, "Optimizer"}]


def _check(
    spec: Node, path: Path, call: tuple[Callable[..., Any], dict[str, Any]], attempt: Callable[[], object]
) -> list[Mistake]:
    made, given = call
    if not isinstance(spec.args, Mapping):
        return [Mistake((*path, "args"), "arguments need their names here, such as {lr: 0.001}")]
    # No optimiser or schedule takes a text; torch would only say that it cannot compare one with a number.
    texts = {name: value for name, value in spec.args.items() if isinstance(value, str)}
    problem = check_args(made, {**given, **spec.args})
    if texts and problem is None:
        found = [
            ((*path, "args", name), f"expected a number, found '{value}'") for name, value in texts.items()
        ]
        return [Mistake(*each) for each in found]
    # Values that are still to be chosen cannot be tried.
    if problem is None and not choices(spec.args):
        try:
            attempt()
        except (ValueError, TypeError, ArithmeticError, RuntimeError) as error:
            problem = str(error)
    return [Mistake((*path, "args"), problem)] if problem else []


def _try_schedule(spec: Node) -> None:
    for percent in range(101):
        factor = learning_rate(spec, percent, 100)
        if not (math.isfinite(factor) and factor >= 0.0):
            msg = (
                f"the learning rate must be 0 or more at any time, found the factor {factor:g} at {percent} %"
            )
            raise ValueError(msg)


def _named(spec: Node) -> dict[str, Any]:
    assert isinstance(spec.args, Mapping)
    return dict(spec.args)
