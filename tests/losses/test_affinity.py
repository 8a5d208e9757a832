"""The affinity head with its loss, against what geometry says."""

from __future__ import annotations

import math

import pytest
import torch

from tsunagu.layers import Affinity
from tsunagu.losses import find_loss
from tsunagu.spec import node
from tsunagu.tasks import build

DRAW = torch.Generator().manual_seed(2)
X = torch.randn(12, 4, generator=DRAW, dtype=torch.float64)
Y = torch.arange(12) % 3


def head(prototypes, classes=3, **settings):
    made = Affinity(prototypes.shape[1], classes, len(prototypes) // classes, **settings).double()
    with torch.no_grad():
        made.prototypes.copy_(prototypes)
    return made


def normal(*shape):
    return torch.randn(*shape, generator=DRAW, dtype=torch.float64)


def test_similarities_and_regulariser_by_hand():
    w = normal(6, 4)
    d = torch.exp(-torch.cdist(X, w).square() / 5.0).view(12, 3, 2).amax(2)
    squares = torch.pdist(w).square()
    made = head(w, sigma=5.0)(X)
    torch.testing.assert_close(made[:, :3], d)
    torch.testing.assert_close(made[:, 3], ((squares - squares.mean()) ** 2).mean().expand(12))
    torch.testing.assert_close(head(w, sigma=5.0).eval()(X), d)
    margins = (0.75 + d - d.gather(1, Y[:, None])).clamp(min=0)
    expected = margins.sum(1) - 0.75 + made[:, 3]
    torch.testing.assert_close(find_loss("affinity")(classes=3)(made, Y), expected)
    torch.testing.assert_close(find_loss("affinity")(classes=3)(d, Y), expected - made[:, 3])


def test_prototypes_on_a_regular_simplex_are_diverse():
    torch.testing.assert_close(head(torch.eye(3, dtype=torch.float64)).diversity().item(), 0.0)
    assert head(normal(2, 4), classes=2).diversity().item() == pytest.approx(0.0, abs=1e-12)
    assert head(normal(3, 4)).diversity().item() > 0.1


def test_rotations_and_translations_of_features_and_prototypes_change_nothing():
    w, shift = normal(6, 4), normal(4)
    rotation = torch.linalg.qr(normal(4, 4))[0]
    torch.testing.assert_close(head(w)(X), head(w @ rotation + shift)(X @ rotation + shift))


def test_copies_of_a_prototype_change_nothing():
    w = normal(3, 4)
    torch.testing.assert_close(head(w).eval()(X), head(w.repeat_interleave(4, 0)).eval()(X))


@pytest.mark.parametrize(("margin", "value"), [(0.75, 0.0), (1.0, 0.0), (1.5, 1.0)])
def test_perfect_features_and_far_prototypes(margin, value):
    w = 100.0 * torch.eye(3, 4, dtype=torch.float64)
    loss = find_loss("affinity")(classes=3, margin=margin)
    assert loss(head(w).eval()(w[Y]), Y).tolist() == pytest.approx([value] * 12)


def test_prototypes_begin_where_normalised_features_are_and_have_gradients():
    x = torch.nn.functional.normalize(X.float(), dim=1) * 2.0
    made = build(node("Affinity", features=4, classes=3, prototypes=1), seed=1)
    find_loss("affinity")(classes=3)(made(x), Y).mean().backward()
    assert made.prototypes.norm(dim=1).tolist() == pytest.approx([math.sqrt(4.0)] * 3, rel=1e-4)
    assert made.prototypes.grad.abs().min() > 1e-4


def test_settings():
    with pytest.raises(ValueError, match="sigma must be positive"):
        Affinity(4, 3, sigma=0.0)
    with pytest.raises(ValueError, match="classes must be 2 or more"):
        find_loss("affinity")(classes=1)
