"""A fast detector after the idea of Delphes (arXiv:1307.6346), with parameters near its ATLAS card.

Our own simplifications: eta does not change on the way to the calorimeter; hadrons share their energy between the
calorimeters; a shower is six Gaussian spots. Energies in GeV, angles in radians, fields in tesla, lengths in metres.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

__all__ = ["ECAL", "FORWARD", "HCAL", "clear", "record", "smear_cells"]

FIELD, RADIUS = 2.0, 1.15
ECAL, HCAL, FORWARD = (200, 256), (50, 64), (24, 32)
EM, HADRON, MUON = 0, 1, 2
SPOTS = 6
TWO_PI = 2.0 * math.pi


@njit(cache=True)
def clear(cells):
    """Set the touched cells of a calorimeter back to zero; ``cells`` is (energy, touched, count)."""
    energy, touched, count = cells
    for i in range(count[0]):
        energy[touched[i] // energy.shape[1], touched[i] % energy.shape[1]] = 0.0
    count[0] = 0


@njit(cache=True)
def _add(cells, row, column, amount):
    energy, touched, count = cells
    if energy[row, column] == 0.0:
        touched[count[0]] = row * energy.shape[1] + column
        count[0] += 1
    energy[row, column] += amount


@njit(cache=True)
def _deposit(cells, forward, eta, phi, amount):
    """Energy at a place: into the calorimeter given, or the forward one beyond |eta| = 2.5."""
    turn = phi / TWO_PI
    turn -= math.floor(turn)
    if amount <= 0.0:
        return
    if abs(eta) < 2.5:
        rows, columns = cells[0].shape
        row = min(rows - 1, int((eta + 2.5) / 5.0 * rows))
        _add(cells, row, min(columns - 1, int(turn * columns)), amount)
    elif abs(eta) < 4.9:
        row = min(11, int((abs(eta) - 2.5) / 0.2)) + (12 if eta > 0.0 else 0)
        _add(forward, row, min(31, int(turn * 32)), amount)


@njit(cache=True)
def _spread(cells, forward, eta, phi, amount, width, draw):
    for _ in range(SPOTS):
        _deposit(
            cells,
            forward,
            eta + width * draw.standard_normal(),
            phi + width * draw.standard_normal(),
            amount / SPOTS,
        )


@njit(cache=True)
def _efficiency(pt, eta, kind):
    if kind == MUON:
        return 0.98
    if abs(eta) < 1.5:
        return 0.95 * (0.89 if pt < 1.0 else 1.0)
    return 0.88 * (0.85 if pt < 1.0 else 1.0)


@njit(cache=True)
def _track_resolution(pt, eta):
    """sigma(pt) / pt = a (+) b pt, summed in quadrature."""
    if abs(eta) < 0.5:
        return math.hypot(0.010, 3e-4 * pt)
    if abs(eta) < 1.5:
        return math.hypot(0.015, 4e-4 * pt)
    return math.hypot(0.025, 8e-4 * pt)


@njit(cache=True)
def _track(pt, eta, phi, kind, tracks, count, draw):
    if abs(eta) >= 2.5 or pt <= 0.5 or draw.random() > _efficiency(pt, eta, kind) or count >= len(tracks):
        return count
    row = tracks[count]
    row[0] = max(0.0, pt * (1.0 + _track_resolution(pt, eta) * draw.standard_normal()))
    row[1] = eta + 1e-3 * draw.standard_normal()
    row[2] = phi + 1e-3 * draw.standard_normal()
    row[3] = 1.0 if kind == MUON else 0.0
    return count + 1


@njit(cache=True)
def _shower(eta, phi, energy, kind, ecal, hcal, forward, draw):
    if kind == EM:
        _spread(ecal, forward, eta, phi, energy, 0.010, draw)
        return
    seen = energy * 0.95 * (1.0 - 0.25 * math.exp(-energy / 6.0))
    early = min(0.3, seen) if draw.random() < 0.35 else seen * draw.beta(1.5, 1.8)
    _spread(ecal, forward, eta, phi, early, 0.025, draw)
    _spread(hcal, forward, eta, phi, seen - early, 0.05, draw)


@njit(cache=True)
def record(particles, start, end, turn, flip, share, ecal, hcal, forward, tracks, count, draw):
    """Let the particles ``start`` to ``end`` of one collision go through the detector.

    Args:
        particles: (pt, eta, phi, energy, charge, kind), each ``[N]``.
        start, end: which of them.
        turn, flip: rotation in phi, and -1 to mirror eta: an overlaid event is used in many orientations.
        share: of the tracks that are kept: 1 at the vertex, small for other collisions.
        ecal, hcal, forward: (energy, touched, count), changed in place.
        tracks: ``[T, 4]``: pt, eta, phi, is muon; filled from ``count`` on.
        count: tracks so far.
        draw: the generator.

    Returns:
        The number of tracks.
    """
    pts, etas, phis, energies, charges, kinds = particles
    for i in range(start, end):
        pt, eta, phi, kind = pts[i], etas[i] * flip, phis[i] + turn, kinds[i]
        if charges[i] != 0 and (share >= 1.0 or draw.random() < share):
            count = _track(pt, eta, phi, kind, tracks, count, draw)
        if kind == MUON:
            continue
        if charges[i] != 0:
            bend = 0.15 * FIELD * RADIUS / pt
            if bend >= 1.0:
                continue
            phi -= charges[i] * math.asin(bend)
        _shower(eta, phi, energies[i], kind, ecal, hcal, forward, draw)
    return count


@njit(cache=True)
def _resolution(energy, eta, which):
    if which == 0:
        a, b, c = (0.101, 0.0017, 0.0) if eta < 1.5 else (0.12, 0.005, 0.0)
    elif which == 1:
        a, b, c = (0.5205, 0.0302, 0.3) if eta < 1.7 else (0.706, 0.05, 0.3)
    else:
        a, b, c = 1.0, 0.0942, 0.5
    return math.sqrt(a * a * energy + b * b * energy * energy + c * c)


@njit(cache=True)
def row_eta(row, which):
    """The centre of a row of cells in eta: 0 ECAL, 1 HCAL, 2 forward."""
    if which == 0:
        return -2.5 + (row + 0.5) * 0.025
    if which == 1:
        return -2.5 + (row + 0.5) * 0.1
    return 2.5 + (row - 12 + 0.5) * 0.2 if row >= 12 else -(2.5 + (row + 0.5) * 0.2)


@njit(cache=True)
def smear_cells(cells, which, threshold, draw):
    """Smear every touched cell log-normally with the resolution as its width; below the threshold it is silent."""
    energy, touched, count = cells
    columns = energy.shape[1]
    for i in range(count[0]):
        row, column = touched[i] // columns, touched[i] % columns
        mean = energy[row, column]
        width = _resolution(mean, abs(row_eta(row, which)), which) / mean
        variance = math.log(1.0 + width * width)
        seen = mean * math.exp(math.sqrt(variance) * draw.standard_normal() - 0.5 * variance)
        # A silent cell keeps a tiny energy, so that it still counts as touched.
        energy[row, column] = seen if seen > threshold else np.float32(1e-30)
