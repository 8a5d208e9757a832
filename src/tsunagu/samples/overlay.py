"""A library of minimum-bias events that is overlaid on every event, each time turned and mirrored anew."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from tsunagu.random import derive_seed
from tsunagu.samples.generator import Generator
from tsunagu.samples.particles import Particles, read_record

__all__ = ["LIBRARY", "load_library", "make_library"]

LIBRARY = 2000
"""Events in the library: a small one is enough, since each use rotates and mirrors it."""

FIELDS = ("pt", "eta", "phi", "energy", "charge", "kind")


def make_library(seed: int, energy: float, events: int = LIBRARY) -> bytes:
    """Generate the library; the content of an npz file."""
    generator = Generator(
        "min-bias", seed=derive_seed(seed, "library"), helicity="exact", mpi="full", energy=energy
    )
    parts, total = [], 0
    while total < events:
        particles = read_record(generator, generator.batch()).particles
        parts.append(particles)
        total += len(particles)
    counts = np.concatenate([np.diff(part.offsets) for part in parts])[:events]
    offsets = np.concatenate([[0], np.cumsum(counts)])
    columns = {
        name: np.concatenate([getattr(part, name) for part in parts])[: offsets[-1]] for name in FIELDS
    }
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, offsets=offsets, **columns)
    return content.getvalue()


def load_library(path: Path) -> Particles:
    """Read what :func:`make_library` made."""
    with np.load(path) as stored:
        return Particles(offsets=stored["offsets"], **{name: stored[name] for name in FIELDS})
