"""Those of TorchJD that read losses alone: the derivatives of the number that they make are the weights of the losses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor

from tsunagu.losses.aggregate.aggregator import Aggregator, Combined, Moment, Reads, Seen, State
from tsunagu.losses.aggregate.memory import recall, remember
from tsunagu.losses.aggregate.torchjd import LEARNING, build, seeded

__all__ = ["Famo", "OfLosses"]

Settings = tuple[tuple[str, Any], ...]
EPOCH = "epoch"


@final
@dataclass(frozen=True, kw_only=True)
class OfLosses(Aggregator):
    """A scalarizer of TorchJD's.

    What it learns beside the model (the uncertainties of ``UW``, the scales of ``IMTLL``) is learned by an Adam of its own with
    ``learning_rate``. ``DWA`` is told of each epoch that has ended.

    Args:
        name: there.
        settings: its arguments; and ``learning_rate``.
    """

    name: str
    settings: Settings = ()

    @property
    def reads(self) -> Reads:
        return "losses"

    def begin(self, objectives: int, /) -> State:
        self._asked(torch.ones(objectives, dtype=torch.float64), {}, Moment(0, 0))
        return {}

    def combine(self, seen: Seen) -> Combined:
        each = zip(seen.losses.cpu(), seen.states, seen.moments, strict=True)
        asked = [self._asked(losses, state, moment) for losses, state, moment in each]
        weights = torch.stack([made for made, _ in asked]).to(seen.losses)
        return Combined(weights=weights, states=[state for _, state in asked])

    def _asked(self, losses: Tensor, state: State, moment: Moment) -> tuple[Tensor, Mapping[str, Tensor]]:
        if self.name in LEARNING:
            return self._learned(losses, state)
        module = build(self.name, dict(self.settings), len(losses))
        recall(self.name, module, state, losses)
        epoch = torch.tensor(moment.epoch)
        if self.name == "DWA" and state and int(state[EPOCH]) < moment.epoch:
            module.step()
        with seeded(moment.seed):
            weights = _weights(module, losses)
        kept = remember(self.name, module)
        return weights, kept | {EPOCH: epoch} if kept else kept

    def _learned(self, losses: Tensor, state: State) -> tuple[Tensor, Mapping[str, Tensor]]:
        module = build(self.name, dict(self.settings), len(losses))
        (parameter,) = module.parameters()
        adam = torch.optim.Adam([parameter], lr=dict(self.settings).get("learning_rate", 0.01))
        _restore(parameter, adam, state)
        weights = _weights(module, losses)
        adam.step()
        return weights, _stored(parameter, adam)


@final
@dataclass(frozen=True, kw_only=True)
class Famo(Aggregator):
    """FAMO (2306.03792), which learns its weights from what the losses of a batch do in the step that is made with it.

    So each step is followed by another pass over its events, without gradients.

    Args:
        name: FAMO.
        settings: its arguments.
    """

    name: str
    settings: Settings = ()

    @property
    def reads(self) -> Reads:
        return "losses"

    def begin(self, objectives: int, /) -> State:
        _weights(self._built(objectives), torch.ones(objectives, dtype=torch.float64))
        return {}

    def combine(self, seen: Seen) -> Combined:
        weights = [
            _weights(self._recalled(len(losses), state)[0], losses)
            for losses, state in zip(seen.losses.cpu(), seen.states, strict=True)
        ]
        return Combined(weights=torch.stack(weights).to(seen.losses), states=seen.states)

    def look_back(self, before: Tensor, after: Tensor, states: Sequence[State]) -> Sequence[State]:
        """The states after a step, given the losses ``[R, T]`` of the same events before and after it."""
        each = zip(before.cpu(), after.cpu(), states, strict=True)
        return [self._updated(first, last, state) for first, last, state in each]

    def _updated(self, before: Tensor, after: Tensor, state: State) -> State:
        module, adam = self._recalled(len(before), state)
        module._optimizer = adam  # noqa: SLF001
        module(before)
        module.update(after)
        return _stored(module._w, adam)  # noqa: SLF001

    def _recalled(self, objectives: int, state: State) -> tuple[Any, torch.optim.Optimizer]:
        module = self._built(objectives)
        # As the module makes its own, in its first update.
        adam = torch.optim.Adam([module._w], lr=module.lr, weight_decay=module.weight_decay)  # noqa: SLF001
        _restore(module._w, adam, state)  # noqa: SLF001
        return module, adam

    def _built(self, objectives: int) -> Any:
        return build(self.name, dict(self.settings), objectives)


def _weights(module: Any, losses: Tensor) -> Tensor:
    """The derivatives of a scalarizer by the losses ``[T]``; its own parameters get theirs too."""
    values = losses.detach().double().requires_grad_()
    with torch.enable_grad():
        torch.autograd.backward(module(values))
    assert values.grad is not None
    return values.grad


def _stored(parameter: Tensor, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    moments = optimizer.state.get(parameter, {})
    return {"learned": parameter.detach().clone()} | {n: v.detach().clone() for n, v in moments.items()}


def _restore(parameter: Tensor, optimizer: torch.optim.Optimizer, state: State) -> None:
    if not state:
        return
    with torch.no_grad():
        parameter.copy_(state["learned"])
    moments = {name: value.clone() for name, value in state.items() if name != "learned"}
    if moments:
        optimizer.state[parameter] = moments
