"""Layers that look at a whole batch, in processes that each have a part of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, final

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from tsunagu.errors import TsunaguError
from tsunagu.layers import Draws, current_part, stochastic

__all__ = ["SharedBatchNorm", "check_kept", "kept_numbers", "synchronise"]


@final
class SharedBatchNorm(_BatchNorm):
    """Batch normalisation by the statistics of the whole batch (Ioffe & Szegedy, arXiv:1502.03167).

    Mean and variance are sums over all processes, and so are their derivatives.

    Shapes: ``[E, C, ...]`` to the same.
    """

    def forward(self, x: Tensor) -> Tensor:
        part = current_part()
        if part is None or not self.training:
            normal: Tensor = super().forward(x)
            return normal
        axes = [axis for axis in range(x.ndim) if axis != 1]
        count = part.whole(x.shape[0]) * (x[0, 0].numel())
        mean = _total(x.sum(axes)) / count
        away = x - _wide(mean, x)
        variance = _total(away.square().sum(axes)) / count
        if self.track_running_stats:
            self._note(mean.detach(), variance.detach() * (count / (count - 1)))
        normal = away * _wide((variance + self.eps).rsqrt(), x)
        return normal * _wide(self.weight, x) + _wide(self.bias, x) if self.affine else normal

    def _check_input_dim(self, x: Tensor) -> None:
        if x.ndim < 2:
            msg = f"[E, C, ...] expected, found {list(x.shape)}"
            raise ValueError(msg)

    def _note(self, mean: Tensor, variance: Tensor) -> None:
        assert self.num_batches_tracked is not None
        self.num_batches_tracked += 1
        # Without a momentum it is the mean of all batches, as in torch.
        share = float(1.0 / self.num_batches_tracked) if self.momentum is None else self.momentum
        for kept, new in ((self.running_mean, mean), (self.running_var, variance)):
            assert kept is not None
            kept.lerp_(new, share)


def synchronise(graph: nn.Module) -> None:
    """Make the layers of a graph give in several processes what they give in one; changed in place.

    Raises:
        TsunaguError: a module draws random numbers of its own for each event.
    """
    for path, layer in stochastic(graph):
        if not any(isinstance(value, Draws) for value in vars(layer).values()):
            msg = (
                f"{path} ({type(layer).__name__}): draws random numbers that several processes cannot share; draw them "
                "from a tsunagu.layers.Draws, or train in one process"
            )
            raise TsunaguError(msg)
    for module in graph.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d):
            # In place, since a module may stand in several places, and hooks and weights stay its own.
            module.__class__ = SharedBatchNorm  # type: ignore[assignment]


def kept_numbers(graph: nn.Module) -> Mapping[str, Tensor]:
    """Copies of what a training must not change, where processes see parts of a batch: other numbers than weights."""
    return {name: value.detach().clone() for name, value in _kept(graph)}


def check_kept(before: Mapping[str, Tensor], graph: nn.Module) -> None:
    """Compare with :func:`kept_numbers` of an earlier moment.

    Raises:
        TsunaguError: a module has changed some, as only the process that sees all events can.
    """
    changed = [name for name, value in _kept(graph) if not torch.equal(value, before[name])]
    if changed:
        msg = (
            f"{', '.join(changed)}: a module gathers numbers of the events it sees, which are only a part of each batch "
            "here; train in one process"
        )
        raise TsunaguError(msg)


class _Total(torch.autograd.Function):
    """The sum over all processes; each part changes all of their losses, so the derivative is a sum too."""

    @staticmethod
    def forward(_: Any, part: Tensor) -> Tensor:
        return _summed(part)

    @staticmethod
    def backward(_: Any, gradient: Tensor) -> Tensor:
        return _summed(gradient)


def _total(part: Tensor) -> Tensor:
    whole: Tensor = _Total.apply(part)  # type: ignore[no-untyped-call]
    return whole


def _summed(part: Tensor) -> Tensor:
    whole = part.contiguous().clone()
    dist.all_reduce(whole)
    return whole


def _kept(graph: nn.Module) -> Iterator[tuple[str, Tensor]]:
    for path, module in graph.named_modules():
        if not isinstance(module, SharedBatchNorm):
            yield from ((f"{path}.{name}", value) for name, value in module.named_buffers(recurse=False))
        frozen = (p for p in module.named_parameters(recurse=False) if not p[1].requires_grad)
        yield from ((f"{path}.{name}", value) for name, value in frozen)


def _wide(channels: Tensor, x: Tensor) -> Tensor:
    """``[C]`` in a shape that meets ``[E, C, ...]``."""
    return channels.view(1, -1, *[1] * (x.ndim - 2))
