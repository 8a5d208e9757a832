"""Adam's fused kernel without what torch does around it at every step.

With small networks the checks and the sorting by device of ``Optimizer.step`` take longer than the update itself.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, final

import torch
from torch import Tensor, nn

__all__ = ["Steps"]

_SETTINGS = ("lr", "weight_decay", "eps", "maximize")
_KERNELS = {torch.optim.Adam: "_fused_adam_", torch.optim.AdamW: "_fused_adamw_"}


@final
class Steps:
    """The steps of an optimiser; its settings and state stay its own.

    Args:
        optimizer: any; the first step is always torch's, which makes the state.

    >>> weight = torch.nn.Parameter(torch.ones(2))
    >>> weight.grad = torch.ones(2)
    >>> steps = Steps(torch.optim.Adam([weight], lr=0.5, fused=True))
    >>> steps.step()
    >>> steps.step()
    >>> weight.detach().round(decimals=3).tolist()
    [0.0, 0.0]
    """

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        self.optimizer = optimizer
        self._kernel = _kernel(optimizer)
        self._all = tuple(weight for group in optimizer.param_groups for weight in group["params"])
        self._lists: dict[tuple[int, ...], list[list[list[Tensor]]]] = {}

    def step(self, chosen: Sequence[nn.Parameter] | None = None) -> None:
        """Update weights by their gradients.

        Args:
            chosen: only these; the others keep their values and their state, as if they had no gradient. All by default.
        """
        weights = self._all if chosen is None else chosen
        known = self._lists.get(tuple(map(id, weights)))
        if known is None:
            self._first(weights)
            return
        for group, lists in zip(self.optimizer.param_groups, known, strict=True):
            if not lists[0]:
                continue
            torch._foreach_add_(lists[-1], 1)
            (beta1, beta2), settings = group["betas"], {name: group[name] for name in _SETTINGS}
            self._kernel(*lists[:-1], [], lists[-1], beta1=beta1, beta2=beta2, amsgrad=False, **settings)

    def has(self, weight: nn.Parameter) -> bool:
        """Whether it is among those that are updated."""
        return any(each is weight for group in self.optimizer.param_groups for each in group["params"])

    def replace(self, weight: nn.Parameter, state: dict[str, Tensor]) -> None:
        """Put another state in place of that of a weight."""
        self.optimizer.state[weight] = state
        self._lists = {}

    def _first(self, chosen: Sequence[nn.Parameter]) -> None:
        """A step of torch's own."""
        names = set(map(id, chosen))
        others = [weight for weight in self._all if id(weight) not in names]
        gradients = [weight.grad for weight in others]
        for weight in others:
            weight.grad = None
        self.optimizer.step()
        for weight, gradient in zip(others, gradients, strict=True):
            weight.grad = gradient
        if self._kernel is not None:
            found = [self._gather(group, names) for group in self.optimizer.param_groups]
            self._lists[tuple(map(id, chosen))] = found

    def _gather(self, group: dict[str, Any], chosen: Collection[int]) -> list[list[Tensor]]:
        weights = [weight for weight in group["params"] if id(weight) in chosen]
        states = [self.optimizer.state[weight] for weight in weights]
        kept = [[state[name] for state in states] for name in ("exp_avg", "exp_avg_sq", "step")]
        return [weights, [weight.grad for weight in weights], *kept]


def _kernel(optimizer: torch.optim.Optimizer) -> Any:
    """The kernel that makes the same steps, or None."""
    fused = all(group.get("fused") and not group.get("amsgrad") for group in optimizer.param_groups)
    return getattr(torch, _KERNELS.get(type(optimizer), ""), None) if fused else None
