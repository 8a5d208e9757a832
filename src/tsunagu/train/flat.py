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

    Args:
        model: its parameters are moved into the flat buffer; frozen ones (``requires_grad=False``) stay where they are.

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
        dtype = parameters[0].dtype if parameters else torch.float32
        self.weights = nn.Parameter(torch.empty(self.count, dtype=dtype))
        self.weights.grad = torch.zeros_like(self.weights)
        start = 0
        for parameter in parameters:
            end = start + parameter.numel()
            place = self.weights.data[start:end].view_as(parameter)
            place.copy_(parameter.data)
            parameter.data = place
            # Backward adds into a gradient that is already there, so it lands in the flat buffer.
            parameter.grad = self.weights.grad[start:end].view_as(parameter)
            start = end

    @property
    def gradient(self) -> Tensor:
        """The gradient of all weights, ``[P]``."""
        assert self.weights.grad is not None
        return self.weights.grad
