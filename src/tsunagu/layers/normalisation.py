"""Running statistics of batch normalisation, taken anew."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

__all__ = ["reestimate"]


def reestimate(module: nn.Module, batches: Iterable[Any]) -> None:
    """Take the running means and variances of batch normalisation anew: the plain average over the given batches.

    A path of a supernet shares its layers with other paths, whose events have left their mark on the running statistics; so
    they are taken anew before a path is judged (Guo et al., arXiv:1904.00420, section 3.4). A batch with few events counts
    as much as one with many.

    Args:
        module: running statistics are changed in place, also for others that share the layers; weights and modes are left
            as they are. Other layers run in evaluation mode, so that dropout draws nothing.
        batches: what the module is called with, one after the other; none are read where nothing is normalised.

    >>> layer = nn.BatchNorm1d(1)
    >>> reestimate(layer, [torch.tensor([[1.0], [3.0]]), torch.tensor([[5.0], [9.0]])])
    >>> layer.running_mean, layer.running_var
    (tensor([4.5000]), tensor([5.]))
    """
    layers = [part for part in module.modules() if isinstance(part, _BatchNorm) and part.track_running_stats]
    if not layers:
        return
    modes = [(part, part.training) for part in module.modules()]
    momenta = [layer.momentum for layer in layers]
    module.eval()
    try:
        for layer in layers:
            layer.reset_running_stats()
            layer.train()
            layer.momentum = None  # the average of all batches
        with torch.no_grad():
            for batch in batches:
                module(batch)
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
        for part, training in modes:
            part.training = training
