"""What the two taus of an event truly were."""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["TAU_FIELDS", "find_taus"]

TAU_FIELDS = ("px", "py", "pz", "e", "vis_px", "vis_py", "vis_pz", "vis_e", "charge", "prong", "n_pi0")


@njit(cache=True)
def _count(begin, end, start, ids, first, last, charge):
    """Charged hadrons and neutral pions among the daughters, and among those of an eta, omega or kaon that decayed."""
    waiting = np.empty(64, np.int64)
    number = 0
    for d in range(begin, end):
        waiting[number] = d
        number += 1
    prongs, pions = 0.0, 0.0
    while number > 0:
        number -= 1
        d = waiting[number]
        if ids[d] == 111:
            pions += 1.0
        elif abs(ids[d]) < 100:
            continue
        elif first[d] <= 0:
            prongs += 1.0 if charge[d] != 0 else 0.0
        else:
            for deeper in range(start + first[d], start + max(first[d], last[d]) + 1):
                waiting[number] = deeper
                number += 1
    return prongs, pions


@njit(cache=True)
def find_taus(offsets, ids, status, first, last, charge, px, py, pz, energy):
    """The last copy of each tau before its decay, and its visible part: the tau minus its neutrino.

    Args:
        offsets: ``[E + 1]``, where each event begins.
        ids, status, first, last, charge: ``[N]``: PDG number, status, first and last daughter, charge.
        px, py, pz, energy: ``[N]``, GeV.

    Returns:
        ``[E, 2, 11]`` with the fields of ``TAU_FIELDS``; NaN in events without two taus. Prongs are charged hadrons:
        the electrons of a pi0 -> e e gamma are none, and a K0S counts as the detector finds it, undecayed.
    """
    events = len(offsets) - 1
    taus = np.full((events, 2, 11), np.nan)
    for event in range(events):
        start, found = offsets[event], 0
        for i in range(start, offsets[event + 1]):
            if abs(ids[i]) != 15 or status[i] > 0 or first[i] <= 0 or found == 2:
                continue
            begin, end = start + first[i], start + max(first[i], last[i]) + 1
            copied = False
            for d in range(begin, end):
                if abs(ids[d]) == 15:
                    copied = True
            if copied:
                continue
            row = taus[event, found]
            row[0], row[1], row[2], row[3] = px[i], py[i], pz[i], energy[i]
            row[4], row[5], row[6], row[7] = px[i], py[i], pz[i], energy[i]
            row[8], row[9], row[10] = -1.0 if ids[i] > 0 else 1.0, 0.0, 0.0
            for d in range(begin, end):
                if abs(ids[d]) == 16:
                    row[4] -= px[d]
                    row[5] -= py[d]
                    row[6] -= pz[d]
                    row[7] -= energy[d]
            row[9], row[10] = _count(begin, end, start, ids, first, last, charge)
            found += 1
        if found < 2:
            taus[event] = np.nan
    return taus
