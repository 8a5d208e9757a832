"""The contract of a loss."""

from __future__ import annotations

import torch
from torch import Tensor

from tsunagu.losses import BatchLoss, ChangesWithTime, ClassLoss, FitsEvents, Loss, weighted_mean

__all__ = ["check_loss_contract"]

LARGE = 1e4


def check_loss_contract(loss: Loss, prediction: Tensor, target: Tensor) -> None:
    """What must hold of a loss, tried on a few events and on each of them.

    It gives one number per event, in the prediction's dtype, for many events, for one and for none; events do not see each
    other, so members of a population that are put into one batch have their own losses; the gradient is that of the value
    (``torch.autograd.gradcheck``); an event of weight 0 has no part in the gradient; equal losses are equal and have one
    hash. A loss of class labels, moreover, has finite values and gradients for logits of 1e4 of either sign, and for one
    event of each class. One that changes with time is a function of the epoch. A loss of whole batches gives one number for each
    batch in place of each event, which does not depend on the order of events or on the unit of the weights, and the same
    holds of its gradient.

    Args:
        loss: with any settings; it is fitted to these events where it asks for that.
        prediction: ``[E, ...]``, at least 2 events; no value where the loss has a kink.
        target: ``[E, ...]``; of a loss of class labels, with each class.

    Raises:
        AssertionError: the contract is broken; the message says by what.

    >>> from tsunagu.losses import find_loss
    >>> loss = find_loss("class_balanced")(one_minus_beta=1e-3)
    >>> check_loss_contract(loss, torch.tensor([[0.5, -1.0], [2.0, 0.1], [0.3, 0.4]]), torch.tensor([0, 0, 1]))
    """
    ready = _fitted(loss, target)
    _check_equal(loss, target, ready)
    if isinstance(ready, BatchLoss):
        _check_batch(ready, prediction.double(), target)
        _check_gradient(ready, prediction.double(), target)
        return
    for form in _forms(ready):
        for dtype in (torch.float32, torch.float64):
            _check_values(form, prediction.to(dtype), target)
        _check_gradient(form, prediction.double(), target)
        if isinstance(loss, ClassLoss):
            _check_large(form, prediction, target)


def _fitted(loss: Loss, target: Tensor) -> Loss:
    if not isinstance(loss, FitsEvents):
        return loss
    made = loss.fitted(target, torch.ones(len(target)))
    assert isinstance(made, Loss), f"fitted gives {type(made).__name__} and no loss"
    return made


def _forms(loss: Loss) -> list[Loss]:
    if not isinstance(loss, ChangesWithTime):
        return [loss]
    forms = [loss.at(epoch, 10) for epoch in (0, 5, 10)]
    assert forms == [loss.at(epoch, 10) for epoch in (0, 5, 10)], "at is not a function of the epoch"
    return forms


def _check_equal(loss: Loss, target: Tensor, ready: Loss) -> None:
    again = _fitted(loss, target)
    assert again == ready, "a loss that is fitted to the same events twice is not equal to itself"
    assert hash(again) == hash(ready), "equal losses have two hashes"
    assert loss.check(target) is None, f"these targets do not pass the check: {loss.check(target)}"


def _check_values(loss: Loss, prediction: Tensor, target: Tensor) -> None:
    events = len(prediction)
    value = loss(prediction, target)
    assert value.shape == (events,), f"{events} events have losses of shape {list(value.shape)}"
    assert value.dtype == prediction.dtype, f"losses of {value.dtype} from predictions of {prediction.dtype}"
    assert bool(torch.isfinite(value).all()), "a loss is not finite"
    assert loss(prediction[:0], target[:0]).shape == (0,), "no events do not give no losses"
    alone = [loss(prediction[i : i + 1], target[i : i + 1]) for i in range(events)]
    assert torch.allclose(torch.cat(alone), value, rtol=1e-5), (
        "an event alone has another loss than among others"
    )
    double = loss(torch.cat([prediction, prediction.flip(0)]), torch.cat([target, target.flip(0)]))
    assert torch.allclose(double, torch.cat([value, value.flip(0)]), rtol=1e-5), (
        "two members of a population in one batch have other losses than alone"
    )


def _check_batch(loss: BatchLoss, prediction: Tensor, target: Tensor) -> None:
    weight = torch.linspace(0.5, 1.5, len(target), dtype=prediction.dtype)
    value = loss.shared(prediction, target, weight)
    assert value.shape == (len(target),), f"{len(target)} events carry {list(value.shape)}"
    assert bool(torch.isfinite(value).all()), "a loss is not finite"
    turned = loss.shared(prediction.flip(0), target.flip(0), weight.flip(0))
    assert torch.allclose(turned, value), "the loss depends on the order of the events"
    assert torch.allclose(loss.shared(prediction, target, 3.0 * weight), value), (
        "the unit of the weights matters"
    )
    two = [torch.stack([x, x.flip(0)]).flatten(0, 1) for x in (prediction, target)]
    both = loss.shared(two[0], two[1], torch.stack([weight, weight.flip(0)]))
    assert torch.allclose(both, value[0]), "two members of a population have other losses than alone"


def _check_gradient(loss: Loss, prediction: Tensor, target: Tensor) -> None:
    along = prediction.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda p: loss(p, target), along)
    weight = torch.ones(len(target), dtype=torch.float64)
    weight[0] = 0.0
    slope = _slope(loss, prediction, target, weight)
    assert not slope[0].any(), "an event of weight 0 has a gradient"
    nothing = _slope(loss, prediction, target, torch.zeros_like(weight))
    assert not nothing.any(), "events that all have weight 0 have a gradient"


def _check_large(loss: Loss, prediction: Tensor, target: Tensor) -> None:
    first = {int(label): place for place, label in reversed(list(enumerate(target.tolist())))}
    rows = torch.tensor(sorted(first.values()))
    for dtype in (torch.float32, torch.float64):
        for size in (1.0, LARGE, -LARGE):
            few = size * prediction[rows].to(dtype).sign()
            value, weight = loss(few, target[rows]), torch.ones(len(rows))
            found = f"for one event of each class and logits of {size:g}"
            assert bool(torch.isfinite(value).all()), f"a loss is not finite {found}"
            slope = _slope(loss, few, target[rows], weight)
            assert bool(torch.isfinite(slope).all()), f"a gradient is not finite {found}"


def _slope(loss: Loss, prediction: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    along = prediction.clone().requires_grad_()
    each = loss.shared(along, target, weight) if isinstance(loss, BatchLoss) else loss(along, target)
    (slope,) = torch.autograd.grad(weighted_mean(each, weight), along)
    return slope
