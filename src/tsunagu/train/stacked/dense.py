"""Dense layers of R members, one behind the other, as one operation with a gradient of its own.

torch's own way keeps the result of every layer and activation, makes each gradient anew and copies it to where it belongs.
Here activations and their gradients overwrite what nobody reads again, and the gradients of weights are written straight
into the buffer of :class:`~tsunagu.train.stacked.rows.Rows`: with small networks that is a third of a step.

Legend: ``R`` members, ``N`` events of a member, ``x [R N, ..., in]``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from tsunagu.train.stacked.rows import Leaf, Rows

__all__ = ["ACTIVATIONS", "Dense", "Layer"]

aten = torch.ops.aten


@final
@dataclass(frozen=True)
class _Activation:
    """An elementwise function and its gradient.

    Args:
        of_output: whether the gradient is computed from what the function gave, which then overwrites what it was given.
        run: of the module and a tensor; in place where ``of_output``.
        back: of the module, the gradient and what is kept.
        back_in_place: the same, written over the gradient.
    """

    of_output: bool
    run: Callable[[Any, Tensor], Tensor]
    back: Callable[[Any, Tensor, Tensor], Tensor]
    back_in_place: Callable[[Any, Tensor, Tensor], Tensor]


ACTIVATIONS: Mapping[type[nn.Module], _Activation] = {
    nn.ReLU: _Activation(
        True,
        lambda _, x: x.relu_(),
        lambda _, g, y: aten.threshold_backward(g, y, 0),
        lambda _, g, y: aten.threshold_backward.grad_input(g, y, 0, grad_input=g),
    ),
    nn.Tanh: _Activation(
        True,
        lambda _, x: x.tanh_(),
        lambda _, g, y: aten.tanh_backward(g, y),
        lambda _, g, y: aten.tanh_backward.grad_input(g, y, grad_input=g),
    ),
    nn.Sigmoid: _Activation(
        True,
        lambda _, x: x.sigmoid_(),
        lambda _, g, y: aten.sigmoid_backward(g, y),
        lambda _, g, y: aten.sigmoid_backward.grad_input(g, y, grad_input=g),
    ),
    nn.SiLU: _Activation(
        False,
        lambda _, x: nn.functional.silu(x),
        lambda _, g, x: aten.silu_backward(g, x),
        lambda _, g, x: aten.silu_backward.grad_input(g, x, grad_input=g),
    ),
    nn.GELU: _Activation(
        False,
        lambda m, x: nn.functional.gelu(x, approximate=m.approximate),
        lambda m, g, x: aten.gelu_backward(g, x, approximate=m.approximate),
        lambda m, g, x: aten.gelu_backward.grad_input(g, x, approximate=m.approximate, grad_input=g),
    ),
}
"""Those that can be run together with the dense layer before them; others follow it as modules of their own."""


@final
@dataclass(frozen=True)
class Layer:
    """One dense layer of R members.

    Args:
        weight: ``[R, out, in]``.
        bias: ``[R, 1, out]``, or None.
        weight_leaf: where the gradient of the weight goes; None where it is frozen.
        bias_leaf: the same for the bias.
        activation: that follows it, or None.
    """

    weight: Tensor
    bias: Tensor | None
    weight_leaf: Leaf | None
    bias_leaf: Leaf | None
    activation: nn.Module | None

    @classmethod
    def of(cls, modules: Sequence[nn.Linear], rows: Rows, activation: nn.Module | None = None) -> Layer:
        """The same layer of R members as one."""
        weight, weight_leaf = rows.gather([module.weight for module in modules])
        biases: list[Tensor | None] = [module.bias for module in modules]
        if biases[0] is None:
            return cls(weight, None, weight_leaf, None, activation)
        bias, bias_leaf = rows.gather([bias for bias in biases if bias is not None])
        return cls(weight, bias.unsqueeze(1), weight_leaf, bias_leaf, activation)

    @property
    def leaves(self) -> list[Leaf]:
        """Where its gradients go."""
        return [leaf for leaf in (self.weight_leaf, self.bias_leaf) if leaf is not None]

    def run(self, x: Tensor, kept: list[Tensor]) -> Tensor:
        """``[R, N, in]`` to ``[R, N, out]``; what the gradient needs is appended."""
        turned = self.weight.transpose(1, 2)
        y = x.bmm(turned) if self.bias is None else self.bias.baddbmm(x, turned)
        if self.activation is None:
            kept.append(x)
            return y
        how = ACTIVATIONS[type(self.activation)]
        made = how.run(self.activation, y)
        kept += [x, made if how.of_output else y]
        return made

    def back(self, gradient: Tensor, kept: list[Tensor], *, ours: bool, further: bool) -> Tensor | None:
        """The gradient by the input from that by the output; those of the weights are written.

        Args:
            gradient: ``[R, N, out]``.
            kept: the last entries are this layer's, and are taken off.
            ours: whether ``gradient`` may be overwritten.
            further: whether the gradient by the input is wanted.
        """
        if self.activation is not None:
            how = ACTIVATIONS[type(self.activation)]
            act = how.back_in_place if ours else how.back
            gradient = act(self.activation, gradient, kept.pop())
        x = kept.pop()
        if self.weight_leaf is not None:
            self.weight_leaf.add_product(gradient.transpose(1, 2), x)
        if self.bias_leaf is not None:
            self.bias_leaf.add_sum(gradient)
        return gradient.bmm(self.weight) if further else None


@final
class Dense(nn.Module):
    """Dense layers with the activations between them: ``[R N, ..., in]`` to ``[R N, ..., out]``.

    Attributes:
        leaves: their gradients are written as soon as a gradient passes, and are not torch's to find.
        anchor: what torch is asked to differentiate by in their place; nothing depends on its value.
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        super().__init__()
        self._layers = tuple(layers)
        self.leaves = [leaf for layer in layers for leaf in layer.leaves]
        self.anchor = torch.zeros((), requires_grad=bool(self.leaves))

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = _Run.apply(x, self.anchor, self._layers)  # type: ignore[no-untyped-call]
        return made


class _Run(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, _: Tensor, layers: tuple[Layer, ...]) -> Tensor:
        kept: list[Tensor] = []
        inner = x.reshape(len(layers[0].weight), -1, x.shape[-1])
        for layer in layers:
            inner = layer.run(inner, kept)
        ctx.save_for_backward(*kept)
        ctx.layers, ctx.shape = layers, x.shape
        return inner.view(*x.shape[:-1], inner.shape[-1])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, None, None]:
        kept, layers = list(ctx.saved_tensors), ctx.layers
        inner: Tensor | None = gradient.reshape(len(layers[0].weight), -1, gradient.shape[-1])
        for place in reversed(range(len(layers))):
            assert inner is not None
            further = place > 0 or ctx.needs_input_grad[0]
            inner = layers[place].back(inner, kept, ours=place < len(layers) - 1, further=further)
        return None if inner is None else inner.view(ctx.shape), None, None
