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

    def write(self, total: Tensor, *, keep: bool = False) -> None:
        """Put the gradients of a scalar into the buffers; 0 where it depends on nothing.

        Args:
            total: a scalar.
            keep: the graph, for another one that hangs on it too.
        """
        self.through([total], keep=keep)

    def through(
        self,
        outputs: Sequence[Tensor],
        slopes: Sequence[Tensor] | None = None,
        features: Sequence[Tensor] = (),
        *,
        keep: bool = False,
    ) -> Sequence[Tensor]:
        """Put the gradients of ``sum_o slope_o . output_o`` into the buffers; 0 where it depends on nothing.

        Args:
            outputs: of any shapes; scalars where no slopes are given.
            slopes: of the same shapes.
            features: further tensors to differentiate by.
            keep: the graph, for another pass.

        Returns:
            The gradients by the features.
        """
        for leaf in self._written:
            leaf.fresh = True
        inputs = [*self._inputs, *features]
        ways: Sequence[Tensor | None] = slopes or [None] * len(outputs)
        pairs = [pair for pair in zip(outputs, ways, strict=True) if pair[0].requires_grad]
        back: Sequence[Tensor] = [torch.zeros_like(feature) for feature in features]
        if pairs and inputs:
            ends, seeds = zip(*pairs, strict=True)
            found = torch.autograd.grad(ends, inputs, seeds, retain_graph=keep, materialize_grads=True)
            back = found[len(self._inputs) :]
            if self._found:
                torch._foreach_copy_([leaf.gradient for leaf in self._found], list(found[: len(self._found)]))
        else:
            # Constant candidates (controls such as Zero) at the end of a chain: nothing can lower the loss.
            for leaf in self._found:
                leaf.gradient.zero_()
        for leaf in self._written:
            if leaf.fresh:
                leaf.gradient.zero_()
        return back


def _leaves(rows: Rows, forward: Forward) -> Sequence[Leaf]:
    return rows.together if forward.together else rows.single
