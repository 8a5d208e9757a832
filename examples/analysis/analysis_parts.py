"""What the study of an analysis has of its own: a network, a systematic variation, and the inputs of boosted trees.

``analysis.yaml`` names them by import path; the folder must be on Python's path, as for every module of one's own.
"""

from __future__ import annotations

import functools
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tsunagu.data import fold_of
from tsunagu.layers import JetTagger, LogMomentum

Columns = Mapping[str, NDArray[Any]]

SCALE_ERROR = 0.03
"""Relative uncertainty of the tau energy scale."""

READ = ("jet_pt", "jet_eta", "jet_phi", "jet_mass", "jet_ntrk", "jet_core", "jet_image", "met_x", "met_y")
"""What the trees' inputs are made of."""

TREES = Path(__file__).parent / "events" / "boosting.pickle"


@final
class OneNetwork(nn.Module):
    """One network in place of a chain, with nothing to learn from in between: both jets and the missing momentum -> logit.

    Args:
        features: of each jet, by a network that both share.
        hidden: of the layer behind them.
    """

    def __init__(self, features: int = 8, hidden: int = 64) -> None:
        super().__init__()
        self.jets = JetTagger(outputs=features)
        self.momenta = LogMomentum()
        self.head = nn.Sequential(nn.Linear(2 * (features + 4) + 2, hidden), nn.ReLU(), nn.Linear(hidden, 1))

    def forward(self, jet_image: Tensor, jet_p4: Tensor, met: Tensor) -> Tensor:
        seen = [self.jets(jet_image, jet_p4), self.momenta(jet_p4)]
        flat = torch.cat([each.flatten(1) for each in seen], dim=1)
        return self.head(torch.cat([flat, met / 100.0], dim=1)).squeeze(1)


def tau_energy(columns: Columns, size: float) -> dict[str, NDArray[Any]]:
    """Candidates that are taus with an energy scale that is ``size`` standard deviations higher.

    The missing momentum balances what the taus gain, and the trees are asked again.
    """
    factor = 1.0 + SCALE_ERROR * size * (columns["jet_is_tau"] > 0)
    gained = (factor - 1.0) * columns["jet_pt"]
    image = columns["jet_image"].copy()
    image[:, :, 1:] *= factor[:, :, None, None, None]  # both calorimeters; tracks stay
    changed = {
        "jet_pt": columns["jet_pt"] * factor,
        "jet_mass": columns["jet_mass"] * factor,
        "jet_image": image,
        "met_x": columns["met_x"] - (gained * np.cos(columns["jet_phi"])).sum(axis=1),
        "met_y": columns["met_y"] - (gained * np.sin(columns["jet_phi"])).sum(axis=1),
    }
    return changed | {"boosted": boosted({**columns, **changed}, columns["event_number"], trained_trees())}


def boosted_inputs(columns: Columns) -> NDArray[np.float32]:
    """What a physicist gives to boosted trees, ``[E, 35]``: momenta, masses, angles, and the images in numbers.

    Args:
        columns: those of ``READ``, ``[E, ...]``.
    """
    pt, eta, phi = (columns[f"jet_{name}"].astype(np.float64) for name in ("pt", "eta", "phi"))
    met = np.hypot(columns["met_x"], columns["met_y"])
    apart = np.abs((phi[:, 0] - phi[:, 1] + np.pi) % (2 * np.pi) - np.pi)
    mass = np.sqrt(2 * pt.prod(axis=1) * np.maximum(np.cosh(eta[:, 0] - eta[:, 1]) - np.cos(apart), 0.0))
    x = (pt * np.cos(phi)).sum(axis=1) + columns["met_x"]
    y = (pt * np.sin(phi)).sum(axis=1) + columns["met_y"]
    toward = phi - np.arctan2(columns["met_y"], columns["met_x"])[:, None]
    event = [mass, met, np.hypot(x, y), apart, np.abs(eta[:, 0] - eta[:, 1])]
    event += [np.sqrt(2 * pt[:, j] * met * (1 - np.cos(toward[:, j]))) for j in (0, 1)]  # transverse masses
    jets = [pt, np.abs(eta), columns["jet_mass"], columns["jet_ntrk"], columns["jet_core"]]
    image = columns["jet_image"].astype(np.float64)
    rings = [
        image[..., 6:10, 6:10].sum(axis=(-2, -1)),
        image[..., 4:12, 4:12].sum(axis=(-2, -1)),
        image.sum(axis=(-2, -1)),
    ]
    parts = [np.stack(event, axis=1), *jets, *(ring.reshape(len(pt), -1) for ring in rings)]
    return np.concatenate(parts, axis=1).astype(np.float32)


def boosted(columns: Columns, event_number: NDArray[Any], trees: Sequence[Any]) -> NDArray[np.float32]:
    """The logit of the trees of each event's fold, which have not seen it, ``[E]``."""
    inputs, fold = boosted_inputs(columns), fold_of(event_number.astype(np.int64), len(trees))
    score = np.zeros(len(inputs), np.float32)
    for number, each in enumerate(trees):
        own = fold == number
        if own.any():
            score[own] = each.decision_function(inputs[own])
    return score


@functools.cache
def trained_trees() -> Sequence[Any]:
    """The trees that ``boosting.py`` stored, one for each fold."""
    return pickle.loads(TREES.read_bytes())  # ours, from a minute ago
