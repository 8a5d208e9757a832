"""From reconstructed events to rows of the sample: matching jets to taus, and the columns of the two schemas."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tsunagu.samples.detector import Reconstructed

__all__ = [
    "Columns",
    "event_columns",
    "jet_columns",
    "match_taus",
    "pair_columns",
    "pair_mass",
    "single_columns",
    "tau_columns",
    "wrap_angle",
]

Columns = dict[str, NDArray[np.generic]]
Floats = NDArray[np.float64]

MATCH = 0.2


def wrap_angle(phi: Floats) -> Floats:
    """Angles in (-pi, pi].

    >>> float(wrap_angle(np.array([-np.pi]))[0]) == np.pi
    True
    """
    return np.pi - (np.pi - phi) % (2.0 * np.pi)


def match_taus(jets: Floats, taus: Floats) -> NDArray[np.int64]:
    """For each tau the number of the nearest jet within 0.2 of its visible part, or -1.

    Args:
        jets: ``[E, J, 5]``, NaN beyond the last.
        taus: ``[E, 2, 11]``, NaN where there are none.

    Returns:
        ``[E, 2]``. Two taus never share a jet: then both are -1.
    """
    _, eta, phi, _ = four_vector(taus[..., 4:8])
    far = (jets[:, None, :, 1] - eta[..., None]) ** 2 + wrap_angle(jets[:, None, :, 2] - phi[..., None]) ** 2
    far = np.where(np.isfinite(far), far, np.inf)
    nearest = far.argmin(axis=2)
    nearest[far.min(axis=2) > MATCH**2] = -1
    nearest[nearest[:, 0] == nearest[:, 1]] = -1
    return np.asarray(nearest, dtype=np.int64)


def four_vector(momentum: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """pt, eta, phi, mass of px, py, pz, E on the last axis."""
    px, py, pz, energy = np.moveaxis(momentum, -1, 0)
    pt = np.hypot(px, py)
    mass = np.sqrt(np.maximum(0.0, energy**2 - px**2 - py**2 - pz**2))
    with np.errstate(divide="ignore", invalid="ignore"):
        return pt, np.arcsinh(pz / pt), wrap_angle(np.arctan2(py, px)), mass


def pair_columns(seen: Reconstructed, taus: Floats, weights: Floats) -> Columns:
    """Rows of events whose two taus are both matched; jets and taus by falling pt of the jet.

    Args:
        seen: ``E`` events.
        taus: ``[E, 2, 11]``.
        weights: ``[E]``, the generator's.
    """
    matched = match_taus(seen.jets, taus)
    keep = np.flatnonzero((matched >= 0).all(axis=1))
    # Jets are sorted by pt, so a smaller number is a larger pt.
    order = np.argsort(matched[keep], axis=1)
    chosen = np.take_along_axis(matched[keep], order, axis=1)
    truth = np.take_along_axis(taus[keep], order[..., None], axis=1)
    jets = np.take_along_axis(seen.jets[keep], chosen[..., None], axis=1)
    images = np.take_along_axis(seen.images[keep], chosen[..., None, None, None], axis=1)
    columns = jet_columns(jets, images) | tau_columns(truth) | event_columns(seen, keep, weights)
    columns["jet_is_tau"] = np.ones((len(keep), 2), np.int8)
    columns["vis_mass"] = pair_mass(jets).astype(np.float32)
    return columns


def single_columns(
    seen: Reconstructed, taus: Floats, weights: Floats, tracks: tuple[int, int], *, tau: bool
) -> Columns:
    """One jet of each event: one that matches a tau, or the leading one where there are none.

    Args:
        seen: ``E`` events.
        taus: ``[E, 2, 11]``.
        weights: ``[E]``, the generator's.
        tracks: smallest and largest number of core tracks.
        tau: whether the jets are to be taus.
    """
    event = np.arange(len(weights))
    if tau:
        # Either tau in turn, so that the harder one is not preferred; batches are even, so the turns go on.
        side = event % 2
        chosen = match_taus(seen.jets, taus)[event, side]
    else:
        side = np.zeros_like(event)
        chosen = np.where(np.isfinite(seen.jets[:, 0, 0]), 0, -1)
    core = seen.jets[event, chosen, 4]
    keep = np.flatnonzero((chosen >= 0) & (core >= tracks[0]) & (core <= tracks[1]))
    jets, images = seen.jets[keep, chosen[keep]], seen.images[keep, chosen[keep]]
    # A QCD event may hold two taus from heavy quarks; they are not the truth about its leading jet.
    truth = taus[keep, side[keep]] if tau else np.full((len(keep), taus.shape[2]), np.nan)
    columns = jet_columns(jets, images) | tau_columns(truth) | event_columns(seen, keep, weights)
    columns["jet_is_tau"] = np.full(len(keep), tau, np.int8)
    return columns


def pair_mass(jets: Floats) -> Floats:
    """Invariant mass of two jets ``[E, 2, (pt, eta, phi, mass)]``, GeV."""
    pt, eta, phi, mass = (jets[..., i] for i in range(4))
    energy = np.sqrt((pt * np.cosh(eta)) ** 2 + mass**2).sum(axis=1)
    total = [(pt * f).sum(axis=1) for f in (np.cos(phi), np.sin(phi), np.sinh(eta))]
    return np.asarray(np.sqrt(np.maximum(0.0, energy**2 - sum(p**2 for p in total))))


def jet_columns(jets: Floats, images: NDArray[np.float32]) -> Columns:
    """Momenta, tracks and images of chosen jets ``[E, ..., 5]`` and ``[E, ..., 3, 16, 16]``."""
    columns: Columns = {
        f"jet_{name}": jets[..., i].astype(np.float32) for i, name in enumerate(("pt", "eta", "phi", "mass"))
    }
    columns["jet_phi"] = wrap_angle(jets[..., 2]).astype(np.float32)
    columns["jet_ntrk"] = np.minimum(jets[..., 4], 127).astype(np.int8)
    columns["jet_image"] = images.astype(np.float16)
    return columns


def tau_columns(truth: Floats) -> Columns:
    """The truth about chosen jets ``[E, ..., 11]``; NaN and 0 where there is none."""
    columns: Columns = {}
    for kind, part in (("full", truth[..., 0:4]), ("vis", truth[..., 4:8])):
        for name, values in zip(("pt", "eta", "phi", "mass"), four_vector(part), strict=True):
            columns[f"tau_{kind}_{name}"] = values.astype(np.float32)
    for place, name in ((8, "charge"), (9, "prong"), (10, "n_pi0")):
        columns[f"tau_{name}"] = np.nan_to_num(truth[..., place]).astype(np.int8)
    return columns


def event_columns(seen: Reconstructed, keep: NDArray[np.int64], weights: Floats) -> Columns:
    """Missing momentum, pile-up, number of jets and weight of the events ``keep [N]``."""
    names = ("met_x", "met_y", "sum_et")
    columns: Columns = {name: seen.missing[keep, i].astype(np.float32) for i, name in enumerate(names)}
    columns["n_pileup"] = seen.missing[keep, 3].astype(np.int16)
    columns["n_jet"] = np.isfinite(seen.jets[keep, :, 0]).sum(axis=1).astype(np.int8)
    return columns | {"gen_weight": weights[keep].astype(np.float32)}
