"""Three ways to run R modules of one shape; a probe of two members decides, never a guess and never a clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor, nn
from torch.func import functional_call

from tsunagu.layers import reseed, stochastic, undisturbed
from tsunagu.train.stacked.dense import Dense
from tsunagu.train.stacked.inputs import Inputs
from tsunagu.train.stacked.layers import NotStackable, stack
from tsunagu.train.stacked.rows import Rows

__all__ = ["Forward", "choose"]

Run = Callable[[Inputs], Tensor]
CLOSE = 1e-4
"""How far two ways may differ, relative to the largest output: single precision in another order."""


@final
@dataclass(frozen=True)
class Forward:
    """How R modules are run.

    Args:
        backend: ``alone``, ``loop``, ``batched`` or ``vmap``.
        run: takes :class:`Inputs` and gives ``[R, B, ...]``.
        dense: layers that write the gradients of their weights themselves.
    """

    backend: str
    run: Run
    dense: tuple[Dense, ...] = ()

    @property
    def together(self) -> bool:
        """Whether the stacked parameters are in it, in place of the modules' own."""
        return self.backend in ("batched", "vmap")


def choose(modules: Sequence[nn.Module], rows: Rows, inputs: Inputs) -> Forward:
    """The fastest way that gives what the modules give one by one.

    On a CPU convolutions are run one after the other, since batching them costs more than it gains there.

    Args:
        modules: of one shape, in training mode.
        rows: that hold their weights.
        inputs: real ones; the probe takes the first two members.
    """
    if len(modules) == 1:
        return Forward("alone", _looped(modules))
    if rows.weights.device.type != "cpu" or not _has_convolutions(modules[0]):
        for make in (_batched, _vmapped):
            forward = _try(make, modules, rows, inputs)
            if forward is not None:
                return forward
    return Forward("loop", _looped(modules))


def _try(
    make: Callable[[Sequence[nn.Module], Rows], Forward],
    modules: Sequence[nn.Module],
    rows: Rows,
    inputs: Inputs,
) -> Forward | None:
    before = [{name: value.clone() for name, value in module.named_buffers()} for module in modules]
    try:
        forward = make(modules, rows)
        with torch.no_grad(), undisturbed(modules):
            found, wanted = (
                _seeded(forward.run, modules, inputs),
                _seeded(_looped(modules[:2]), modules, inputs),
            )
    except (NotStackable, RuntimeError, ValueError, TypeError, IndexError, AttributeError):
        return None
    finally:
        for module, buffers in zip(modules, before, strict=True):
            for name, value in module.named_buffers():
                value.copy_(buffers[name])
    return forward if _alike(found[:2], wanted) else None


def _seeded(run: Run, modules: Sequence[nn.Module], inputs: Inputs) -> Tensor:
    for module in modules:
        reseed(module, 0)
    return run(inputs)


def _alike(found: Tensor, wanted: Tensor) -> bool:
    if found.shape != wanted.shape:
        return False
    far = (found - wanted).abs().max() if found.numel() else torch.zeros(())
    return bool(far <= CLOSE * wanted.abs().max().clamp(min=1e-3))


def _has_convolutions(module: nn.Module) -> bool:
    kinds = nn.Conv1d | nn.Conv2d | nn.Conv3d | nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d
    return any(isinstance(part, kinds) for part in module.modules())


def _looped(modules: Sequence[nn.Module]) -> Run:
    def run(inputs: Inputs) -> Tensor:
        found = []
        for member, module in enumerate(modules):
            positional, keywords = inputs.one(member)
            found.append(module(*positional, **keywords))
        # A stack copies; one module's output is only given its axis.
        return found[0].unsqueeze(0) if len(found) == 1 else torch.stack(found)

    return run


def _batched(modules: Sequence[nn.Module], rows: Rows) -> Forward:
    net, members = stack(modules, rows).train(), len(modules)

    def run(inputs: Inputs) -> Tensor:
        positional, keywords = inputs.all()
        folded = {name: value.flatten(0, 1) for name, value in keywords.items()}
        made: Tensor = net(*(value.flatten(0, 1) for value in positional), **folded)
        return made.view(members, -1, *made.shape[1:])

    return Forward("batched", run, tuple(part for part in net.modules() if isinstance(part, Dense)))


def _vmapped(modules: Sequence[nn.Module], rows: Rows) -> Forward:
    first = modules[0]
    if (
        any(stochastic(first))
        or list(first.buffers())
        or any(not p.requires_grad for p in first.parameters())
    ):
        raise NotStackable(type(first).__name__)
    weights: dict[str, Tensor] = {n: rows.stacked(parameter) for n, parameter in first.named_parameters()}

    def single(own: dict[str, Tensor], positional: list[Tensor], keywords: dict[str, Tensor]) -> Any:
        return functional_call(first, own, tuple(positional), keywords)

    together = torch.vmap(single)

    def run(inputs: Inputs) -> Tensor:
        positional, keywords = inputs.all()
        made: Tensor = together(weights, positional, keywords)
        return made

    return Forward("vmap", run)
