"""What to simulate: frozen settings, hashed into the names of files."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from hashlib import sha256
from json import dumps

from tsunagu.errors import DataError, did_you_mean

__all__ = ["HTauTau", "Settings", "TauJet", "settings_hash"]

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


Settings = HTauTau | TauJet


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


def _check(settings: Settings, rows: str) -> None:
    # Event numbers have room for ten million rows a seed.
    ranges = {rows: (2, 2_000_000), "seed": (0, 999), "pileup": (0, 200), "energy": (900, 100_000)}
    for name, (least, most) in ranges.items():
        found = getattr(settings, name)
        if not least <= found <= most:
            msg = f"{name}: expected a number from {least} to {most}, found {found}"
            raise DataError(msg)
    _check_word("mpi", settings.mpi, ("overlay", "full"))


def _check_word(name: str, word: str, valid: tuple[str, ...]) -> None:
    if word not in valid:
        msg = f"{name}: unknown value '{word}'{did_you_mean(word, valid)}"
        raise DataError(msg)
