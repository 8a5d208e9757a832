"""Jet images: 16 x 16 pixels of 0.05 around the jet axis, three channels: tracks, ECAL, HCAL; transverse, GeV."""

from __future__ import annotations

import math

from numba import njit

from tsunagu.samples.kernels.detector import row_eta
from tsunagu.samples.kernels.jets import wrap

__all__ = ["fill_image"]

HALF, PIXEL, SIZE = 0.4, 0.05, 16


@njit(cache=True)
def _put(image, d_eta, d_phi, amount):
    row, column = math.floor((d_eta + HALF) / PIXEL), math.floor((d_phi + HALF) / PIXEL)
    if 0 <= row < SIZE and 0 <= column < SIZE:
        image[row, column] += amount


@njit(cache=True)
def fill_image(image, eta, phi, tracks, count, ecal, hcal):
    """Fill one image in place.

    Args:
        image: ``[3, 16, 16]``, zeros.
        eta, phi: the jet's axis.
        tracks: ``[T, 4]``, of which ``count`` are there; their direction is that at the vertex, so that bending
            separates a track from its calorimeter spot.
        ecal, hcal: smeared cell energies ``[200, 256]`` and ``[50, 64]``; each HCAL cell is shared over 4 x 4 parts.
    """
    for i in range(count):
        _put(image[0], tracks[i, 1] - eta, wrap(tracks[i, 2] - phi), tracks[i, 0])
    for part, cells, which in ((1, ecal, 0), (2, hcal, 1)):
        rows, columns = cells.shape
        size = 5.0 / rows
        split = 1 if which == 0 else 4
        margin = HALF + size
        first, last = int((eta - margin + 2.5) / size), int((eta + margin + 2.5) / size) + 1
        for row in range(max(0, first), min(rows, last)):
            cell_eta = row_eta(row, which)
            for column in range(columns):
                energy = cells[row, column]
                if energy < 1e-6:
                    continue
                d_phi = wrap((column + 0.5) / columns * 2.0 * math.pi - phi)
                if abs(d_phi) > margin:
                    continue
                amount = energy / math.cosh(cell_eta) / (split * split)
                width = 2.0 * math.pi / columns
                for a in range(split):
                    for b in range(split):
                        shift_eta = ((a + 0.5) / split - 0.5) * size
                        shift_phi = ((b + 0.5) / split - 0.5) * width
                        _put(image[part], cell_eta - eta + shift_eta, d_phi + shift_phi, amount)
