"""Random numbers in a supernet: each path draws what the same architecture trained alone would draw."""

from __future__ import annotations

from typing import final
from weakref import WeakKeyDictionary

from torch import nn

from tsunagu.layers import Stochastic, stochastic
from tsunagu.random import derive_seed

__all__ = ["Noise"]


@final
class Noise:
    """The layers of a supernet that draw random numbers.

    Args:
        net: the supernet.

    >>> import torch
    >>> from tsunagu.layers import Dropout
    >>> net = nn.Sequential(Dropout())
    >>> noise = Noise(net)
    >>> noise.reseed(net, 1)
    >>> first = net(torch.ones(8))
    >>> noise.reseed(net, 1)
    >>> torch.equal(first, net(torch.ones(8)))
    True
    """

    def __init__(self, net: nn.Module) -> None:
        self._exists = any(True for _ in stochastic(net))
        self._layers: WeakKeyDictionary[nn.Module, list[tuple[str, Stochastic]]] = WeakKeyDictionary()

    def reseed(self, net: nn.Module, seed: int) -> None:
        """Set the layers of a path, a mixture or the supernet to a seed, each by its place in that module.

        Looking for them takes as long as a part of a small step, so what was found in a module is kept.
        """
        if not self._exists:
            return
        if net not in self._layers:
            self._layers[net] = list(stochastic(net))
        for place, layer in self._layers[net]:
            layer.reseed(derive_seed(seed, place))
