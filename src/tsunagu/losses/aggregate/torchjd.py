"""TorchJD's aggregators and scalarizers by their names there, behind the interface of our own.

Each step is made of a module that is built anew, given its state and asked once, so that all it keeps is a value that a checkpoint holds.
What it draws at random comes from the step's seed: the global generator is set, and put back.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from typing import Any

import torch

from tsunagu.losses.aggregate.aggregator import Aggregator

__all__ = ["AGGREGATORS", "NAMES", "SCALARIZERS", "borrowed", "build", "seeded"]

AGGREGATORS = (
    "AlignedMTL",
    "CAGrad",
    "ConFIG",
    "DualProj",
    "ExcessMTL",
    "FairGrad",
    "GradDrop",
    "GradVac",
    "IMTLG",
    "Krum",
    "NashMTL",
    "PCD",
    "PCGrad",
    "TrimmedMean",
    "UPGrad",
)
"""Those that read gradients; but for MGDA, of which ours is exact, and the plain sum."""
SCALARIZERS = (
    "COSMOS",
    "Constant",
    "DWA",
    "FAMO",
    "GeometricMean",
    "IMTLL",
    "Mean",
    "PBI",
    "Random",
    "STCH",
    "UW",
)
"""Those that read losses alone; of names that both have, these cost one backward pass and come to the same."""
NAMES = (*AGGREGATORS, *SCALARIZERS)
LEARNING = ("IMTLL", "UW")
"""Those with weights of their own that are learned beside the model's."""
FILLED = ("n_tasks", "shape")
"""Arguments that say how many objectives there are."""
HIDDEN = (*FILLED, "projector", "f", "weighting")
"""Arguments that no study file can give."""
MISSING = "is TorchJD's, which is not installed; run pip install 'tsunagu[objectives]'"


def borrowed(name: str) -> Callable[..., Aggregator]:
    """What makes one of TorchJD's from its settings, which its signature shows; lists stand for tensors.

    Raises:
        LookupError: TorchJD is not installed.
    """
    from tsunagu.losses.aggregate.gradients import OfGradients, reads_products
    from tsunagu.losses.aggregate.scalarizers import Famo, OfLosses

    cls = _class(name)
    kept = [p for p in inspect.signature(cls).parameters.values() if p.name not in HIDDEN]
    parameters = [p.replace(kind=p.KEYWORD_ONLY) for p in kept]
    if name in AGGREGATORS:
        kind: Any = OfGradients
        parameters += [_setting("features", default=False)] if reads_products(cls) else []
    else:
        kind = Famo if name == "FAMO" else OfLosses
        parameters += [_setting("learning_rate", default=0.01)] if name in LEARNING else []
    made = partial(_checked, kind, name)
    made.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return made


def build(name: str, settings: Mapping[str, Any], objectives: int) -> Any:
    """A module of TorchJD's, in double precision.

    Raises:
        ValueError: its settings are wrong, or need a package that is not there.
    """
    cls = _class(name)
    taken = inspect.signature(cls).parameters
    # FAMO and UW call the number of losses a shape.
    filled = {argument: objectives for argument in FILLED if argument in taken}
    if name in ("DualProj", "UPGrad"):
        filled["projector"] = _projector()
    given = {argument: _as_tensor(value) for argument, value in settings.items() if argument in taken}
    try:
        return cls(**filled, **given).double()
    except ImportError as error:
        msg = f"{name} needs more than TorchJD: {error}"
        raise ValueError(msg) from error


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw from a seed while the block runs, where a library knows no other generator than the global one."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


def _checked(kind: Any, name: str, **settings: Any) -> Aggregator:
    made: Aggregator = kind(
        name=name, settings=tuple((key, _hashable(settings[key])) for key in sorted(settings))
    )
    build(name, settings, 2)
    return made


def _class(name: str) -> Any:
    try:
        module = import_module("torchjd.aggregation" if name in AGGREGATORS else "torchjd.scalarization")
    except ModuleNotFoundError as error:
        msg = f"'{name}' {MISSING}"
        raise LookupError(msg) from error
    if not hasattr(module, name):
        msg = f"'{name}' is not in the installed TorchJD, which is too old: 0.18 is needed"
        raise LookupError(msg)
    return getattr(module, name)


def _setting(name: str, *, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default)


def _hashable(value: Any) -> Any:
    return (
        tuple(map(_hashable, value)) if isinstance(value, Sequence) and not isinstance(value, str) else value
    )


def _as_tensor(value: Any) -> Any:
    return torch.tensor(value, dtype=torch.float64) if isinstance(value, list | tuple) else value


def _projector() -> Any:
    """Exact, and without the packages that TorchJD's own needs."""
    from torchjd.linalg import DualConeProjector

    from tsunagu.losses.aggregate.min_norm import onto_dual_cone

    class Exact(DualConeProjector):  # type: ignore[misc, unused-ignore]
        def __call__(self, U: Any, G: Any) -> Any:
            return onto_dual_cone(U, G)

    return Exact()
