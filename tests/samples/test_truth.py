"""The truth about the taus, from decay chains made by hand."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba", reason="the search for the taus needs numba: pip install 'tsunagu[samples]'")

from tsunagu.samples.kernels.truth import find_taus

SYSTEM = (90, -11, 0, 0, 0, (0.0, 0.0, 0.0, 0.0))


def find(*events):
    """Events of (id, status, first daughter, last daughter, charge, (px, py, pz, E))."""
    rows = [row for event in events for row in (SYSTEM, *event)]
    integers = [np.array([row[i] for row in rows], np.int32) for i in range(4)]
    charge = np.array([row[4] for row in rows], np.int8)
    momentum = np.array([row[5] for row in rows]).T
    offsets = np.cumsum([0, *(len(event) + 1 for event in events)])
    return find_taus(offsets, *integers, charge, *momentum)


def pion(sign, px):
    return (sign * 211, 91, 0, 0, sign, (px, 0.0, 0.0, abs(px)))


def neutrino(sign, px):
    return (sign * 16, 91, 0, 0, 0, (px, 0.0, 0.0, abs(px)))


RADIATED = [
    (15, -51, 3, 3, -1, (52.0, 0.0, 0.0, 52.0)),
    (-15, -2, 5, 6, 1, (-40.0, 0.0, 0.0, 40.0)),
    (15, -2, 7, 9, -1, (50.0, 0.0, 0.0, 50.0)),
    (22, 51, 0, 0, 0, (2.0, 0.0, 0.0, 2.0)),
    neutrino(-1, -10.0),
    pion(1, -30.0),
    neutrino(1, 20.0),
    pion(-1, 18.0),
    (111, -91, 10, 11, 0, (12.0, 0.0, 0.0, 12.0)),
    (22, 91, 0, 0, 0, (6.0, 0.0, 0.0, 6.0)),
    (22, 91, 0, 0, 0, (6.0, 0.0, 0.0, 6.0)),
]


def test_the_last_copy_of_a_tau_counts_and_its_visible_part_is_all_but_the_neutrino():
    plus, minus = find(RADIATED)[0]
    assert minus[:4].tolist() == [50.0, 0.0, 0.0, 50.0]
    assert minus[4:8].tolist() == [30.0, 0.0, 0.0, 30.0]
    assert minus[8:].tolist() == [-1.0, 1.0, 1.0]
    assert plus[4:8].tolist() == [-30.0, 0.0, 0.0, 30.0]
    assert plus[8:].tolist() == [1.0, 1.0, 0.0]


def test_hadrons_that_decay_count_with_their_daughters_and_electrons_never():
    omega = [
        (15, -2, 3, 5, -1, (50.0, 0.0, 0.0, 50.0)),
        (-15, -2, 9, 12, 1, (-40.0, 0.0, 0.0, 40.0)),
        neutrino(1, 20.0),
        pion(-1, 10.0),
        (223, -91, 6, 8, 0, (20.0, 0.0, 0.0, 20.0)),
        pion(1, 8.0),
        pion(-1, 6.0),
        (111, -91, 0, 0, 0, (6.0, 0.0, 0.0, 6.0)),
        neutrino(-1, -10.0),
        pion(1, -10.0),
        (311, -91, 13, 13, 0, (-10.0, 0.0, 0.0, 10.0)),
        (111, -91, 14, 16, 0, (-10.0, 0.0, 0.0, 10.0)),
        (310, 91, 0, 0, 0, (-10.0, 0.0, 0.0, 10.0)),
        (11, 91, 0, 0, -1, (-4.0, 0.0, 0.0, 4.0)),
        (-11, 91, 0, 0, 1, (-4.0, 0.0, 0.0, 4.0)),
        (22, 91, 0, 0, 0, (-2.0, 0.0, 0.0, 2.0)),
    ]
    minus, plus = find(omega)[0]
    assert minus[9:].tolist() == [3.0, 1.0]
    assert plus[9:].tolist() == [1.0, 1.0]


def test_events_follow_each_other_and_those_without_two_taus_are_empty():
    found = find([pion(1, 5.0)], RADIATED)
    assert np.isnan(found[0]).all()
    assert np.isfinite(found[1]).all()
