"""Activations by name, and stacks of dense layers."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, final

from torch import Tensor, nn

from tsunagu.errors import did_you_mean
from tsunagu.layers.registry import check_args, register, torch_layers
from tsunagu.layers.sites import FiLMSite, Shifting
from tsunagu.layers.stochastic import Dropout

__all__ = ["Activation", "activate", "dense", "logit"]


def activate(activation: str | nn.Module) -> nn.Module:
    """A new activation: a class of ``torch.nn`` by name, or a copy of a module.

    Raises:
        ValueError: ``torch.nn`` has no such class, or it needs arguments.

    >>> activate("Mish")
    Mish()
    >>> activate("Mihs")
    Traceback (most recent call last):
    ValueError: unknown activation 'Mihs' (did you mean 'Mish'?)
    """
    if isinstance(activation, nn.Module):
        return copy.deepcopy(activation)
    if activation not in _activations():
        msg = f"unknown activation '{activation}'{did_you_mean(str(activation), _activations())}"
        raise ValueError(msg)
    made: nn.Module = getattr(nn, activation)()
    return made


def dense(
    sizes: Sequence[int],
    activation: str | nn.Module = "ReLU",
    dropout: float = 0.0,
    *,
    last: bool = False,
    film: bool = False,
) -> nn.Sequential:
    """Linear layers of the given sizes with an activation, and dropout where asked for, between them.

    Args:
        sizes: inputs, hidden sizes and outputs: two numbers or more, all positive.
        activation: as for :func:`activate`.
        dropout: the probability after each activation; 0 leaves the layer out.
        last: whether the last layer is activated too.
        film: whether there is a site for a condition behind the last activation: what is before it is shared by all values.

    Returns:
        ``[..., sizes[0]] -> [..., sizes[-1]]``.

    >>> dense([6, 32, 1])
    Sequential(
      (0): Linear(in_features=6, out_features=32, bias=True)
      (1): ReLU()
      (2): Linear(in_features=32, out_features=1, bias=True)
    )
    """
    if any(size < 1 for size in sizes):
        msg = f"layer sizes must be positive, found {list(sizes)}"
        raise ValueError(msg)
    layers: list[nn.Module] = []
    hidden = len(sizes) - 1 if last else len(sizes) - 2
    for i in range(len(sizes) - 1):
        layers.append(_linear(layers[-1] if layers else None, sizes[i], sizes[i + 1]))
        if i < hidden:
            layers.append(activate(activation))
            layers += [FiLMSite(sizes[i + 1], axis=-1)] if film and i == hidden - 1 else []
            layers += [Dropout(dropout)] if dropout else []
    return nn.Sequential(*layers)


def _linear(before: nn.Module | None, inputs: int, outputs: int) -> nn.Linear:
    if isinstance(before, FiLMSite) and 2 * outputs <= inputs:
        return Shifting(before, outputs)
    return nn.Linear(inputs, outputs)


def logit(x: Tensor) -> Tensor:
    """One number per event without an axis of its own: ``[E, 1]`` to ``[E]``; more outputs stay as they are.

    >>> import torch
    >>> logit(torch.zeros(5, 1)).shape, logit(torch.zeros(5, 3)).shape
    (torch.Size([5]), torch.Size([5, 3]))
    """
    return x.squeeze(-1) if x.shape[-1] == 1 else x


@final
class Activation(nn.Module):
    """Any layer of ``torch.nn`` that a mapping names: the key ``activation`` with ``name: GELU``.

    Args:
        name: a class of ``torch.nn``.
        args: its arguments.

    >>> Activation("AdaptiveAvgPool2d", output_size=1)
    Activation(
      (layer): AdaptiveAvgPool2d(output_size=1)
    )
    """

    def __init__(self, name: str, **args: Any) -> None:
        super().__init__()
        layers = torch_layers()
        if name not in layers:
            msg = f"torch.nn has no layer '{name}'{did_you_mean(name, layers)}"
            raise ValueError(msg)
        self.layer = layers[name](**args)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.layer(x)
        return result


register(Activation, "activation")


def _activations() -> list[str]:
    classes = {name: getattr(nn, name) for name in nn.modules.activation.__all__}
    return [name for name, cls in classes.items() if check_args(cls, {}) is None] + ["Identity"]
