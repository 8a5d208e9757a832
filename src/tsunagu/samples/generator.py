"""Pythia 8: events in batches, with sampled tau helicities and an early veto.

Two measured findings shape this file. Exact spin correlations of Z -> tau tau cost more than the showers; drawing one
helicity per pair gives the same energies of the decay products 16 to 30 times faster (only transverse correlations are
lost). And most events can be dropped before they are hadronised, since their taus cannot pass the selection.
"""

from __future__ import annotations

from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from tsunagu.errors import DataError
from tsunagu.random import derive_seed
from tsunagu.samples.processes import PROCESSES, Process

__all__ = ["BATCH", "Generator", "import_pythia"]

TAU = 15
COMMON = (
    "Print:quiet=on",
    "Next:numberCount=0",
    "ParticleDecays:limitTau0=on",
    "ParticleDecays:tau0Max=10",
    "Random:setSeed=on",
)
BATCH = 250


def import_pythia() -> Any:
    """The module ``pythia8mc``, or a sentence about how to get it and what else a simulation needs."""
    try:
        import awkward  # noqa: F401
        import numba  # noqa: F401
        import pythia8mc
    except ImportError as error:
        msg = f"simulating events needs {error.name}: pip install 'tsunagu[samples]'"
        raise DataError(msg) from error
    return pythia8mc


@final
class Generator:
    """Events of one process.

    Args:
        process: a name of :data:`~tsunagu.samples.processes.PROCESSES`.
        seed: of Pythia and of the helicities, which have generators of their own.
        helicity: ``sampled`` or ``exact``.
        mpi: ``overlay`` switches multiparton interactions off; ``full`` leaves them on.
        energy: GeV.
        least_pt: of the harder and the softer tau after the shower, GeV; events below are not hadronised.
    """

    def __init__(
        self,
        process: str,
        *,
        seed: int,
        helicity: str,
        mpi: str,
        energy: float,
        least_pt: tuple[float, float] = (20.0, 20.0),
    ) -> None:
        pythia8 = import_pythia()
        chosen = PROCESSES[process]
        sampled = helicity == "sampled" and chosen.polarisation is not None
        self._pythia = pythia8.Pythia("", False)
        # Pythia takes seeds up to 900 million.
        number = derive_seed(seed, "pythia", process) % 900_000_000 + 1
        switches = [*COMMON, f"Beams:eCM={energy}", f"Random:seed={number}", *chosen.switches]
        if sampled:
            switches += ["TauDecays:mode=5", "TauDecays:externalMode=0"]
        if mpi == "overlay" and process != "min-bias":
            switches.append("PartonLevel:MPI=off")
        for switch in switches:
            if not self._pythia.readString(switch):
                msg = f"Pythia does not understand '{switch}'"
                raise DataError(msg)
        draw = np.random.default_rng(derive_seed(seed, "helicity", process))
        self._hook = _hook(pythia8, chosen, draw if sampled else None, least_pt)
        self._pythia.setUserHooksPtr(self._hook)
        if not self._pythia.init():
            msg = f"Pythia could not be initialised for {process}"
            raise DataError(msg)

    @property
    def generated(self) -> int:
        """Hard events so far, those included that were vetoed: the denominator of the filter efficiency."""
        return int(self._hook.generated)

    def batch(self, events: int = BATCH) -> Any:
        """So many events that were not vetoed, as an Awkward array; Pythia tries until it has them."""
        return self._pythia.nextBatch(events)

    def charges(self, ids: NDArray[np.int32]) -> NDArray[np.int8]:
        """Electric charge by PDG number, ``[N]``."""
        known, place = np.unique(ids, return_inverse=True)
        table = [round(self._pythia.particleData.charge(int(number))) for number in known]
        return np.asarray(table, dtype=np.int8)[place]


def _hook(
    pythia8: Any, process: Process, draw: np.random.Generator | None, least_pt: tuple[float, float]
) -> Any:
    """The user hook, made here since its base class exists only where Pythia is installed."""

    class Hook(pythia8.UserHooks):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.generated = 0

        def canVetoProcessLevel(self) -> bool:
            return True

        def canVetoPartonLevel(self) -> bool:
            return process.polarisation is not None

        def doVetoProcessLevel(self, event: Any) -> bool:
            self.generated += 1
            if process.polarisation is None:
                return False
            taus = [event[i] for i in range(event.size()) if event[i].idAbs() == TAU]
            if draw is not None:
                _polarise(taus, process, draw)
            return any(tau.pT() < 8.0 or abs(tau.eta()) > 3.2 for tau in taus)

        def doVetoPartonLevel(self, event: Any) -> bool:
            taus = (event[i] for i in range(event.size()) if event[i].idAbs() == TAU)
            final = [(tau.pT(), abs(tau.eta())) for tau in taus if tau.isFinal()]
            hardest = max((pt for pt, _ in final), default=least_pt[0])
            return hardest < least_pt[0] or any(pt < least_pt[1] or eta > 2.6 for pt, eta in final)

    return Hook()


def _polarise(taus: list[Any], process: Process, draw: np.random.Generator) -> None:
    assert process.polarisation is not None
    helicity = 1.0 if draw.random() < 0.5 * (1.0 + process.polarisation) else -1.0
    for tau in taus:
        opposite = tau.id() < 0 and not process.same_helicity
        tau.pol(-helicity if opposite else helicity)
