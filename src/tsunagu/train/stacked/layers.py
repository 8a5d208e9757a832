"""Batched layers: one layer of R members on the events of all of them, which stand one member after the other.

Legend: ``R`` members, ``N`` events of a member (jets of an event may be folded into it), ``x [R N, ...]``. A module that
only treats events one by one never notices that the first axis holds several members, so the layers that have weights
are all that is replaced.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from tsunagu.layers import Dropout, Stochastic
from tsunagu.train.stacked.dense import ACTIVATIONS, Dense, Layer
from tsunagu.train.stacked.rows import Rows

__all__ = ["NotStackable", "stack"]


class NotStackable(Exception):
    """Not an error: these modules are run in another way."""


Batched = Callable[[Sequence[Any], Rows], nn.Module]


def stack(modules: Sequence[nn.Module], rows: Rows) -> nn.Module:
    """R modules of one shape as one that takes ``[R N, ...]`` and gives ``[R N, ...]``.

    Its weights are the stacked parameters of ``rows``; buffers become rows of stacked ones, of which the modules keep views.

    Raises:
        NotStackable: a layer with weights of its own or random numbers that has no batched form here.
    """
    first = modules[0]
    if type(first) in _BATCHED:
        return _BATCHED[type(first)](modules, rows)
    own = [*first.parameters(recurse=False), *first.buffers(recurse=False)]
    if own or isinstance(first, Stochastic):
        raise NotStackable(type(first).__name__)
    # A copy with other children: what a user's class computes around its layers stays as it is.
    made = copy.copy(first)
    names = [name for name, _ in first.named_children()]
    vars(made)["_modules"] = {name: stack([getattr(m, name) for m in modules], rows) for name in names}
    return made


def _weight(layers: Sequence[nn.Module], name: str, rows: Rows) -> Tensor | None:
    """A parameter of all members, ``[R, ...]``, or None where the layer has none of this name."""
    own = [getattr(layer, name) for layer in layers]
    if own[0] is None:
        return None
    values, leaf = rows.gather(own)
    return values if leaf is None else leaf.parameter


def _linear(layers: Sequence[nn.Linear], rows: Rows) -> nn.Module:
    return Dense([Layer.of(layers, rows)])


def _sequential(modules: Sequence[nn.Sequential], rows: Rows) -> nn.Module:
    """Dense layers and the activations behind them become one operation, up to the next other layer."""
    parts: list[nn.Module] = []
    dense: list[Layer] = []
    columns = [list(column) for column in zip(*modules, strict=True)]
    for place, column in enumerate(columns):
        if type(column[0]) is nn.Linear:
            dense.append(Layer.of(column, rows, _activation(columns[place + 1 :])))
        elif not (place and type(columns[place - 1][0]) is nn.Linear and type(column[0]) in ACTIVATIONS):
            parts += [*([Dense(dense)] if dense else []), stack(column, rows)]
            dense = []
    return nn.Sequential(*parts, *([Dense(dense)] if dense else []))


def _activation(columns: Sequence[Sequence[nn.Module]]) -> nn.Module | None:
    follows = columns[0][0] if columns else None
    return follows if type(follows) in ACTIVATIONS else None


class _LSTM(nn.Module):
    """One LSTM layer by hand: the fused one of torch knows no members. Equations of ``torch.nn.LSTM``."""

    def __init__(self, layers: Sequence[nn.LSTM], rows: Rows) -> None:
        super().__init__()
        first = layers[0]
        plain = (first.num_layers, first.bidirectional, first.proj_size, first.batch_first, first.bias)
        if plain != (1, False, 0, True, True):
            msg = "LSTM with several layers, directions or projections"
            raise NotStackable(msg)
        self.members, self.hidden = len(layers), first.hidden_size
        found = [
            _weight(layers, n, rows) for n in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
        ]
        inner, outer, self.bias_in, self.bias_out = (part for part in found if part is not None)
        self.inner, self.outer = inner.transpose(1, 2), outer.transpose(1, 2)

    def forward(self, x: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        steps, events = x.shape[1], x.shape[0] // self.members
        flat = x.reshape(self.members, events * steps, x.shape[2])
        bias = (self.bias_in + self.bias_out).unsqueeze(1)
        gates = bias.baddbmm(flat, self.inner).view(self.members, events, steps, 4 * self.hidden)
        state, cell, outputs = None, None, []
        for step in range(steps):
            now = gates[:, :, step]
            if state is not None:
                now = now.baddbmm(state, self.outer)
            enter, forget, new, leave = now.chunk(4, dim=-1)
            fresh = enter.sigmoid() * new.tanh()
            cell = fresh if cell is None else forget.sigmoid() * cell + fresh
            state = leave.sigmoid() * cell.tanh()
            outputs.append(state)
        assert state is not None
        assert cell is not None
        seen = torch.stack(outputs, dim=2).flatten(0, 1)
        return seen, (state.flatten(0, 1).unsqueeze(0), cell.flatten(0, 1).unsqueeze(0))


class _LayerNorm(nn.Module):
    def __init__(self, layers: Sequence[nn.LayerNorm], rows: Rows) -> None:
        super().__init__()
        self.members, self.shape, self.eps = len(layers), layers[0].normalized_shape, layers[0].eps
        self.weight, self.bias = (_weight(layers, name, rows) for name in ("weight", "bias"))

    def forward(self, x: Tensor) -> Tensor:
        normal = functional.layer_norm(x, self.shape, eps=self.eps)
        if self.weight is None:
            return normal
        flat = normal.view(self.members, -1, *self.shape) * self.weight.unsqueeze(1)
        flat = flat if self.bias is None else flat + self.bias.unsqueeze(1)
        return flat.view(x.shape)


class _BatchNorm(nn.Module):
    """Batch normalisation of ``[R N, C]``, each member by its own events, with stacked running statistics."""

    def __init__(self, layers: Sequence[nn.BatchNorm1d], rows: Rows) -> None:
        super().__init__()
        first = layers[0]
        if not first.track_running_stats or first.momentum is None:
            msg = "BatchNorm without running statistics, or with their cumulative mean"
            raise NotStackable(msg)
        self.members, self.momentum, self.eps = len(layers), first.momentum, first.eps
        self.weight, self.bias = (_weight(layers, name, rows) for name in ("weight", "bias"))
        self.mean, self.var, self.seen = (
            _shared(layers, name) for name in ("running_mean", "running_var", "num_batches_tracked")
        )

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim != 2:
            msg = f"BatchNorm of {x.ndim} axes"
            raise NotStackable(msg)
        events, channels = x.shape[0] // self.members, x.shape[1]
        wide = x.view(self.members, events, channels).transpose(0, 1).reshape(events, -1)
        if self.training:
            self.seen += 1
        scale, shift = (None if part is None else part.reshape(-1) for part in (self.weight, self.bias))
        settings = (scale, shift, self.training, self.momentum, self.eps)
        normal = functional.batch_norm(wide, self.mean.view(-1), self.var.view(-1), *settings)
        return normal.view(events, self.members, channels).transpose(0, 1).reshape(x.shape)


class _Dropout(nn.Module):
    """Each member's own generator, so that a member's masks are those it would draw alone."""

    def __init__(self, layers: Sequence[Dropout], rows: Rows) -> None:  # noqa: ARG002 - all layers are made alike
        super().__init__()
        self.layers = list(layers)

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.layers[0].p == 0.0:
            return x
        return torch.cat(
            [layer(part) for layer, part in zip(self.layers, x.chunk(len(self.layers)), strict=True)]
        )


def _shared(layers: Sequence[nn.Module], name: str) -> Tensor:
    """A buffer of all members, ``[R, ...]``; each module keeps its row of it."""
    together = torch.stack([getattr(layer, name) for layer in layers])
    for layer, row in zip(layers, together, strict=True):
        setattr(layer, name, row)
    return together


_BATCHED: dict[type[nn.Module], Batched] = {
    nn.Linear: _linear,
    nn.Sequential: _sequential,
    nn.LSTM: _LSTM,
    nn.LayerNorm: _LayerNorm,
    nn.BatchNorm1d: _BatchNorm,
    Dropout: _Dropout,
}
