"""Jets that look like taus, whatever they are: the selection of an analysis, the same for all processes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tsunagu.samples.detector import Reconstructed
from tsunagu.samples.selection import (
    Columns,
    event_columns,
    jet_columns,
    match_taus,
    pair_mass,
    tau_columns,
)

__all__ = ["CORE", "LEAST_PT", "LEAST_TAU_PT", "candidate_columns", "core_share", "two_candidates"]

Floats = NDArray[np.float64]

LEAST_PT = (55.0, 36.0)
"""Of the first and the second candidate, GeV; an analysis cuts harder, so that an energy scale can move events into it."""

CORE = 0.4
"""Least share of the calorimeter's energy in the core of a candidate."""

TRACKS = 4
"""Most core tracks of a candidate; the least is one."""

LOOSER = 0.75
"""How much softer candidates may be before pile-up adds its energy to them."""

LEAST_TAU_PT = (0.87 * LEAST_PT[0], 0.87 * LEAST_PT[1])
"""Of the taus before their decay: what is below cannot be selected, since neutrinos take more than pile-up adds."""


def core_share(images: NDArray[np.floating]) -> Floats:
    """Share of the calorimeters' energy within about 0.1 of the axis: the 4 x 4 pixels in the middle.

    Args:
        images: ``[..., 3, 16, 16]``, GeV.

    >>> image = np.zeros((3, 16, 16))
    >>> image[1, 7, 7], image[2, 0, 0], image[0, 0, 0] = 3.0, 1.0, 9.0
    >>> float(core_share(image))
    0.75
    """
    energy = images[..., 1:, :, :].sum(axis=-3, dtype=np.float64)
    whole = energy.sum(axis=(-2, -1))
    return np.asarray(energy[..., 6:10, 6:10].sum(axis=(-2, -1)) / np.where(whole > 0.0, whole, np.inf))


def two_candidates(seen: Reconstructed) -> NDArray[np.int64]:
    """Events with two candidates where there is no pile-up yet; looser than the selection, so that none is lost."""
    first, second = LEAST_PT
    found = _candidates(seen, LOOSER * second)
    pt = np.where(found, seen.jets[..., 0], 0.0)
    return np.flatnonzero((found.sum(axis=1) >= 2) & (pt.max(axis=1, initial=0.0) > LOOSER * first))


def candidate_columns(seen: Reconstructed, taus: Floats, weights: Floats, *, taus_are_true: bool) -> Columns:
    """Rows of events with two candidates: the two hardest ones, by falling pt.

    Args:
        seen: ``E`` events.
        taus: ``[E, 2, 11]``.
        weights: ``[E]``, the generator's.
        taus_are_true: whether both candidates must match a tau; else neither is one, as in dijets.
    """
    first, second = LEAST_PT
    found = _candidates(seen, second)
    # Jets come by falling pt, so the first two found are the hardest.
    order = np.argsort(~found, axis=1, kind="stable")[:, :2]
    leading = np.take_along_axis(seen.jets[..., 0], order, axis=1)[:, 0]
    passed = (found.sum(axis=1) >= 2) & (leading > first)
    truth = _truth(match_taus(seen.jets, taus), order, taus)
    # Mistaken jets beside one true tau pass an identification a hundred times less often: they are among the fakes.
    keep = np.flatnonzero(passed & (np.isfinite(truth[..., 0]).all(axis=1) if taus_are_true else True))
    chosen, truth = order[keep], truth[keep]
    jets = np.take_along_axis(seen.jets[keep], chosen[..., None], axis=1)
    images = np.take_along_axis(seen.images[keep], chosen[..., None, None, None], axis=1)
    if not taus_are_true:
        truth = np.full_like(truth, np.nan)
    columns = jet_columns(jets, images) | tau_columns(truth) | event_columns(seen, keep, weights)
    columns["jet_is_tau"] = np.isfinite(truth[..., 0]).astype(np.int8)
    columns["jet_core"] = core_share(images).astype(np.float32)
    columns["vis_mass"] = pair_mass(jets).astype(np.float32)
    return columns


def _candidates(seen: Reconstructed, least: float) -> NDArray[np.bool_]:
    pt, tracks = seen.jets[..., 0], seen.jets[..., 4]
    return (pt > least) & (tracks >= 1) & (tracks <= TRACKS) & (core_share(seen.images) > CORE)


def _truth(matched: NDArray[np.int64], chosen: NDArray[np.int64], taus: Floats) -> Floats:
    """For each candidate ``[N, 2]`` the tau that it matches ``[N, 2, 11]``; NaN for none."""
    same = matched[:, None, :] == chosen[:, :, None]
    tau = np.take_along_axis(taus, same.argmax(axis=2)[..., None], axis=1)
    return np.where(same.any(axis=2)[..., None], tau, np.nan)
