"""The first weights of the blocks: Xavier uniform, zero biases, orthogonal recurrent weights."""

from __future__ import annotations

from typing import TypeVar

from torch import nn

__all__ = ["initialise"]

# A type variable of the old kind: the project supports Python 3.11.
ModuleT = TypeVar("ModuleT", bound=nn.Module)


def initialise(module: ModuleT) -> ModuleT:
    """Draw the first weights of all dense, convolutional and LSTM layers inside a module, in place.

    Weights are Xavier uniform (Glorot & Bengio 2010: uniform within ``sqrt(6 / (fan_in + fan_out))``), biases zero,
    and the hidden-to-hidden weights of an LSTM orthogonal (Saxe et al., arXiv:1312.6120). The draws come from torch's
    global generator, which whoever builds the network seeds and restores.

    Returns:
        The same module.

    >>> initialise(nn.Linear(3, 2)).bias.tolist()
    [0.0, 0.0]
    """
    for layer in module.modules():
        if isinstance(layer, nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.LSTM):
            _initialise_lstm(layer)
    return module


def _initialise_lstm(layer: nn.LSTM) -> None:
    for name, weight in layer.named_parameters(recurse=False):
        if name.startswith("bias"):
            nn.init.zeros_(weight)
        elif name.startswith("weight_hh"):
            nn.init.orthogonal_(weight)
        else:
            nn.init.xavier_uniform_(weight)
