"""What TorchJD's modules keep between two steps, as tensors by name, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from torch import Tensor

__all__ = ["recall", "remember"]


@final
@dataclass(frozen=True)
class _Memory:
    """Where a module keeps its state.

    Args:
        part: the attribute that holds the part that keeps it; empty for the module itself.
        names: of the part's attributes.
        key: of the gradients ``[T, P]`` that it is shown, what the module recognises its state by.
        ready: called when all is back.
    """

    part: str
    names: tuple[str, ...]
    key: Callable[[Tensor], Any] | None = None
    ready: Callable[[Any], None] | None = None

    def of(self, module: Any) -> Any:
        return getattr(module, self.part) if self.part else module


_MEMORIES: Mapping[str, _Memory] = {
    "DWA": _Memory("", ("_loss_sum", "_n_batches", "_previous_averages")),
    "ExcessMTL": _Memory(
        "weighting",
        ("_sq_grad_sum", "_warmup_w_sum", "_weights", "_initial_w", "_n_steps"),
        lambda rows: (*rows.shape, rows.dtype, rows.device),
    ),
    "GradVac": _Memory("gramian_weighting", ("_phi_t",), lambda rows: (len(rows), torch.float64)),
    "NashMTL": _Memory(
        "weighting",
        ("step", "prvs_alpha", "normalization_factor"),
        ready=lambda part: part._init_optim_problem(),  # noqa: SLF001
    ),
    "PCD": _Memory("gramian_weighting", ("_sq_norm_ema", "_n_steps"), len),
}


def remember(name: str, module: Any) -> dict[str, Tensor]:
    """The state of a module; nothing for one that has none.

    Raises:
        ValueError: it has one, and nobody knows where.
    """
    memory = _memory(name, module)
    if memory is None:
        return {}
    found: dict[str, Tensor] = {}
    for attribute in memory.names:
        value = getattr(memory.of(module), attribute)
        several = value if isinstance(value, list) else [value]
        places = [f"{attribute}.{i}" for i in range(len(several))] if isinstance(value, list) else [attribute]
        found |= {p: _tensor(v) for p, v in zip(places, several, strict=True) if v is not None}
    return found


def recall(name: str, module: Any, state: Mapping[str, Tensor], rows: Tensor) -> None:
    """Give a new module the state that another one had.

    Args:
        name: of its class.
        module: is changed.
        state: of :func:`remember`; empty in the first step.
        rows: the gradients ``[T, P]`` that it is going to be shown.
    """
    memory = _memory(name, module)
    if memory is None or not state:
        return
    part = memory.of(module)
    for attribute in memory.names:
        setattr(part, attribute, _back(getattr(part, attribute), attribute, state))
    if memory.key is not None:
        part._state_key = memory.key(rows)  # noqa: SLF001
    if memory.ready is not None:
        memory.ready(part)


def _memory(name: str, module: Any) -> _Memory | None:
    from torchjd import Stateful

    if name not in _MEMORIES and isinstance(module, Stateful):
        msg = f"{name} keeps a state that a checkpoint would not hold"
        raise ValueError(msg)
    return _MEMORIES.get(name)


def _tensor(value: Any) -> Tensor:
    if isinstance(value, Tensor):
        return value.detach().clone()
    return torch.as_tensor(np.array(value))


def _back(now: Any, attribute: str, state: Mapping[str, Tensor]) -> Any:
    """A stored value as what stands there in a new module."""
    if isinstance(now, list):
        stored = sorted(name for name in state if name.startswith(f"{attribute}."))
        return [state[name].clone() for name in stored]
    if attribute not in state:
        return None
    if isinstance(now, np.ndarray):
        return state[attribute].numpy().copy()
    return state[attribute].item() if isinstance(now, int | float) else state[attribute].clone()
