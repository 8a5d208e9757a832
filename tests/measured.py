"""A study of three processes with everything that a measurement varies, and pseudo-data; written as a user has it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import yaml

SHIFTS = """
import numpy as np


def smear(columns, size):
    # Shifts that depend on the direction, as a resolution has them.
    return {"jet_pt": columns["jet_pt"] * (1.0 + 0.04 * size * np.cos(columns["jet_eta"]))}
"""
STUDY = {
    "name": "Three processes",
    "data": {
        "processes": {
            "higgs": {"files": "higgs.npz", "label": 1, "cross_section": "0.02 pb", "generated": "sum(gen)"},
            "z": {"files": "z.npz", "label": 0, "cross_section": "2 pb", "generated": "sum(gen)"},
            "qcd": {"files": "qcd.npz", "label": 0, "norm": 500.0, "generated": "entries"},
            "observed": {"files": "observed.npz", "observed": True},
        },
        "luminosity": "1 /fb",
        "units": {"jet_pt": "MeV"},
        "select": "ht > 70",
        "columns": {"ht": "jet_pt[0] + jet_pt[1]", "lead": "max(jet_pt[0], jet_pt[1])", "eta": "jet_eta[0]",
                    "features": ["lead / 60 - 1", "ht / 100 - 1", "eta"]},
        "weight": "gen",
        "negative_weights": "absolute_preserving",
    },
    "tasks": {
        "classify": {
            "inputs": ["features"],
            "output": "score",
            "model": [
                {"key": "MLP", "args": {"inputs": 3, "hidden": [8], "momenta": False}}
            ],
            "loss": {"key": "binary", "target": "label"},
        }
    },
    "train": {"epochs": 4, "batch_size": 64, "optimizer": {"key": "Adam", "args": {"lr": 1e-2}}},
    "metric": "auc(score, label)",
    "vary": {"data.folds": {str(t): {"k": 3, "test": t, "validation": (t + 1) % 3} for t in range(3)}},
    "analysis": {"score": "score", "variables": ["lead", "ht", "eta"], "binning": {"bins": 4, "fine": 40}, "luminosity": 0.02},
    "systematics": {
        "tes": {"key": "scale", "columns": "jet_pt", "up": 1.05, "down": 0.95},
        "smear": {"key": "function", "function": "measured_shifts:smear", "columns": "jet_pt", "reads": ["jet_eta"]},
        "pileup": {"key": "weights", "up": "pileup", "factor": True},
        "scale": {"key": "weights", "up": "gen_up", "down": "gen_down"},
        "generator": {"key": "files", "up": {"z": "other_z.npz"}, "processes": ["z"]},
        "shape": {"key": "files", "up": {"qcd": "other_qcd.npz"}, "processes": ["qcd"], "keep_yields": True},
        "z_xsec": {"key": "norm", "up": 1.04, "processes": ["z"]},
    },
}  # fmt: skip


def two_jets(events: int, seed: int, mean: float, above: float = 25.0, eta: float = 0.0) -> dict[str, np.ndarray]:
    """Events with two jets, pt in MeV; a tenth of the weights is negative."""
    draw = np.random.default_rng(seed)
    pt = draw.exponential(mean, (events, 2)) + above
    gen = np.where(draw.random(events) < 0.1, -0.5, 1.0)
    return {
        "jet_pt": (1e3 * pt).astype(np.float32),
        "jet_eta": draw.normal(eta, 1.0, (events, 2)).astype(np.float32),
        "gen": gen,
        "gen_up": gen * 1.1,
        "gen_down": gen * 0.9,
        "pileup": (1.0 + 0.002 * (pt[:, 0] - 45.0)).astype(np.float32),
        "event_number": np.arange(events) + 100_000 * seed,
    }


def write_study(folder: Path, events: int = 1500) -> Path:
    """The study file, with the files of its events beside it."""
    files = {
        "higgs": two_jets(events, 1, 20.0, 45.0),
        "z": two_jets(events, 2, 22.0),
        "qcd": two_jets(events, 3, 16.0),
        "other_z": two_jets(events, 4, 23.0),
        "other_qcd": two_jets(events // 2, 5, 17.0),
    }
    data = [two_jets(n, 10 + i, *s) for i, (n, s) in enumerate(((20, (20.0, 45.0)), (1600, (23.0, 25.0, 0.2)), (400, (16.0,))))]
    names = ("jet_pt", "jet_eta", "event_number")
    files["observed"] = {name: np.concatenate([part[name] for part in data]) for name in names}
    for name, columns in files.items():
        np.savez(folder / f"{name}.npz", **columns)
    (folder / "measured_shifts.py").write_text(SHIFTS, encoding="utf-8")
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(STUDY, sort_keys=False), encoding="utf-8")
    return path
