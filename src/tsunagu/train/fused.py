"""Adam's fused kernel without what torch does around it at every step.

With small networks the checks and the sorting by device of ``Optimizer.step`` take longer than the update itself.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, final

import torch
from torch import Tensor, nn

__all__ = ["Steps"]

Groups = list[list[list[Tensor]]]
"""For each group of an optimiser the weights, gradients, two moments and numbers of steps."""

_MOST_KEPT = 256
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
        self._every = tuple(map(id, self._all))
        self._lists: dict[tuple[int, ...], Groups] = {}

    def step(self, chosen: Sequence[nn.Parameter] | None = None) -> None:
        """Update weights by their gradients.

        Args:
            chosen: only these, each once; the others keep their values and their state, as if they had no gradient. All by
                default.
        """
        key = self._every if chosen is None else tuple(map(id, chosen))
        known = self._lists.get(key) or self._gathered(key)
        # Without lists the step has been one of torch's own.
        for group, lists in zip(self.optimizer.param_groups, known, strict=False):
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

    def _gathered(self, key: tuple[int, ...]) -> Groups:
        """What the kernel works on; nothing after a step of torch's own, where it cannot be used or has no state yet."""
        chosen = set(key)
        fresh = {id(weight) for weight in self._all if not self.optimizer.state.get(weight)} & chosen
        if self._kernel is None or fresh:
            self._by_torch(chosen, fresh)
            return []
        if len(self._lists) >= _MOST_KEPT:
            self._lists.clear()
        found = self._lists[key] = [self._gather(group, chosen) for group in self.optimizer.param_groups]
        return found

    def _by_torch(self, chosen: set[int], fresh: set[int]) -> None:
        # SGD's kernel takes no weights with a momentum together with those that have none yet.
        for some in (fresh, chosen - fresh):
            if some:
                self._with_others_hidden(some)

    def _with_others_hidden(self, chosen: Collection[int]) -> None:
        others = [weight for weight in self._all if id(weight) not in chosen]
        gradients = [weight.grad for weight in others]
        for weight in others:
            weight.grad = None
        self.optimizer.step()
        for weight, gradient in zip(others, gradients, strict=True):
            weight.grad = gradient

    def _gather(self, group: dict[str, Any], chosen: Collection[int]) -> list[list[Tensor]]:
        weights = [weight for weight in group["params"] if id(weight) in chosen]
        states = [self.optimizer.state[weight] for weight in weights]
        kept = [[state[name] for state in states] for name in ("exp_avg", "exp_avg_sq", "step")]
        return [weights, [weight.grad for weight in weights], *kept]


def _kernel(optimizer: torch.optim.Optimizer) -> Any:
    """The kernel that makes the same steps, or None."""
    fused = all(group.get("fused") and not group.get("amsgrad") for group in optimizer.param_groups)
    return getattr(torch, _KERNELS.get(type(optimizer), ""), None) if fused else None
