"""The recurrent controller of ENAS: an LSTM that decides the open choices one after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from tsunagu.random import derive_seed
from tsunagu.search.space import Space
from tsunagu.spec import Architecture

__all__ = ["Decided", "Pick", "controller_start", "decide"]

Pick = Callable[[str, Tensor], int]
"""The place of an option, given the label and the probabilities ``[K]``."""


@final
@dataclass(frozen=True)
class Decided:
    """What a controller decided.

    Args:
        architecture: its open labels.
        log_probability: scalar, of all decisions together.
        entropy: scalar, the sum over decisions, in natural units.
        probabilities: ``[K]`` for each open label, given the decisions before it.
    """

    architecture: Architecture
    log_probability: Tensor
    entropy: Tensor
    probabilities: Mapping[str, Tensor]


def controller_start(space: Space, seed: int, hidden: int) -> dict[str, Tensor]:
    """The weights of a controller, uniform in -0.1 .. 0.1, float64.

    Each label has an embedding of its options, read by the next decision, and a linear layer that gives its logits.
    """
    shapes = {
        "start": (hidden,),
        "input": (4 * hidden, hidden),
        "recurrent": (4 * hidden, hidden),
        "bias": (4 * hidden,),
    }
    for label, options in space.options.items():
        shapes[f"embedding/{label}"] = shapes[f"weight/{label}"] = (len(options), hidden)
        shapes[f"offset/{label}"] = (len(options),)
    return {name: _uniform(shape, derive_seed(seed, "controller", name)) for name, shape in shapes.items()}


def decide(
    weights: Mapping[str, Tensor], space: Space, pick: Pick, temperature: float, bound: float
) -> Decided:
    """Decide the open choices; differentiable in the weights.

    Args:
        weights: those of :func:`controller_start`.
        space: whose choices are decided.
        pick: by sampling, by the largest probability, or as in a given architecture.
        temperature: divides the logits.
        bound: logits are ``bound * tanh(logits / temperature)``, so that no option dies early.
    """
    hidden = weights["start"].numel()
    reads = weights["start"]
    memory = (torch.zeros(1, hidden, dtype=reads.dtype), torch.zeros(1, hidden, dtype=reads.dtype))
    logs: dict[str, Tensor] = {}
    taken: dict[str, int] = {}

    def step(label: str, options: tuple[str, ...]) -> str:
        nonlocal reads, memory
        cell = (weights["input"], weights["recurrent"], weights["bias"], torch.zeros_like(weights["bias"]))
        memory = torch.lstm_cell(reads[None], memory, *cell)
        logits = memory[0][0] @ weights[f"weight/{label}"].T + weights[f"offset/{label}"]
        logs[label] = (bound * torch.tanh(logits / temperature)).log_softmax(0)
        taken[label] = pick(label, logs[label].detach().exp())
        reads = weights[f"embedding/{label}"][taken[label]]
        return options[taken[label]]

    architecture = space.walk(step)
    log_probability = torch.stack([logs[label][index] for label, index in taken.items()]).sum()
    entropy = -torch.stack([(log.exp() * log).sum() for log in logs.values()]).sum()
    return Decided(architecture, log_probability, entropy, {n: log.detach().exp() for n, log in logs.items()})


def _uniform(shape: tuple[int, ...], seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(shape, generator=generator, dtype=torch.float64) * 0.2 - 0.1
