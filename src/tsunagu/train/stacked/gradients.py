"""The gradients of stacked modules, each written where it belongs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor

from tsunagu.train.stacked.backends import Forward
from tsunagu.train.stacked.rows import Leaf, Rows

__all__ = ["Gradients"]


@final
class Gradients:
    """What a loss of all members is differentiated by.

    Some layers write the gradients of their weights themselves, as it passes; the others' are torch's to find.

    Args:
        stacks: the rows of each stack, and how it is run.
    """

    def __init__(self, stacks: Sequence[tuple[Rows, Forward]]) -> None:
        dense = [layer for _, forward in stacks for layer in forward.dense]
        self._written = [leaf for layer in dense for leaf in layer.leaves]
        own = set(map(id, self._written))
        self._found = [leaf for stack in stacks for leaf in _leaves(*stack) if id(leaf) not in own]
        anchors = [layer.anchor for layer in dense if layer.leaves]
        self._inputs = [*(leaf.parameter for leaf in self._found), *anchors]

    def write(self, total: Tensor) -> None:
        """Put the gradients of a scalar into the buffers; 0 where it depends on nothing."""
        for leaf in self._written:
            leaf.fresh = True
        if total.requires_grad and self._inputs:
            found = torch.autograd.grad(total, self._inputs, materialize_grads=True)
            if self._found:
                torch._foreach_copy_([leaf.gradient for leaf in self._found], list(found[: len(self._found)]))
        else:
            # Constant candidates (controls such as Zero) at the end of a chain: nothing can lower the loss.
            for leaf in self._found:
                leaf.gradient.zero_()
        for leaf in self._written:
            if leaf.fresh:
                leaf.gradient.zero_()


def _leaves(rows: Rows, forward: Forward) -> Sequence[Leaf]:
    return rows.together if forward.together else rows.single
