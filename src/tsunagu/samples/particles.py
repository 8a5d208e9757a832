"""From Pythia's record to flat arrays: what a detector can see, and what the taus truly were.

Legend: ``E`` events, ``N`` particles of all events in a row, ``offsets [E + 1]`` where each event begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsunagu.samples.generator import Generator

__all__ = ["EM", "HADRON", "MUON", "Particles", "Record", "read_record"]

EM, HADRON, MUON = 0, 1, 2
NEUTRINOS = (12, 14, 16)

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Particles:
    """Visible final particles.

    Args:
        offsets: ``[E + 1]``, int64.
        pt, eta, phi, energy: ``[N]``, GeV and radians.
        charge: ``[N]``, int8.
        kind: ``[N]``, int8: EM (electrons and photons), HADRON or MUON.
    """

    offsets: NDArray[np.int64]
    pt: Floats
    eta: Floats
    phi: Floats
    energy: Floats
    charge: NDArray[np.int8]
    kind: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def take(self, events: NDArray[np.int64]) -> Particles:
        """Those of some events ``[N]`` alone.

        >>> one = np.ones(3)
        >>> seen = Particles(
        ...     offsets=np.array([0, 2, 3]), pt=np.array([5.0, 6.0, 7.0]), eta=one, phi=one, energy=one,
        ...     charge=one.astype(np.int8), kind=one.astype(np.int8),
        ... )
        >>> seen.take(np.array([1])).pt.tolist()
        [7.0]
        """
        counts = np.diff(self.offsets)
        wanted = np.zeros(len(self), np.bool_)
        wanted[events] = True
        keep = np.repeat(wanted, counts)
        fields = ("pt", "eta", "phi", "energy", "charge", "kind")
        return Particles(
            offsets=np.concatenate([[0], np.cumsum(counts[wanted])]),
            **{name: getattr(self, name)[keep] for name in fields},
        )


@dataclass(frozen=True, kw_only=True)
class Record:
    """A batch of events as generated.

    Args:
        particles: what a detector can see.
        taus: ``[E, 2, 11]``: see :func:`~tsunagu.samples.kernels.truth.find_taus`; NaN where there are none.
        weights: ``[E]``: the generator's own.
    """

    particles: Particles
    taus: Floats
    weights: Floats


def read_record(generator: Generator, batch: Any) -> Record:
    """Read a batch of Pythia's events into flat arrays."""
    import awkward as ak

    from tsunagu.samples.kernels.truth import find_taus

    events, count = batch.prt, ak.to_numpy(ak.num(batch.prt.id)).astype(np.int64)
    offsets = np.concatenate([[0], np.cumsum(count)])
    flat = {
        name: ak.to_numpy(ak.flatten(events[name])) for name in ("id", "status", "daughter1", "daughter2")
    }
    momentum = [ak.to_numpy(ak.flatten(events.p[name])) for name in ("px", "py", "pz", "e")]
    charge = generator.charges(flat["id"])
    taus = find_taus(
        offsets, flat["id"], flat["status"], flat["daughter1"], flat["daughter2"], charge, *momentum
    )
    weights = ak.to_numpy(batch.info.weights[:, 0]).astype(np.float64)
    visible = visible_particles(offsets, flat["id"], flat["status"], charge, np.stack(momentum))
    return Record(particles=visible, taus=taus, weights=weights)


def visible_particles(
    offsets: NDArray[np.int64],
    ids: NDArray[np.int32],
    status: NDArray[np.int32],
    charge: NDArray[np.int8],
    momentum: Floats,
) -> Particles:
    """Final particles without neutrinos, |eta| < 4.9 and pt > 0.05 GeV.

    Args:
        offsets: ``[E + 1]``.
        ids, status, charge: ``[N]``.
        momentum: ``[4, N]``: px, py, pz, E in GeV.
    """
    px, py, pz, energy = momentum
    pt = np.hypot(px, py)
    with np.errstate(divide="ignore", invalid="ignore"):
        eta = np.arcsinh(pz / pt)
    number = np.abs(ids)
    keep = (status > 0) & ~np.isin(number, NEUTRINOS) & (pt > 0.05) & (np.abs(eta) < 4.9)
    kind = np.where(np.isin(number, (11, 22)), EM, np.where(number == 13, MUON, HADRON)).astype(np.int8)
    kept = np.concatenate([[0], np.cumsum(keep)])[offsets]
    return Particles(
        offsets=kept,
        pt=pt[keep],
        eta=eta[keep],
        phi=np.arctan2(py, px)[keep],
        energy=energy[keep],
        charge=charge[keep],
        kind=kind[keep],
    )
