"""The physics processes: Pythia's switches, the cross-section, and the class that each belongs to."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["HADRONIC_PAIR", "LUMINOSITY", "PROCESSES", "Process"]

LUMINOSITY = 140_000.0
"""Integrated luminosity that the weights are normalised to, 1/pb (the LHC's Run 2)."""

HADRONIC_PAIR = 0.648**2
"""Share of tau pairs in which both decay hadronically: the square of the branching ratio."""

HIGGS_TO_TAUS = 0.0627
"""Branching ratio of a 125 GeV Higgs boson into two taus."""


@dataclass(frozen=True, kw_only=True)
class Process:
    """One hard process.

    Args:
        sample_id: number in the column of that name.
        label: 1 for signal, 0 for background.
        cross_section: at 13 TeV, times the branching ratio into two hadronic taus where there are taus, pb. Those of
            H and Z are beyond the leading order; those of QCD jets and minimum bias are Pythia's own.
        switches: for Pythia.
        polarisation: of the tau pair's parent: None where there are no taus to polarise.
        same_helicity: whether both taus have the same helicity (a scalar parent) or opposite ones (a vector).
    """

    sample_id: int
    label: int
    cross_section: float
    switches: tuple[str, ...]
    polarisation: float | None = None
    same_helicity: bool = False


_HIGGS = ("25:m0=125", "25:onMode=off", "25:onIfAny=15", "15:offIfAny=11 13")

PROCESSES = {
    "ggH": Process(
        sample_id=1,
        label=1,
        cross_section=48.6 * HIGGS_TO_TAUS * HADRONIC_PAIR,
        switches=("HiggsSM:gg2H=on", *_HIGGS),
        polarisation=0.0,
        same_helicity=True,
    ),
    "VBF": Process(
        sample_id=2,
        label=1,
        cross_section=3.8 * HIGGS_TO_TAUS * HADRONIC_PAIR,
        switches=("HiggsSM:ff2Hff(t:WW)=on", "HiggsSM:ff2Hff(t:ZZ)=on", *_HIGGS),
        polarisation=0.0,
        same_helicity=True,
    ),
    "Z": Process(
        sample_id=3,
        label=0,
        cross_section=1980.0 * HADRONIC_PAIR,
        switches=(
            "WeakSingleBoson:ffbar2gmZ=on",
            "PhaseSpace:mHatMin=60",
            "23:onMode=off",
            "23:onIfAny=15",
            "15:offIfAny=11 13",
        ),
        polarisation=-0.147,
    ),
    "QCD": Process(
        sample_id=4,
        label=0,
        cross_section=7.2e8,
        switches=(
            "HardQCD:all=on",
            "PhaseSpace:pTHatMin=20",
            "PhaseSpace:bias2Selection=on",
            "PhaseSpace:bias2SelectionPow=2",
            "PhaseSpace:bias2SelectionRef=20",
        ),
    ),
    # For taus that are harder than those of a Z at rest: with a jet that it recoils against. Scaled as the one above is.
    "Zjet": Process(
        sample_id=7,
        label=0,
        cross_section=556.0 * 1980.0 / 1467.0 * HADRONIC_PAIR,
        switches=(
            "WeakBosonAndParton:qqbar2gmZg=on",
            "WeakBosonAndParton:qg2gmZq=on",
            "PhaseSpace:mHatMin=60",
            "PhaseSpace:pTHatMin=20",
            "23:onMode=off",
            "23:onIfAny=15",
            "15:offIfAny=11 13",
        ),
        polarisation=-0.147,
    ),
    # For pairs of jets harder than those of the process before.
    "dijet": Process(
        sample_id=6,
        label=0,
        cross_section=5.42e7,
        switches=(
            "HardQCD:all=on",
            "PhaseSpace:pTHatMin=40",
            "PhaseSpace:bias2Selection=on",
            "PhaseSpace:bias2SelectionPow=2",
            "PhaseSpace:bias2SelectionRef=40",
        ),
    ),
    "min-bias": Process(sample_id=5, label=0, cross_section=7.8e10, switches=("SoftQCD:inelastic=on",)),
}
