"""The contract of an aggregator."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from tsunagu.losses import Aggregator, Combined, LooksBack, Moment, Seen, State
from tsunagu.random import derive_seed

__all__ = ["check_aggregator_contract"]

MEMBERS, WEIGHTS = 3, 5


def check_aggregator_contract(
    aggregator: Aggregator, objectives: int = 3, *, steps: int = 4, seed: int = 1
) -> None:
    """A few steps with made-up losses and gradients, and what must hold all along.

    It gives finite weights ``[R, T]``, or directions ``[P]`` for each member, and a state of tensors; what it is given stays as it is; the
    same step gives the same again, and nothing is drawn from a global generator; no member sees another, so one alone comes to
    what it comes to among others; a state that was written and read goes on as the original does; equal aggregators are equal and
    have one hash.

    Args:
        aggregator: with any settings.
        objectives: how many losses.
        steps: how many steps, two in an epoch.
        seed: of the made-up numbers.

    Raises:
        AssertionError: the contract is broken; the message says by what.

    >>> from tsunagu.losses import Mgda
    >>> check_aggregator_contract(Mgda(normalisation="l2"))
    """
    assert hash(aggregator) == hash(aggregator), "it has no hash"
    states: Sequence[State] = [aggregator.begin(objectives) for _ in range(MEMBERS)]
    for step in range(steps):
        seen = _seen(aggregator, states, objectives, seed, step)
        before = _copied(seen)
        kept = torch.get_rng_state()
        combined = aggregator.combine(seen)
        assert torch.equal(kept, torch.get_rng_state()), "it draws from torch's global generator"
        assert _same(_flat(seen), _flat(before)), "it changes what it is given"
        _check_made(combined, seen, objectives)
        assert _same(_made(combined), _made(aggregator.combine(before))), "the same step gives something else"
        _check_alone(aggregator, seen, combined)
        states = _looked_back(aggregator, seen, combined)


def _seen(aggregator: Aggregator, states: Sequence[State], objectives: int, seed: int, step: int) -> Seen:
    generator = torch.Generator().manual_seed(derive_seed(seed, "step", step))
    shape = (MEMBERS, objectives, WEIGHTS)
    jacobian = torch.randn(*shape, generator=generator, dtype=torch.float64)
    losses = torch.rand(MEMBERS, objectives, generator=generator, dtype=torch.float64) + 0.1
    products = jacobian @ jacobian.mT
    moments = [Moment(derive_seed(seed, "member", member, step), step // 2) for member in range(MEMBERS)]
    return Seen(
        losses=losses,
        states=states,
        moments=moments,
        gramian=products[:, :0, :0] if aggregator.reads == "losses" else products,
        jacobian=list(jacobian) if aggregator.reads == "jacobian" else (),
    )


def _check_made(combined: Combined, seen: Seen, objectives: int) -> None:
    members = len(seen.states)
    shape = (members, objectives)
    assert len(combined.states) == members, f"{len(combined.states)} states for {members} members"
    for name, weights in (("weights", combined.weights), ("own", combined.own)):
        if weights is not None:
            assert weights.shape == shape, f"{name} of shape {list(weights.shape)}, expected {list(shape)}"
            assert bool(torch.isfinite(weights).all()), f"{name} are not finite"
    for member, direction in enumerate(combined.directions or ()):
        assert direction.shape == seen.jacobian[member].shape[1:], "a direction does not fit the gradients"
        assert bool(torch.isfinite(direction).all()), "a direction is not finite"


def _check_alone(aggregator: Aggregator, seen: Seen, combined: Combined) -> None:
    """From a state that was written and read, too."""
    for member in range(MEMBERS):
        one = Seen(
            losses=seen.losses[member : member + 1],
            states=[{name: value.clone() for name, value in seen.states[member].items()}],
            moments=seen.moments[member : member + 1],
            gramian=seen.gramian[member : member + 1],
            jacobian=seen.jacobian[member : member + 1],
        )
        alone, among = _made(aggregator.combine(one)), _made(combined, member)
        assert _same(alone, among), "a member alone, from a state that was read, comes to something else"


def _looked_back(aggregator: Aggregator, seen: Seen, combined: Combined) -> Sequence[State]:
    if not isinstance(aggregator, LooksBack):
        return combined.states
    found = aggregator.look_back(seen.losses, 0.9 * seen.losses, combined.states)
    again = aggregator.look_back(seen.losses, 0.9 * seen.losses, combined.states)
    each = zip(found, again, strict=True)
    assert all(_same(list(a.values()), list(b.values())) for a, b in each), (
        "looking back twice gives something else"
    )
    return found


def _made(combined: Combined, member: int | None = None) -> list[Tensor]:
    rows = slice(None) if member is None else slice(member, member + 1)
    found = [combined.weights[rows]]
    found += [] if combined.own is None else [combined.own[rows]]
    found += list(combined.directions or ())[rows]
    return found + [value for state in list(combined.states)[rows] for _, value in sorted(state.items())]


def _copied(seen: Seen) -> Seen:
    return Seen(
        losses=seen.losses.clone(),
        states=[{name: value.clone() for name, value in state.items()} for state in seen.states],
        moments=list(seen.moments),
        gramian=seen.gramian.clone(),
        jacobian=[one.clone() for one in seen.jacobian],
    )


def _flat(seen: Seen) -> list[Tensor]:
    states = [value for state in seen.states for _, value in sorted(state.items())]
    return [seen.losses, seen.gramian, *seen.jacobian, *states]


def _same(one: Sequence[Tensor], other: Sequence[Tensor]) -> bool:
    return len(one) == len(other) and all(map(torch.equal, one, other))
