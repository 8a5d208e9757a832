"""Mixup: pairs of events and of their labels, mixed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from tsunagu.data.augment.augmentation import names_of, register_augmentation

__all__ = ["Mixup", "blended"]


@register_augmentation("mixup")
@final
@dataclass(frozen=True, kw_only=True)
class Mixup:
    """Each event mixed with another one of its batch: ``s x + (1 - s) x'``, inputs, label and weight alike.

    Zhang et al., ICLR 2018 (arXiv:1710.09412), with a share s of its own for each event, from Beta(alpha, alpha). The label is a
    probability then, so every loss must take one: ``binary``, and ``cross_entropy`` where ``classes`` is given.

    Args:
        target: column of the label.
        columns: of the inputs that are mixed; numbers, not classes.
        alpha: near 0 events are hardly mixed, 1 is uniform.
        classes: of a label of more than two; it becomes ``[N, classes]``.

    >>> mixup = Mixup(target="label", columns=["x"])
    >>> event, other = ({"x": torch.tensor([a]), "label": torch.tensor([b])} for a, b in ((1.0, 0), (3.0, 1)))
    >>> mixup.mixed(event, other, torch.tensor([0.75]))
    {'x': tensor([1.5000]), 'label': tensor([0.2500])}
    """

    target: str
    columns: Sequence[str]
    alpha: float = 0.2
    classes: int | None = None

    def __post_init__(self) -> None:
        if not self.alpha > 0.0:
            msg = f"alpha must be positive, found {self.alpha}"
            raise ValueError(msg)

    def pairs(self, events: int, key: int) -> tuple[Tensor, Tensor]:
        """The partner of each event of a batch, a place in it ``[B]``, and the event's own share ``[B]`` float32; on the CPU."""
        generator = np.random.default_rng(key)
        partner = torch.from_numpy(generator.permutation(events))
        return partner, torch.from_numpy(generator.beta(self.alpha, self.alpha, events)).float()

    def mixed(
        self, batch: Mapping[str, Tensor], other: Mapping[str, Tensor], share: Tensor
    ) -> dict[str, Tensor]:
        """The mixed columns.

        Args:
            batch: the events ``[N, ...]`` by name.
            other: the partner of each, ``[N, ...]``.
            share: ``[N]``, of the event itself.
        """
        inputs = [name for name in names_of(self.columns) if name in batch]
        found = {name: blended(batch[name], other[name], share) for name in inputs}
        if self.target in batch:
            own, theirs = (self._probabilities(part[self.target]) for part in (batch, other))
            found[self.target] = blended(own, theirs, share)
        return found

    def check(self, columns: Mapping[str, Tensor]) -> str | None:
        """A sentence on what makes the columns of a table unfit, or None where they fit."""
        whole = [name for name in names_of(self.columns) if not columns[name].is_floating_point()]
        label = columns[self.target]
        if whole:
            return f"column '{whole[0]}' holds whole numbers, which cannot be mixed"
        if label.ndim != 1 or bool((label != label.long()).any()):
            return f"the target '{self.target}' is not one class for each event"
        least, most = int(label.min()), int(label.max())
        if least < 0 or most >= (self.classes or 2):
            return f"the target '{self.target}' has the classes {least} to {most}, but {self.classes or 2} are expected"
        return None

    def _probabilities(self, label: Tensor) -> Tensor:
        if self.classes is None:
            return label.float()
        return functional.one_hot(label.long(), self.classes).float()


def blended(own: Tensor, other: Tensor, share: Tensor) -> Tensor:
    """``s x + (1 - s) x'`` for each event.

    >>> blended(torch.tensor([1.0]), torch.tensor([2.0]), torch.tensor([0.5]))
    tensor([1.5000])
    """
    return other + (own - other) * share.view(-1, *[1] * (own.ndim - 1)).to(own.dtype)
