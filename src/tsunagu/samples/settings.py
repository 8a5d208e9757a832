"""What to simulate: frozen settings, hashed into the names of files."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from hashlib import sha256
from json import dumps

from tsunagu.errors import DataError, did_you_mean

__all__ = ["Analysis", "HTauTau", "Settings", "TauJet", "settings_hash"]

SCHEMA = 2
"""Raised whenever the same settings give another file."""


@dataclass(frozen=True, kw_only=True)
class HTauTau:
    """H -> tau tau (92 % gluon fusion, 8 % vector-boson fusion) against Z -> tau tau, both taus hadronic.

    Args:
        events: events that pass the selection, for each class; up to two million.
        pileup: mean number of additional proton collisions, up to 200; 0 for none.
        helicity: ``sampled`` tau helicities (16-30 times faster), or Pythia's ``exact`` matrix elements.
        mpi: the underlying event: ``overlay`` of one minimum-bias event, or Pythia's ``full`` simulation.
        seed: 0 to 999; the same seed gives the same file, byte for byte, whatever the number of processes. Samples
            that are to be independent of each other need different seeds.
        energy: of the two protons together, GeV; the cross-sections in the weights stay those of 13 TeV.

    >>> HTauTau(events=100, helicity="exakt")
    Traceback (most recent call last):
    ...
    tsunagu.errors.DataError: helicity: unknown value 'exakt' (did you mean 'exact'?)
    """

    events: int = 5000
    pileup: float = 30.0
    helicity: str = "sampled"
    mpi: str = "overlay"
    seed: int = 1
    energy: float = 13000.0

    def __post_init__(self) -> None:
        _make_floats(self)
        _check(self, "events")
        _check_word("helicity", self.helicity, ("sampled", "exact"))


@dataclass(frozen=True, kw_only=True)
class TauJet:
    """Hadronic tau decays against QCD jets of the same transverse momentum, one jet a row.

    Args:
        jets: half of them taus, half QCD jets; up to two million.
        pileup: as for :class:`HTauTau`.
        tracks: smallest and largest number of core tracks of a jet that is kept.
        mpi: as for :class:`HTauTau`.
        seed: as for :class:`HTauTau`.
        energy: as for :class:`HTauTau`.
    """

    jets: int = 4000
    pileup: float = 30.0
    tracks: tuple[int, int] = (1, 4)
    mpi: str = "overlay"
    seed: int = 1
    energy: float = 13000.0

    def __post_init__(self) -> None:
        _make_floats(self)
        _check(self, "jets")
        if not 0 <= self.tracks[0] <= self.tracks[1] <= 127:
            msg = f"tracks: expected the smallest and the largest number, up to 127, found {self.tracks}"
            raise DataError(msg)


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """What an analysis of H -> tau tau reads: ROOT files of H, Z -> tau tau and dijets that look like taus, and pseudo-data.

    Args:
        events: selected Z events; there are as many of H, and a third as many dijets. Pseudo-data are drawn from
            others, which are in no file themselves. Up to a million.
        luminosity: of the pseudo-data, 1/fb.
        tau_energy_scale: of the pseudo-data, in place of the 1 of the simulation.
        pileup: as for :class:`HTauTau`.
        mpi: as for :class:`HTauTau`.
        seed: as for :class:`HTauTau`.
        energy: as for :class:`HTauTau`.
    """

    events: int = 1000
    luminosity: float = 0.6
    tau_energy_scale: float = 1.015
    pileup: float = 20.0
    mpi: str = "overlay"
    seed: int = 1
    energy: float = 13000.0

    def __post_init__(self) -> None:
        _make_floats(self)
        for name, most in (("luminosity", 10_000.0), ("tau_energy_scale", 2.0)):
            object.__setattr__(self, name, float(getattr(self, name)))
            if not 0.0 < getattr(self, name) <= most:
                msg = f"{name}: expected a number above 0, up to {most:g}, found {getattr(self, name):g}"
                raise DataError(msg)
        _check(self, "events", 16, 1_000_000)


Settings = HTauTau | TauJet | Analysis


def settings_hash(settings: Settings) -> str:
    """Sixteen hexadecimal digits that change with every setting.

    >>> settings_hash(HTauTau()) == settings_hash(HTauTau(seed=1))
    True
    >>> settings_hash(HTauTau()) == settings_hash(HTauTau(seed=2))
    False
    """
    text = dumps([SCHEMA, type(settings).__name__, asdict(settings)], sort_keys=True)
    return sha256(text.encode()).hexdigest()[:16]


def _make_floats(settings: Settings) -> None:
    # 30 and 30.0 mean the same and must give the same hash.
    object.__setattr__(settings, "pileup", float(settings.pileup))
    object.__setattr__(settings, "energy", float(settings.energy))


def _check(settings: Settings, rows: str, least: int = 2, most: int = 2_000_000) -> None:
    # Event numbers have room for ten million rows a seed.
    ranges: dict[str, tuple[float, float]] = {
        rows: (least, most),
        "seed": (0, 999),
        "pileup": (0, 200),
        "energy": (900, 100_000),
    }
    for name, (low, high) in ranges.items():
        found = getattr(settings, name)
        if not low <= found <= high:
            msg = f"{name}: expected a number from {low} to {high}, found {found}"
            raise DataError(msg)
    _check_word("mpi", settings.mpi, ("overlay", "full"))


def _check_word(name: str, word: str, valid: tuple[str, ...]) -> None:
    if word not in valid:
        msg = f"{name}: unknown value '{word}'{did_you_mean(word, valid)}"
        raise DataError(msg)
