"""One event after another: overlay, detector, towers, jets, missing momentum, images."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from tsunagu.samples.kernels.detector import ECAL, FORWARD, HCAL, clear, record, row_eta, smear_cells
from tsunagu.samples.kernels.images import fill_image
from tsunagu.samples.kernels.jets import cluster, wrap

__all__ = ["JET_FIELDS", "simulate"]

JET_FIELDS = ("pt", "eta", "phi", "mass", "core_tracks")
TRACKS = 20_000
MOST_JETS = 64
"""More than fit into |eta| < 2.1: no jet of a tau is lost among those of 200 pile-up collisions."""
TWO_PI = 2.0 * math.pi


@njit(cache=True)
def _cells(shape):
    return np.zeros(shape), np.zeros(shape[0] * shape[1], np.int64), np.zeros(1, np.int64)


@njit(cache=True)
def _towers(ecal, hcal, out):
    """Towers of 0.1 x 0.1 with pt > 0.3 GeV as massless momenta; also the sum over all towers, soft ones included."""
    count, sums = 0, np.zeros(3)
    for row in range(50):
        eta = row_eta(row, 1)
        for column in range(64):
            energy = hcal[row, column]
            for a in range(4):
                for b in range(4):
                    energy += ecal[4 * row + a, 4 * column + b]
            pt = energy / math.cosh(eta)
            if pt < 1e-6:
                continue
            phi = (column + 0.5) / 64.0 * TWO_PI
            px, py = pt * math.cos(phi), pt * math.sin(phi)
            sums[0] += px
            sums[1] += py
            sums[2] += pt
            if pt > 0.3:
                out[count] = px, py, pt * math.sinh(eta), energy
                count += 1
    return count, sums


@njit(cache=True)
def _forward_sum(forward):
    sums = np.zeros(3)
    for row in range(24):
        for column in range(32):
            pt = forward[row, column] / math.cosh(row_eta(row, 2))
            phi = (column + 0.5) / 32.0 * TWO_PI
            sums[0] += pt * math.cos(phi)
            sums[1] += pt * math.sin(phi)
            sums[2] += pt
    return sums


@njit(cache=True)
def _select(found, jets):
    """Jets with pt > 20 GeV and |eta| < 2.1, by falling pt; returns their number."""
    count = 0
    pts = np.hypot(found[:, 0], found[:, 1])
    for place in np.argsort(-pts):
        px, py, pz, energy = found[place]
        pt = pts[place]
        if pt < 20.0 or count == MOST_JETS:
            break
        eta = math.asinh(pz / pt)
        if abs(eta) > 2.1:
            continue
        mass = math.sqrt(max(0.0, energy * energy - pt * pt - pz * pz))
        jets[count, 0], jets[count, 1], jets[count, 2], jets[count, 3] = pt, eta, math.atan2(py, px), mass
        count += 1
    return count


@njit(cache=True)
def _core_tracks(eta, phi, tracks, count):
    """Tracks with pt > 1 GeV within 0.2 of the axis."""
    number = 0
    for i in range(count):
        far = (tracks[i, 1] - eta) ** 2 + wrap(tracks[i, 2] - phi) ** 2
        if tracks[i, 0] > 1.0 and far < 0.04:
            number += 1
    return number


@njit(cache=True)
def _overlay(library, offsets, number, share, ecal, hcal, forward, tracks, count, draw):
    for _ in range(number):
        chosen = draw.integers(0, len(offsets) - 1)
        turn, flip = draw.random() * TWO_PI, 1.0 if draw.random() < 0.5 else -1.0
        start, end = offsets[chosen], offsets[chosen + 1]
        count = record(library, start, end, turn, flip, share, ecal, hcal, forward, tracks, count, draw)
    return count


@njit(cache=True)
def simulate(particles, offsets, library, library_offsets, underlying, pileup, draw):
    """Detector, jets and images of a batch of events.

    Args:
        particles: (pt, eta, phi, energy, charge, kind) of the hard events, each ``[N]``.
        offsets: ``[E + 1]``.
        library: the same of the minimum-bias events, with ``library_offsets [M + 1]``.
        underlying: minimum-bias events at the vertex, all tracks kept: the underlying event.
        pileup: mean number of other collisions, 5 % of their tracks kept.
        draw: the generator.

    Returns:
        jets ``[E, 64, 5]`` (``JET_FIELDS``; NaN beyond the last), images ``[E, 64, 3, 16, 16]``, and ``[E, 4]``:
        missing momentum x and y, the sum of transverse energies, and the number of overlaid collisions.
    """
    events = len(offsets) - 1
    jets = np.full((events, MOST_JETS, 5), np.nan)
    images = np.zeros((events, MOST_JETS, 3, 16, 16), np.float32)
    missing = np.zeros((events, 4))
    ecal, hcal, forward = _cells(ECAL), _cells(HCAL), _cells(FORWARD)
    tracks, towers = np.zeros((TRACKS, 4)), np.zeros((50 * 64, 4))
    for event in range(events):
        clear(ecal)
        clear(hcal)
        clear(forward)
        start, end = offsets[event], offsets[event + 1]
        count = record(particles, start, end, 0.0, 1.0, 1.0, ecal, hcal, forward, tracks, 0, draw)
        count = _overlay(library, library_offsets, underlying, 1.0, ecal, hcal, forward, tracks, count, draw)
        others = draw.poisson(pileup) if pileup > 0.0 else 0
        count = _overlay(library, library_offsets, others, 0.05, ecal, hcal, forward, tracks, count, draw)
        smear_cells(ecal, 0, 0.1, draw)
        smear_cells(hcal, 1, 0.5, draw)
        smear_cells(forward, 2, 1.0, draw)
        number, sums = _towers(ecal[0], hcal[0], towers)
        sums += _forward_sum(forward[0])
        found = _select(cluster(towers[:number], 0.4), jets[event])
        for j in range(found):
            eta, phi = jets[event, j, 1], jets[event, j, 2]
            jets[event, j, 4] = _core_tracks(eta, phi, tracks, count)
            fill_image(images[event, j], eta, phi, tracks, count, ecal[0], hcal[0])
        for i in range(count):
            if tracks[i, 3] > 0.0:
                sums[0] += tracks[i, 0] * math.cos(tracks[i, 2])
                sums[1] += tracks[i, 0] * math.sin(tracks[i, 2])
        missing[event, 0], missing[event, 1], missing[event, 2], missing[event, 3] = (
            -sums[0],
            -sums[1],
            sums[2],
            others,
        )
    return jets, images, missing
