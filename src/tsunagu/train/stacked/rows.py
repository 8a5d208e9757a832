"""The weights of R modules of one shape as one buffer, a row each, and their gradients as another.

An optimiser then makes one call on one tensor for each member, and zeroing, clipping, keeping the best weights and
writing a checkpoint are one operation each. The modules' parameters become views: they go on working as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor, nn

__all__ = ["Leaf", "Rows"]


@final
@dataclass(slots=True, eq=False)
class Leaf:
    """A parameter that a loss is differentiated by.

    Args:
        parameter: ``[R, ...]`` of all members, or ``[...]`` of one.
        gradient: of the same shape, a view of the buffer: where the gradient belongs.
        fresh: whether nothing has been written there in this step.
    """

    parameter: nn.Parameter
    gradient: Tensor
    fresh: bool = True

    def add_product(self, left: Tensor, right: Tensor) -> None:
        """Add ``left [R, a, b] @ right [R, b, c]`` to the gradient; what is left of the last step does not count."""
        # Into a tensor of its own first: torch multiplies member by member where the result is no single block.
        self._add(left.bmm(right))

    def add_sum(self, gradient: Tensor) -> None:
        """Add ``gradient [R, N, c]``, summed over N."""
        self._add(gradient.sum(1))

    def _add(self, part: Tensor) -> None:
        if self.fresh:
            self.gradient.copy_(part)
        else:
            self.gradient.add_(part)
        self.fresh = False


@final
class Rows:
    """The trainable parameters of R modules as the rows of one matrix.

    A parameter that stands in several places of a module is one stretch of its row, and stays one. The gradient of a
    weight that a loss does not reach is 0 and not absent: an optimiser's momentum and weight decay act on it.

    Args:
        modules: of one shape; their parameters are moved into the buffer. Frozen ones (``requires_grad=False``) stay
            where they are.

    Attributes:
        weights: ``[R, P]``.
        gradients: ``[R, P]``.
        whole: the weights as one parameter with its gradient: what an optimiser is given.
        single: the modules' own parameters, each with its gradient.

    Raises:
        ValueError: parameters of several dtypes, or without a shape yet (:func:`tsunagu.tasks.build_graph` refuses
            such a model with its place in the spec), or modules of different shapes.

    >>> nets = [nn.Linear(2, 3), nn.Linear(2, 3)]
    >>> rows = Rows(nets)
    >>> rows.weights.shape
    torch.Size([2, 9])
    >>> rows.weights[1].zero_()
    tensor([0., 0., 0., 0., 0., 0., 0., 0., 0.])
    >>> nets[1].bias
    Parameter containing:
    tensor([0., 0., 0.], requires_grad=True)
    """

    def __init__(self, modules: Sequence[nn.Module]) -> None:
        trained = [[p for p in module.parameters() if p.requires_grad] for module in modules]
        shapes = _same_shapes(trained)
        self.count = sum(shape.numel() for shape in shapes)
        device = trained[0][0].device if self.count else None
        self.weights = torch.empty(len(modules), self.count, dtype=_dtype(trained[0]), device=device)
        self.gradients = torch.zeros_like(self.weights)
        self.single = [
            leaf for number, own in enumerate(trained) for leaf in self._adopt(number, own, shapes)
        ]
        self._stacked = dict(zip(map(id, trained[0]), self._across(shapes), strict=True))
        self.whole = nn.Parameter(self.weights)
        self.whole.grad = self.gradients

    @property
    def together(self) -> list[Leaf]:
        """The stacked parameters, each with the place of its gradient."""
        return list(self._stacked.values())

    def stacked(self, parameter: nn.Parameter) -> nn.Parameter:
        """One parameter of all members, ``[R, ...]``, given the first member's."""
        return self._stacked[id(parameter)].parameter

    def gather(self, parameters: Sequence[Tensor]) -> tuple[Tensor, Leaf | None]:
        """One parameter of all members, ``[R, ...]``, given each member's, and where its gradient goes.

        Frozen parameters are copied, and have no leaf.
        """
        leaf = self._stacked.get(id(parameters[0]))
        if leaf is None:
            return torch.stack([parameter.detach() for parameter in parameters]), None
        return leaf.parameter.detach(), leaf

    def _adopt(
        self, number: int, parameters: Sequence[nn.Parameter], shapes: Sequence[torch.Size]
    ) -> Iterator[Leaf]:
        for parameter, (start, shape) in zip(parameters, _places(shapes), strict=True):
            end = start + shape.numel()
            place = self.weights[number, start:end].view(shape)
            place.copy_(parameter.data)
            parameter.data = place
            # Backward adds into a gradient that is already there, so it lands in the buffer.
            parameter.grad = self.gradients[number, start:end].view(shape)
            yield Leaf(parameter, parameter.grad)

    def _across(self, shapes: Sequence[torch.Size]) -> Iterator[Leaf]:
        for start, shape in _places(shapes):
            size, stride = (len(self.weights), *shape), (self.count, *_strides(shape))
            weight, gradient = (
                torch.as_strided(b, size, stride, start) for b in (self.weights, self.gradients)
            )
            yield Leaf(nn.Parameter(weight), gradient)


def _places(shapes: Sequence[torch.Size]) -> Iterator[tuple[int, torch.Size]]:
    start = 0
    for shape in shapes:
        yield start, shape
        start += shape.numel()


def _strides(shape: torch.Size) -> tuple[int, ...]:
    return torch.empty(shape, device="meta").stride()


def _same_shapes(trained: Sequence[Sequence[nn.Parameter]]) -> list[torch.Size]:
    shapes = [[parameter.shape for parameter in parameters] for parameters in trained]
    if any(own != shapes[0] for own in shapes):
        msg = "modules of different shapes cannot be stacked"
        raise ValueError(msg)
    return shapes[0]


def _dtype(parameters: Sequence[nn.Parameter]) -> torch.dtype:
    found = {p.dtype for p in parameters}
    if len(found) > 1:
        msg = f"trainable weights of several dtypes: {', '.join(sorted(map(str, found)))}"
        raise ValueError(msg)
    return found.pop() if found else torch.float32
