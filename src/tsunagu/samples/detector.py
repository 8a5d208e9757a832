"""The detector's front door: particles of many events in, jets and images out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tsunagu.errors import DataError
from tsunagu.samples.particles import Particles

__all__ = ["Reconstructed", "reconstruct"]


@dataclass(frozen=True, kw_only=True)
class Reconstructed:
    """What the detector saw.

    Args:
        jets: ``[E, J, 5]``: pt, eta, phi, mass, core tracks, by falling pt; NaN beyond the last.
        images: ``[E, J, 3, 16, 16]``, float32, GeV.
        missing: ``[E, 4]``: missing momentum x and y, sum of transverse energies of all towers (GeV), and the number of
            overlaid collisions without the one that stands for the underlying event.
    """

    jets: NDArray[np.float64]
    images: NDArray[np.float32]
    missing: NDArray[np.float64]


def reconstruct(
    particles: Particles, library: Particles, *, underlying: int, pileup: float, draw: np.random.Generator
) -> Reconstructed:
    """Overlay, detector, jets, images.

    Args:
        particles: of the hard events.
        library: minimum-bias events.
        underlying: how many of them are put on the vertex in place of multiparton interactions.
        pileup: mean number of those beside the vertex.
        draw: where the detector's chances come from.
    """
    try:
        from tsunagu.samples.kernels.event import simulate
    except ImportError as error:
        msg = "the fast detector needs numba: pip install 'tsunagu[samples]'"
        raise DataError(msg) from error
    jets, images, missing = simulate(
        _columns(particles),
        particles.offsets,
        _columns(library),
        library.offsets,
        underlying,
        float(pileup),
        draw,
    )
    return Reconstructed(jets=jets, images=images, missing=missing)


def _columns(particles: Particles) -> tuple[NDArray[np.generic], ...]:
    p = particles
    return p.pt, p.eta, p.phi, p.energy, p.charge, p.kind
