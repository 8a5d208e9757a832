"""The shortest vector in a convex hull, against closed forms and its optimality conditions."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tsunagu.losses import min_norm
from tsunagu.losses.aggregate.min_norm import onto_dual_cone


def _solved(*vectors):
    rows = torch.tensor(vectors, dtype=torch.float64)
    shares = min_norm((rows @ rows.T)[None])[0]
    return shares, shares @ rows


@st.composite
def jacobians(draw, least=1, most=8):
    """Vectors of any number and of sizes of four orders of magnitude, some of them equal, parallel or 0."""
    losses, weights = draw(st.integers(least, most)), draw(st.integers(1, 6))
    seed = draw(st.integers(0, 2**31))
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randn(losses, weights, generator=generator, dtype=torch.float64)
    scales = draw(st.lists(st.sampled_from([0.01, 0.1, 1.0, 10.0, 100.0]), min_size=losses, max_size=losses))
    rows = rows * torch.tensor(scales, dtype=torch.float64)[:, None]
    for kind in draw(st.lists(st.sampled_from(["equal", "opposite", "zero"]), max_size=2)):
        last = {"equal": rows[0], "opposite": -rows[0], "zero": torch.zeros(weights)}[kind]
        rows[-1] = last
    return rows


@pytest.mark.parametrize(
    ("vectors", "shares"),
    [
        (((1.0, 0.0), (0.0, 2.0)), (0.8, 0.2)),
        (((1.0, 0.0), (3.0, 1.0)), (1.0, 0.0)),
        (((3.0, 1.0), (1.0, 0.0)), (0.0, 1.0)),
        (((1.0, 0.0, 0.0), (0.0, 2.0, 0.0), (0.0, 0.0, 3.0)), (36 / 49, 9 / 49, 4 / 49)),
        (((-4.0, 1.0, 1.0), (6.0, 1.0, 1.0)), (0.6, 0.4)),
        (((-4.0, 1.0, 1.0), (6.0, 1.0, 1.0), (0.0, 9.0, 9.0)), (0.6, 0.4, 0.0)),
        (((2.0, 1.0),), (1.0,)),
        (((2.0, 1.0), (0.0, 0.0), (3.0, 3.0)), (0.0, 1.0, 0.0)),
    ],
)
def test_closed_forms(vectors, shares):
    assert _solved(*vectors)[0].tolist() == pytest.approx(shares, abs=1e-12)


@settings(deadline=None, max_examples=300)
@given(rows=jacobians())
def test_no_vector_has_a_smaller_product_with_the_shortest_than_its_square(rows):
    """``g_t . d >= ||d||^2``, with equality where a_t > 0: necessary and sufficient, since the problem is convex."""
    shares = min_norm((rows @ rows.T)[None])[0]
    found = shares @ rows
    products, square = rows @ found, found @ found
    slack = 1e-9 * max(1.0, float((rows @ rows.T).abs().max()))
    assert shares.sum().item() == pytest.approx(1.0)
    assert bool((shares >= 0.0).all())
    assert bool((products >= square - slack).all())
    assert (shares * (products - square)).abs().max().item() <= slack


@settings(deadline=None, max_examples=50)
@given(rows=jacobians(), angle=st.floats(0.1, 3.0))
def test_a_repeated_vector_or_a_rotation_leaves_the_shortest_as_it_is(rows, angle):
    scale = max(1.0, rows.abs().max().item())
    found = min_norm((rows @ rows.T)[None])[0] @ rows
    repeated = torch.cat([rows, rows[:1]])
    assert torch.allclose(min_norm((repeated @ repeated.T)[None])[0] @ repeated, found, atol=1e-7 * scale)
    wide = torch.cat([rows, torch.zeros(len(rows), 1)], 1)
    turn = torch.eye(wide.shape[1], dtype=torch.float64)
    turn[0, 0] = turn[-1, -1] = math.cos(angle)
    turn[0, -1], turn[-1, 0] = -math.sin(angle), math.sin(angle)
    turned = wide @ turn
    assert torch.allclose(
        min_norm((turned @ turned.T)[None])[0] @ turned @ turn.T,
        min_norm((wide @ wide.T)[None])[0] @ wide,
        atol=1e-7 * scale,
    )


def test_members_are_solved_each_for_itself_and_a_broken_one_harms_no_other():
    rows = torch.randn(3, 4, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    gramian = rows @ rows.mT
    gramian[1, 0, 2] = math.nan
    found = min_norm(gramian)
    assert found[1].isnan().all()
    for member in (0, 2):
        assert torch.equal(found[member], min_norm(gramian[member : member + 1])[0])


@settings(deadline=None, max_examples=100)
@given(rows=jacobians(least=2))
def test_what_is_moved_onto_the_dual_cone_conflicts_with_nothing(rows):
    own = torch.eye(len(rows), dtype=torch.float64)
    moved = onto_dual_cone(own, rows @ rows.T)
    products = moved @ rows @ rows.T
    slack = 1e-7 * max(1.0, float((rows @ rows.T).abs().max()))
    assert bool((moved >= own - 1e-12).all())
    assert bool((products >= -slack).all())
    assert ((moved - own) * products).abs().max().item() <= 1e-7 * max(1.0, float(moved.abs().max())) * max(
        1.0, float((rows @ rows.T).abs().max())
    )
