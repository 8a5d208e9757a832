"""What to simulate: frozen settings, hashed into the names of files."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from hashlib import sha256
from json import dumps

from tsunagu.errors import DataError, did_you_mean

__all__ = ["HTauTau", "Settings", "TauJet", "settings_hash"]

SCHEMA = 1
"""Raised whenever the same settings give another file."""


@dataclass(frozen=True, kw_only=True)
class HTauTau:
    """H -> tau tau (92 % gluon fusion, 8 % vector-boson fusion) against Z -> tau tau, both taus hadronic.

    Args:
        events: events that pass the selection, for each class.
        pileup: mean number of additional proton collisions; 0 for none.
        helicity: ``sampled`` tau helicities (16-30 times faster), or Pythia's ``exact`` matrix elements.
        mpi: the underlying event: ``overlay`` of one minimum-bias event, or Pythia's ``full`` simulation.
        seed: the same seed gives the same file, byte for byte, whatever the number of processes.
        energy: of the two protons together, GeV.

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
        _check(self.pileup, self.mpi, self.seed, events=self.events)
        _check_word("helicity", self.helicity, ("sampled", "exact"))


@dataclass(frozen=True, kw_only=True)
class TauJet:
    """Hadronic tau decays against QCD jets of the same transverse momentum, one jet a row.

    Args:
        jets: half of them taus, half QCD jets.
        pileup: mean number of additional proton collisions.
        tracks: smallest and largest number of core tracks of a jet that is kept.
        mpi: as for :class:`HTauTau`.
        seed: as for :class:`HTauTau`.
        energy: of the two protons together, GeV.
    """

    jets: int = 4000
    pileup: float = 30.0
    tracks: tuple[int, int] = (1, 4)
    mpi: str = "overlay"
    seed: int = 1
    energy: float = 13000.0

    def __post_init__(self) -> None:
        _check(self.pileup, self.mpi, self.seed, jets=self.jets)
        if not 0 <= self.tracks[0] <= self.tracks[1]:
            msg = f"tracks: expected (smallest, largest), found {self.tracks}"
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


def _check(pileup: float, mpi: str, seed: int, **numbers: int) -> None:
    for name, number in numbers.items():
        if number < 2:
            msg = f"{name}: expected at least 2, found {number}"
            raise DataError(msg)
    if not 0.0 <= pileup <= 200.0:
        msg = f"pileup: expected a mean between 0 and 200, found {pileup}"
        raise DataError(msg)
    if not 0 <= seed < 1000:
        msg = f"seed: expected a number from 0 to 999, found {seed}"
        raise DataError(msg)
    _check_word("mpi", mpi, ("overlay", "full"))


def _check_word(name: str, word: str, valid: tuple[str, ...]) -> None:
    if word not in valid:
        msg = f"{name}: unknown value '{word}'{did_you_mean(word, valid)}"
        raise DataError(msg)
