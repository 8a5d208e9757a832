"""The tensors that a training consists of, by name: what a checkpoint holds and what the best epoch is restored from."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from torch import Tensor

from tsunagu.errors import ResumeError
from tsunagu.tasks import Graph

__all__ = ["copied", "load", "named", "of_tasks", "under", "weights"]


def weights(graph: Graph, rows: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """All that predictions depend on: weights, frozen weights and buffers, those that no state dict holds included.

    Returns:
        The tensors themselves, not copies.
    """
    trained = {f"weights.{name}": row for name, row in rows.items()}
    frozen = {f"frozen.{n}": p.data for n, p in graph.named_parameters() if not p.requires_grad}
    return trained | frozen | {f"buffers.{name}": value for name, value in graph.named_buffers()}


def of_tasks(tensors: Mapping[str, Tensor], tasks: Collection[str]) -> dict[str, Tensor]:
    """Those of :func:`weights` that belong to some tasks.

    >>> list(of_tasks({"weights.fit": Tensor(), "weights.fit2": Tensor(), "buffers.models.fit.0.mean": Tensor()}, ["fit"]))
    ['weights.fit', 'buffers.models.fit.0.mean']
    """
    whole = {f"weights.{task}" for task in tasks}
    starts = tuple(f"{kind}.models.{task}." for kind in ("frozen", "buffers") for task in tasks)
    return {name: value for name, value in tensors.items() if name in whole or name.startswith(starts)}


def load(own: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> None:
    """Copy stored tensors into :func:`weights`.

    Raises:
        ResumeError: other names, shapes or dtypes.
    """
    if _kinds(own) != _kinds(tensors):
        msg = "the stored weights are not those of this pipeline; remove the checkpoint to begin the trial again"
        raise ResumeError(msg)
    for name, value in own.items():
        value.copy_(tensors[name])


def copied(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Copies of tensors, under the same names."""
    return {name: value.detach().clone() for name, value in tensors.items()}


def named(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same tensors with a prefix before each name.

    >>> list(named("now", {"w": Tensor()}))
    ['now.w']
    """
    return {f"{prefix}.{name}": value for name, value in tensors.items()}


def under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors that :func:`named` gave this prefix, without it.

    >>> list(under("now", {"now.w": Tensor(), "best.w": Tensor()}))
    ['w']
    """
    start = prefix + "."
    return {name.removeprefix(start): value for name, value in tensors.items() if name.startswith(start)}


def _kinds(tensors: Mapping[str, Tensor]) -> dict[str, tuple[object, ...]]:
    return {name: (value.dtype, *value.shape) for name, value in tensors.items()}
