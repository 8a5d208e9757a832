"""Anti-kT against the definition, tried pair by pair, and against fastjet where it is installed."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba", reason="jet clustering needs numba: pip install 'tsunagu[samples]'")

from tsunagu.samples.kernels.jets import cluster, wrap


def towers(seed, most=60):
    draw = np.random.default_rng(seed)
    number = int(draw.integers(1, most))
    pt = draw.exponential(5.0, number) + 0.3
    eta, phi = draw.uniform(-2.5, 2.5, number), draw.uniform(-np.pi, np.pi, number)
    return np.stack([pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta), pt * np.cosh(eta)], axis=1)


def by_definition(momenta, radius):
    rest, jets = [row.copy() for row in momenta], []
    while rest:
        angles = [_angles(row) for row in rest]
        sizes = {(i, i): 1.0 / a[0] for i, a in enumerate(angles)}
        for i, first in enumerate(angles):
            for j, second in enumerate(angles[:i]):
                far = (first[1] - second[1]) ** 2 + wrap(first[2] - second[2]) ** 2
                sizes[j, i] = min(1.0 / first[0], 1.0 / second[0]) * far / radius**2
        i, j = min(sizes, key=sizes.get)
        merged = rest.pop(j)
        if i == j:
            jets.append(merged)
        else:
            rest[i] = rest[i] + merged
    return np.array(jets)


def _angles(p):
    return p[0] ** 2 + p[1] ** 2, np.arctanh(p[2] / p[3]), np.arctan2(p[1], p[0])


def _sorted(jets):
    return jets[np.argsort(-jets[:, 3])]


@pytest.mark.parametrize("seed", range(25))
def test_jets_are_those_of_the_definition(seed):
    momenta = towers(seed)
    assert _sorted(cluster(momenta, 0.4)) == pytest.approx(_sorted(by_definition(momenta, 0.4)), rel=1e-9)


def test_momentum_is_conserved_and_the_input_unchanged():
    momenta = towers(3, most=300)
    before = momenta.copy()
    assert cluster(momenta, 0.4).sum(axis=0) == pytest.approx(momenta.sum(axis=0))
    assert (momenta == before).all()


def test_nothing_gives_no_jets():
    assert cluster(np.empty((0, 4)), 0.4).shape == (0, 4)


def test_agrees_with_fastjet():
    fastjet = pytest.importorskip("fastjet", reason="fastjet is a reference for this test only")
    definition = fastjet.JetDefinition(fastjet.antikt_algorithm, 0.4)
    for seed in range(50):
        momenta = towers(seed, most=250)
        jets = definition([fastjet.PseudoJet(*map(float, row)) for row in momenta])
        theirs = np.array([[jet.px(), jet.py(), jet.pz(), jet.e()] for jet in jets])
        assert _sorted(cluster(momenta, 0.4)) == pytest.approx(_sorted(theirs), rel=1e-6)
