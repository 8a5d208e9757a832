"""The numbers of a loss, each the same for all events or one for each event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import lru_cache
from typing import TypeVar

import torch
from torch import Tensor

__all__ = ["Number", "constant", "given", "wide"]

Number = float | Tensor
"""A number, or ``[E]``, one for each event."""

Constant = tuple[float, ...] | tuple[tuple[float, ...], ...]

T = TypeVar("T")


def given(loss: T, values: Mapping[str, Tensor]) -> T:
    """A loss with one number for each event in place of some of its settings.

    Args:
        loss: a frozen dataclass; it is not changed.
        values: ``[E]`` by the name of a setting, any dtype. They are not checked, since this is done in every step.

    >>> import torch
    >>> from tsunagu.losses import find_loss
    >>> loss = given(find_loss("huber")(), {"delta": torch.tensor([1.0, 0.1])})
    >>> loss(torch.tensor([2.0, 2.0]), torch.zeros(2)).tolist()
    [1.5, 0.19500000774860382]
    """
    # Not by replace: checks are for numbers, and what an instance has computed of its settings must be forgotten.
    made: T = object.__new__(type(loss))
    own = {field.name: getattr(loss, field.name) for field in fields(loss)}  # type: ignore[arg-type]
    vars(made).update({**own, **values})
    return made


def wide(value: Number, like: Tensor) -> Number:
    """A setting in a shape and dtype that meets ``[E, ...]``; a plain number as it is.

    >>> import torch
    >>> wide(torch.tensor([1.0, 2.0]), torch.zeros(2, 3, 4)).shape, wide(0.5, torch.zeros(2, 3))
    (torch.Size([2, 1, 1]), 0.5)
    """
    if not isinstance(value, Tensor):
        return value
    return value.to(like.dtype).view(-1, *[1] * (like.ndim - 1))


def constant(values: Constant | Tensor, like: Tensor) -> Tensor:
    """Numbers as a tensor in the dtype and on the device of another; made once."""
    if isinstance(values, Tensor):
        return values.to(like.dtype)
    return _constant(values, like.dtype, like.device)


@lru_cache(maxsize=256)
def _constant(values: Constant, dtype: torch.dtype, device: torch.device) -> Tensor:
    # A tensor of an inference could not be used in a later training.
    with torch.inference_mode(mode=False):
        return torch.tensor(values, dtype=dtype, device=device)
