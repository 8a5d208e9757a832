"""A believable study's folder without any training: Z and H to two taus, two methods with three seeds, a baseline."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tsunagu.report import report

Array = NDArray[np.float64]
SEEDS = (1, 2, 3)
SPEC = """\
tasks:
  calibrate: {inputs: [jet_image, jet_p4], output: tau_p4}
  classify: {inputs: {momenta: tau_p4}, output: score}
train: {intermediate: true}
"""
BLUR = {"cnn lstm": 0.9, "mlp mass": 1.7}


def write_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, names, restval="", lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def read_csv(path: Path) -> dict[str, list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [row[name] for row in rows] for name in rows[0]}


def boosted_pair(generator: np.random.Generator, mass: Array) -> Array:
    """``[E, 2, 3]``: (pt, eta, phi) of the massless decay products of particles with pt and rapidity."""
    events = len(mass)
    cosine, angle = generator.uniform(-1, 1, events), generator.uniform(-np.pi, np.pi, events)
    sine = np.sqrt(1 - cosine**2)
    direction = np.stack([sine * np.cos(angle), sine * np.sin(angle), cosine], axis=1)
    energy = mass / 2
    transverse, rapidity = generator.exponential(25.0, events), generator.normal(0.0, 0.8, events)
    pair = []
    for sign in (1.0, -1.0):
        x, y, z = (sign * energy[:, None] * direction).T
        total_energy = np.hypot(mass, transverse)
        gamma, beta_gamma = total_energy / mass, transverse / mass
        e, x = gamma * energy + beta_gamma * x, gamma * x + beta_gamma * energy
        z = np.cosh(rapidity) * z + np.sinh(rapidity) * e
        pt = np.hypot(x, y)
        pair.append(np.stack([pt, np.arcsinh(z / pt), np.arctan2(y, x)], axis=1))
    return np.stack(pair, axis=1)


def mass_of_pair(momenta: Array) -> Array:
    """By the closed formula for massless particles, not by the one under test."""
    (pt1, eta1, phi1), (pt2, eta2, phi2) = momenta[:, 0, :3].T, momenta[:, 1, :3].T
    return np.sqrt(2 * pt1 * pt2 * (np.cosh(eta1 - eta2) - np.cos(phi1 - phi2)))


def make_events(events: int, seed: int) -> dict[str, Array]:
    generator = np.random.default_rng(seed)
    label = generator.integers(0, 2, events).astype(np.float64)
    mass = np.where(label == 1, generator.normal(125.0, 0.5, events), generator.normal(91.2, 2.5, events))
    truth = boosted_pair(generator, mass)
    visible = generator.beta(4.0, 2.4, (events, 2))
    jets = np.concatenate([truth, np.full((events, 2, 1), 1.0)], axis=2)
    jets[..., 0] *= visible * generator.normal(1.0, 0.07, (events, 2))
    central = (jets[..., 0] > 20).all(axis=1) & (np.abs(truth[..., 1]) < 2.5).all(axis=1)
    columns = {
        "is_higgs": label,
        "true_tau_p4": truth,
        "jet_p4": jets,
        "weight": generator.uniform(0.5, 1.5, events),
    }
    kept = {name: column[central] for name, column in columns.items()}
    count = int(central.sum())
    return kept | {
        "vis_mass": mass_of_pair(kept["jet_p4"]),
        "event_number": np.arange(count, dtype=np.float64),
    }


def predict(columns: Mapping[str, Array], blur: float, seed: int) -> dict[str, Array]:
    generator = np.random.default_rng(seed)
    taus = columns["jet_p4"][..., :3].copy()
    noise = generator.normal(1.0, 0.05 * blur, taus.shape[:2])
    taus[..., 0] = (10.0 + 1.38 * taus[..., 0] ** 0.98) * noise
    hint = mass_of_pair(columns["true_tau_p4"]) - 108.0 + generator.normal(0.0, 25.0 * blur, len(taus))
    score = 0.10 * (columns["vis_mass"] - 75.0) + 0.03 * hint / blur**2
    return {"tau_p4": taus, "score": score}


def write_history(path: Path, seed: int) -> None:
    generator, rows, seconds = np.random.default_rng(seed), [], 0.0
    for stage, level in (("pretrain calibrate", 40.0), ("pretrain classify", 0.2), ("joint", 0.6)):
        for epoch in range(1, 21 - seed):
            seconds += 0.5
            train = level * (1 + 0.8 * np.exp(-epoch / 3) + generator.normal(0, 0.008))
            valid = level * (1.03 + 0.75 * np.exp(-epoch / 3) + generator.normal(0, 0.015))
            rows.append({
                "stage": stage, "epoch": epoch, "step": 50 * epoch, "train_loss": train, "valid_loss": valid,
                "metric": 0.9, "seconds": seconds,
            })  # fmt: skip
    write_csv(path, rows)


def write_trial(folder: Path, events: Mapping[str, Mapping[str, Array]], blur: float, seed: int) -> None:
    folder.mkdir(parents=True)
    arrays = {}
    for number, (split, columns) in enumerate(events.items()):
        kept = {name: column for name, column in columns.items() if name != "vis_mass"}
        stored = {**kept, **predict(columns, blur, 100 * seed + number)}
        arrays |= {f"{split}_{name}": value.astype(np.float32) for name, value in stored.items()}
    np.savez(folder / "predictions.npz", **arrays)
    write_history(folder / "history.csv", seed)
    (folder / "result.json").write_text("{}", encoding="utf-8")
    (folder / "spec.yaml").write_text(SPEC, encoding="utf-8")


def make_study(
    out: Path, events: int = 40_000, blurs: Mapping[str, float] = BLUR, seeds: Sequence[int] = SEEDS
) -> Path:
    splits = {"validation": make_events(events, 1), "test": make_events(events, 2)}
    rows: list[dict[str, Any]] = []
    for number, (method, blur) in enumerate(blurs.items()):
        for seed in seeds:
            digest = f"{method.replace(' ', '')}{seed}" if blurs is BLUR else f"trial{number}_{seed}"
            write_trial(out / "trials" / digest, splits, blur, seed)
            value = 0.95 - 0.04 * blur + 0.001 * seed
            rows.append({
                "method": method, "seed": seed, "choice:calibrate": method.split()[0],
                "validation_auc": value, "validation_resolution": 0.2, "test_auc": value - 0.01,
                "test_resolution": 0.1 * seed, "seconds": 10.0 * seed, "digest": digest,
            })  # fmt: skip
    plain = {
        f"{split}_{name}": columns[name].astype(np.float32)
        for split, columns in splits.items()
        for name in ("vis_mass", "is_higgs", "weight")
    }
    np.savez(out / "baselines.npz", **plain)
    rows.append({"method": "visible_mass", "validation_auc": 0.82, "test_auc": 0.81})
    write_csv(out / "results.csv", rows)
    summary = {
        "name": "H to tau tau",
        "metric": "auc(score, is_higgs)",
        "outputs": {
            "tau_p4": {
                "task": "calibrate",
                "loss": "four_momentum",
                "target": "true_tau_p4",
                "before": "jet_p4",
            },
            "score": {"task": "classify", "loss": "binary", "target": "is_higgs"},
        },
        "metrics": {"auc": "auc(score, is_higgs)", "resolution": "resolution(tau_p4, true_tau_p4)"},
        "events": {"train": 6000, "validation": 2000, "test": 2000},
        "methods": [],
    }
    (out / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    (out / "study.yaml").write_text(
        "baselines: {visible_mass: 'auc(vis_mass, is_higgs)'}\n", encoding="utf-8"
    )
    return out


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study's folder that no test changes."""
    return make_study(tmp_path_factory.mktemp("study") / "out", 12_000)


@pytest.fixture(scope="session")
def figures(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of its figures."""
    folder = tmp_path_factory.mktemp("figures")
    report(finished, folder)
    return folder


@pytest.fixture(scope="session")
def study_folder() -> Callable[..., Path]:
    """Makes a study's folder with other methods and seeds."""
    return make_study


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A small study's folder that a test may damage."""
    return make_study(tmp_path / "out", 2000)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures are laid out and their numbers written, but no pixel is drawn: it takes most of the time."""
    monkeypatch.setattr("tsunagu.report.style._render", lambda figure, kind, *_: kind.encode())


@pytest.fixture(scope="session")
def read() -> Callable[[Path], dict[str, list[str]]]:
    return read_csv


@pytest.fixture(scope="session")
def rewrite() -> Callable[[Path, list[dict[str, Any]]], None]:
    return write_csv


@pytest.fixture(scope="session")
def change_predictions() -> Callable[[Path, Callable[[dict[str, Array]], None]], None]:
    """Applies a function to the arrays of every trial."""

    def change(out: Path, edit: Callable[[dict[str, Array]], None]) -> None:
        for path in out.glob("trials/*/predictions.npz"):
            with np.load(path) as stored:
                arrays = dict(stored)
            edit(arrays)
            np.savez(path, **arrays)

    return change
