"""Layers that draw random numbers, each from a generator of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, final, runtime_checkable

import torch
from torch import Tensor, nn

from tsunagu.layers.registry import register
from tsunagu.layers.sharing import current_part
from tsunagu.random import derive_seed

__all__ = ["Draws", "Dropout", "Stochastic", "adopt", "reseed", "stochastic", "undisturbed"]


@runtime_checkable
class Stochastic(Protocol):
    """A module whose random numbers can be set back to a seed."""

    def reseed(self, seed: int) -> None:
        """Start all later draws from this seed."""


@final
class Draws:
    """Random numbers from a seed, the same on every device and in every number of processes that share a batch.

    They are drawn on the CPU, since each kind of device has a generator of another kind, for the whole batch.

    >>> draws = Draws(1)
    >>> first = draws.uniform((2,)), draws.uniform((2,))
    >>> again = Draws(1)
    >>> torch.equal(first[0], again.uniform((2,))), torch.equal(first[1], again.uniform((2,)))
    (True, True)
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._generator: torch.Generator | None = None

    def uniform(self, shape: Sequence[int]) -> Tensor:
        """Numbers from 0 to 1 ``[N, ...]`` on the CPU, N the rows that this process has."""
        return self._drawn(torch.rand, shape)

    def normal(self, shape: Sequence[int], dtype: torch.dtype | None = None) -> Tensor:
        """Numbers of mean 0 and width 1 ``[N, ...]`` on the CPU, N the rows that this process has."""
        return self._drawn(torch.randn, shape, dtype=dtype)

    def _drawn(self, draw: Callable[..., Tensor], shape: Sequence[int], **options: Any) -> Tensor:
        if self._generator is None:
            self._generator = torch.Generator().manual_seed(self.seed)
        part = current_part()
        if part is None:
            return draw(*shape, generator=self._generator, **options)
        rows, *rest = shape
        return draw(part.whole(rows), *rest, generator=self._generator, **options)[part.rows(rows)]


@register
@final
class Dropout(nn.Module):
    """Set inputs to 0 with probability p and scale the rest by ``1 / (1 - p)`` while training; else the identity.

    Unlike ``torch.nn.Dropout`` it draws from a generator of its own, so that masks derive from a seed.

    Args:
        p: the probability, from 0 to 1.
        dims: how many leading axes a mask has; 0 means all (each number on its own), 2 drops whole channels of
            ``[E, C, ...]``.

    Shapes: ``[E, ...]`` to the same.

    >>> layer = Dropout(0.5)
    >>> layer.reseed(1)
    >>> first = layer(torch.ones(4))
    >>> layer.reseed(1)
    >>> torch.equal(first, layer(torch.ones(4)))
    True
    """

    def __init__(self, p: float = 0.5, dims: int = 0) -> None:
        super().__init__()
        if not 0.0 <= p <= 1.0:
            msg = f"a dropout probability is from 0 to 1, found {p}"
            raise ValueError(msg)
        self.p = p
        self.dims = dims
        self.draws = Draws()

    def reseed(self, seed: int) -> None:
        """Start all later masks from this seed."""
        self.draws = Draws(seed)

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0.0:
            return x
        if self.p == 1.0:
            return x * 0.0
        shape = x.shape if self.dims == 0 else (*x.shape[: self.dims], *[1] * (x.ndim - self.dims))
        kept = self.draws.uniform(shape) >= self.p
        return x * kept.to(x.device) / (1.0 - self.p)

    def extra_repr(self) -> str:
        return f"p={self.p}" + (f", dims={self.dims}" if self.dims else "")


def stochastic(module: nn.Module) -> Iterator[tuple[str, Stochastic]]:
    """All stochastic leaves of a module with their paths.

    >>> [path for path, _ in stochastic(nn.Sequential(nn.ReLU(), Dropout()))]
    ['1']
    """
    return ((path, child) for path, child in module.named_modules() if isinstance(child, Stochastic))


def reseed(module: nn.Module, seed: int) -> None:
    """Reseed every stochastic leaf by ``derive_seed(seed, path)``, where the path is within the module.

    >>> net = nn.Sequential(Dropout(), Dropout())
    >>> reseed(net, 7)
    >>> first = net(torch.ones(8))
    >>> reseed(net, 7)
    >>> torch.equal(first, net(torch.ones(8)))
    True
    """
    for path, leaf in stochastic(module):
        leaf.reseed(derive_seed(seed, path))


@contextmanager
def undisturbed(modules: Iterable[nn.Module]) -> Iterator[None]:
    """The dropout layers of these modules draw on, after the block, as if they had not been reseeded in it.

    >>> layer, other = Dropout(), Dropout()
    >>> for one in (layer, other):
    ...     one.reseed(7)
    >>> with undisturbed([layer]):
    ...     layer.reseed(1)
    ...     _ = layer(torch.ones(4))
    >>> torch.equal(layer(torch.ones(8)), other(torch.ones(8)))
    True
    """
    layers = [part for module in modules for part in module.modules() if isinstance(part, Dropout)]
    kept = [layer.draws for layer in layers]
    try:
        yield
    finally:
        for layer, draws in zip(layers, kept, strict=True):
            layer.draws = draws


_CHANNEL_DROPOUT = (nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)


def adopt(module: nn.Module) -> nn.Module:
    """Replace torch's dropout layers by ours, so that a user's network never draws from a global generator.

    Args:
        module: changed in place, unless it is itself a dropout layer.

    Returns:
        The module, or the layer that replaces it.

    Raises:
        ValueError: a layer draws from the global generator and has no counterpart here; the message names it.

    >>> adopt(nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.2)))
    Sequential(
      (0): Linear(in_features=2, out_features=2, bias=True)
      (1): Dropout(p=0.2)
    )
    """
    foreign = [
        f"{path or 'itself'} ({type(m).__name__})" for path, m in module.named_modules() if _draws_globally(m)
    ]
    if foreign:
        msg = f"{', '.join(foreign)}: draws from torch's global generator; use Dropout layers in its place"
        raise ValueError(msg)
    return _adopted(module, {})


def _adopted(module: nn.Module, done: dict[int, nn.Module]) -> nn.Module:
    # A module may stand in several places, and must stay one module.
    if id(module) in done:
        return done[id(module)]
    ours: nn.Module = module
    if isinstance(module, (nn.Dropout, *_CHANNEL_DROPOUT)):
        ours = Dropout(module.p, 0 if isinstance(module, nn.Dropout) else 2).train(module.training)
    done[id(module)] = ours
    for name, child in list(module.named_children()):
        replacement = _adopted(child, done)
        if replacement is not child:
            setattr(module, name, replacement)
    return ours


def _draws_globally(module: nn.Module) -> bool:
    if isinstance(module, nn.RNNBase | nn.MultiheadAttention):
        return module.dropout > 0.0
    return isinstance(module, nn.AlphaDropout | nn.FeatureAlphaDropout | nn.RReLU | nn.FractionalMaxPool2d)
