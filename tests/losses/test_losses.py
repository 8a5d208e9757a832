"""What every loss promises, and the hand-computed numbers of each."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tsunagu.losses import BatchLoss, ClassLoss, CountedLoss, Loss, find_loss, known_losses
from tsunagu.testing import check_loss_contract

FLOAT = torch.float64


def pair(key, events=5, seed=1, dtype=FLOAT):
    """A prediction and a target that suit the loss."""
    draw = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(events, *shape, generator=draw, dtype=dtype)

    if key == "binary":
        return normal(), (normal() > 0).long()
    if key == "cross_entropy":
        return normal(4), torch.randint(0, 4, (events,), generator=draw)
    if issubclass(find_loss(key), ClassLoss):
        own = {"binary_focal": (), "affinity": (3,)}.get(key, (4,))
        classes = {"binary_focal": 2, "affinity": 2}.get(key, 4)
        return normal(*own), torch.arange(events) % classes
    if key.startswith("four_momentum"):
        scale = torch.tensor([100.0, 1.0, 1.0], dtype=dtype)
        shift = torch.tensor([1.0, 0.0, 0.0], dtype=dtype)
        return normal(2, 3).abs() * scale + shift, normal(2, 3).abs() * scale + shift
    return normal(2, 3), normal(2, 3)


def ready(key):
    """A loss that can be called: with numbers of events, where it asks for them."""
    cls = find_loss(key)
    return cls(sizes=(40, 30, 20, 10)) if issubclass(cls, CountedLoss) else cls()


EVENT_LOSSES = [key for key in known_losses() if not issubclass(find_loss(key), BatchLoss)]


@pytest.fixture(params=EVENT_LOSSES)
def key(request):
    return request.param


@pytest.mark.parametrize("events", [1, 5])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_one_number_per_event(key, events, dtype):
    prediction, target = pair(key, events, dtype=dtype)
    value = ready(key)(prediction, target)
    assert value.shape == (events,)
    assert value.dtype == dtype
    assert (value >= 0).all()


def test_the_contract(key):
    check_loss_contract(find_loss(key)(), *pair(key))


def test_a_good_target_passes_the_check(key):
    _, target = pair(key)
    assert ready(key).check(target) is None
    assert ready(key).check(target.float()) is None


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_value_that_is_not_finite_does_not_pass(key, bad):
    _, target = pair(key)
    broken = target.double()
    broken[0] = bad
    assert "not finite" in ready(key).check(broken)


def test_shapes_that_would_be_broadcast_are_refused(key):
    prediction, target = pair(key)
    with pytest.raises(ValueError, match=r"found|does not match"):
        ready(key)(prediction, target[:1])
    with pytest.raises(ValueError, match=r"found|does not match"):
        ready(key)(prediction[:1], target)


def test_a_loss_is_final_frozen_and_equal_to_its_like(key):
    cls = find_loss(key)
    assert issubclass(cls, Loss)
    assert cls() == cls()
    with pytest.raises(AttributeError):
        cls().anything = 1


def test_target_dtypes_do_not_matter(key):
    prediction, target = pair(key, dtype=torch.float32)
    whole = target.round()
    value = ready(key)(prediction, whole)
    assert value.dtype == torch.float32
    for dtype in (torch.float64, torch.int64, torch.int32):
        torch.testing.assert_close(ready(key)(prediction, whole.to(dtype)), value)


@pytest.mark.parametrize("key", ["mse", "huber", "four_momentum", "four_momentum_ptetaphi"])
def test_the_truth_itself_costs_nothing(key):
    _, target = pair(key)
    assert find_loss(key)()(target, target).tolist() == [0.0] * 5


def test_mse_pinned():
    prediction = torch.tensor([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]])
    assert find_loss("mse")()(prediction, torch.zeros(2, 3)).tolist() == pytest.approx([14 / 3, 0.0])
    assert find_loss("mse")()(torch.tensor([3.0, 1.0]), torch.tensor([1.0, 1.0])).tolist() == [4.0, 0.0]
    assert find_loss("mse")()(torch.tensor([[3.0], [1.0]]), torch.tensor([1.0, 1.0])).tolist() == [4.0, 0.0]


@pytest.mark.parametrize(("delta", "value"), [(1.0, 2.5), (2.0, 4.0), (3.0, 4.5), (10.0, 4.5)])
def test_huber_pinned(delta, value):
    loss = find_loss("huber")(delta=delta)
    assert loss(torch.tensor([3.0]), torch.tensor([0])).item() == value
    assert loss(torch.tensor([-3.0]), torch.tensor([0])).item() == value


@pytest.mark.parametrize("delta", [0.0, -1.0, math.nan])
def test_delta_is_positive(delta):
    with pytest.raises(ValueError, match="delta must be positive"):
        find_loss("huber")(delta=delta)


@pytest.mark.parametrize(
    ("logit", "label", "value"),
    [
        (0.0, 0, math.log(2)),
        (0.0, 1, math.log(2)),
        (2.0, 1, math.log(1 + math.exp(-2))),
        (2.0, 0, 2 + math.log(1 + math.exp(-2))),
        (1e4, 1, 0.0),
        (1e4, 0, 1e4),
        (-1e4, 1, 1e4),
        (-1e4, 0, 0.0),
    ],
)
def test_binary_pinned(logit, label, value):
    z = torch.tensor([logit], requires_grad=True)
    loss = find_loss("binary")()(z, torch.tensor([label]))
    loss.backward()
    assert loss.item() == pytest.approx(value)
    assert z.grad.item() == pytest.approx(1 / (1 + math.exp(-max(logit, -700))) - label)


def test_binary_takes_a_column_of_logits_and_any_labels():
    z = torch.tensor([0.5, -1.0])
    expected = find_loss("binary")()(z, torch.tensor([1.0, 0.0]))
    for label in (torch.tensor([1, 0], dtype=torch.int8), torch.tensor([True, False])):
        assert torch.equal(find_loss("binary")()(z[:, None], label), expected)


@given(logits=st.lists(st.floats(-1e4, 1e4), min_size=2, max_size=5), data=st.data())
@settings(deadline=None)
def test_cross_entropy_is_finite_and_does_not_feel_a_shift(logits, data):
    label = torch.tensor([data.draw(st.integers(0, len(logits) - 1))])
    z = torch.tensor([logits], dtype=FLOAT)
    value = find_loss("cross_entropy")()(z, label)
    assert torch.isfinite(value).all()
    torch.testing.assert_close(value, find_loss("cross_entropy")()(z + 7.0, label), atol=1e-8, rtol=1e-8)


def test_cross_entropy_pinned():
    z = torch.tensor([[0.0, math.log(3.0)], [1e4, -1e4]])
    value = find_loss("cross_entropy")()(z, torch.tensor([1.0, 1.0]))
    assert value.tolist() == pytest.approx([math.log(4 / 3), 2e4])


@given(z=st.floats(-50, 50), label=st.integers(0, 1))
@settings(deadline=None)
def test_two_classes_are_the_binary_loss(z, label):
    two = find_loss("cross_entropy")()(torch.tensor([[0.0, z]], dtype=FLOAT), torch.tensor([label]))
    one = find_loss("binary")()(torch.tensor([z], dtype=FLOAT), torch.tensor([label]))
    torch.testing.assert_close(one, two)


def test_cross_entropy_names_other_shapes():
    with pytest.raises(ValueError, match=r"\[E, C\] and \[E\] expected, found \[3\] and \[3\]"):
        find_loss("cross_entropy")()(torch.zeros(3), torch.zeros(3))
    with pytest.raises(ValueError, match=r"\[E, 5\] and \[E\] expected, found \[3, 4\]"):
        find_loss("cross_entropy")(classes=5)(torch.zeros(3, 4), torch.zeros(3))


@pytest.mark.parametrize(
    ("loss", "target", "message"),
    [
        (find_loss("binary")(), [0, 1, 2, 2], "labels must be 0 or 1, found 2 in 2 of 4 events"),
        (find_loss("binary")(), [-1, 1, 1], "labels must be 0 or 1, found -1 in 1 of 3 events"),
        (find_loss("binary")(), [0.5, 1.0], "labels must be 0 or 1, found 0.5 in 1 of 2 events"),
        (find_loss("binary")(), [3, 4, 5, 6, 7], "labels must be 0 or 1, found 3, 4, 5, ... in 5 of 5 events"),
        (find_loss("cross_entropy")(), [0, -1], "labels must be whole numbers from 0, found -1 in 1 of 2 events"),
        (find_loss("cross_entropy")(), [0.5], "labels must be whole numbers from 0, found 0.5 in 1 of 1 events"),
        (find_loss("cross_entropy")(classes=3), [0, 3], "labels must be whole numbers from 0 to 2, found 3 in 1 of 2 events"),
        (find_loss("cross_entropy")(classes=3), [0, 2], None),
        (find_loss("binary")(), [True, False], None),
        (find_loss("mse")(), [1, 2], None),
    ],
)  # fmt: skip
def test_labels_are_checked(loss, target, message):
    assert loss.check(torch.tensor(target)) == message
