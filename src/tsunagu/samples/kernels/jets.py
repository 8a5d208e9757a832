"""Anti-kT jets (Cacciari, Salam, Soyez, arXiv:0802.1189) of massless towers, in the E scheme."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

__all__ = ["cluster", "wrap"]


@njit(cache=True)
def wrap(phi):
    """An angle in [-pi, pi)."""
    return (phi + math.pi) % (2.0 * math.pi) - math.pi


@njit(cache=True)
def _far(rapidity, phi, i, j):
    """Squared distance; both angles are in [-pi, pi], so no remainder is needed (it would cost most of the time)."""
    turn = abs(phi[i] - phi[j])
    if turn > math.pi:
        turn = 2.0 * math.pi - turn
    return (rapidity[i] - rapidity[j]) ** 2 + turn * turn


@njit(cache=True)
def _angles(p):
    pt2 = p[0] * p[0] + p[1] * p[1]
    rapidity = 0.5 * math.log((p[3] + p[2] + 1e-12) / (p[3] - p[2] + 1e-12))
    return pt2, rapidity, math.atan2(p[1], p[0])


@njit(cache=True)
def _nearest(i, rapidity, phi, count, neighbour, distance, limit):
    distance[i], neighbour[i] = limit, -1
    for j in range(count):
        if j != i:
            far = _far(rapidity, phi, i, j)
            if far < distance[i]:
                distance[i], neighbour[i] = far, j


@njit(cache=True)
def cluster(momenta, radius):
    """Cluster four-momenta.

    Args:
        momenta: ``[N, 4]``: px, py, pz, E in GeV; the input is not changed.
        radius: R, such as 0.4.

    Returns:
        ``[J, 4]``: the jets' px, py, pz, E, in the order in which they were found.
    """
    p = momenta.copy()
    count, limit = len(p), radius * radius
    jets = np.empty((count, 4))
    found = 0
    pt2, rapidity, phi = np.empty(count), np.empty(count), np.empty(count)
    for i in range(count):
        pt2[i], rapidity[i], phi[i] = _angles(p[i])
    neighbour, distance = np.full(count, -1), np.full(count, limit)
    for i in range(count):
        _nearest(i, rapidity, phi, count, neighbour, distance, limit)
    while count > 0:
        best, least = 0, np.inf
        for i in range(count):
            # The smaller of the two 1/pt^2 decides; with the geometric nearest neighbour this finds the true minimum.
            weight = 1.0 / pt2[i]
            if neighbour[i] >= 0:
                weight = min(weight, 1.0 / pt2[neighbour[i]])
            size = weight * distance[i] / limit if neighbour[i] >= 0 else weight
            if size < least:
                best, least = i, size
        other = neighbour[best]
        if other < 0:
            jets[found] = p[best]
            found += 1
            gone, changed = best, -1
        else:
            changed, gone = min(best, other), max(best, other)
            p[changed] += p[gone]
            pt2[changed], rapidity[changed], phi[changed] = _angles(p[changed])
        count -= 1
        p[gone], pt2[gone], rapidity[gone], phi[gone] = p[count], pt2[count], rapidity[count], phi[count]
        neighbour[gone], distance[gone] = neighbour[count], distance[count]
        if changed == count:
            changed = gone
        for i in range(count):
            stale = neighbour[i] == gone or (changed >= 0 and neighbour[i] == changed) or i == changed
            if neighbour[i] == count and i != changed and not stale:
                neighbour[i] = gone
            elif stale:
                _nearest(i, rapidity, phi, count, neighbour, distance, limit)
            elif changed >= 0:
                far = _far(rapidity, phi, i, changed)
                if far < distance[i]:
                    distance[i], neighbour[i] = far, changed
    return jets[:found]
