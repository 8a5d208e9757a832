"""One flat buffer for the weights of a model, and one for its gradients.

The optimiser then makes one call on one tensor, and zeroing, clipping, keeping the best weights and writing a
checkpoint are one operation each. The module's parameters become views: it goes on working as it is.
"""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor, nn

__all__ = ["FlatModel"]


@final
class FlatModel:
    """The trainable parameters of a module as views of one vector.

    A parameter that stands in several places of the module is one stretch of the vector, and stays one. The gradient
    of a weight that a loss does not reach is 0 and not absent: an optimiser's momentum and weight decay act on it.

    Args:
        model: its parameters are moved into the flat buffer; frozen ones (``requires_grad=False``) stay where they are.

    Raises:
        ValueError: parameters of several dtypes, or without a shape yet (:func:`tsunagu.tasks.build_graph` refuses
            such a model with its place in the spec).

    >>> net = nn.Linear(2, 3)
    >>> flat = FlatModel(net)
    >>> flat.weights.shape
    torch.Size([9])
    >>> flat.weights.data.zero_()
    tensor([0., 0., 0., 0., 0., 0., 0., 0., 0.])
    >>> net.bias
    Parameter containing:
    tensor([0., 0., 0.], requires_grad=True)
    """

    def __init__(self, model: nn.Module) -> None:
        parameters = [p for p in model.parameters() if p.requires_grad]
        self.count = sum(p.numel() for p in parameters)
        self.weights = nn.Parameter(torch.empty(self.count, dtype=_dtype(parameters)))
        self.weights.grad = torch.zeros_like(self.weights)
        start = 0
        for parameter in parameters:
            end = start + parameter.numel()
            place = self.weights.data[start:end].view(parameter.shape)
            place.copy_(parameter.data)
            parameter.data = place
            # Backward adds into a gradient that is already there, so it lands in the flat buffer.
            parameter.grad = self.weights.grad[start:end].view(parameter.shape)
            start = end

    @property
    def gradient(self) -> Tensor:
        """The gradient of all weights, ``[P]``."""
        assert self.weights.grad is not None
        return self.weights.grad


def _dtype(parameters: list[nn.Parameter]) -> torch.dtype:
    found = {p.dtype for p in parameters}
    if len(found) > 1:
        msg = f"trainable weights of several dtypes: {', '.join(sorted(map(str, found)))}"
        raise ValueError(msg)
    return found.pop() if found else torch.float32
