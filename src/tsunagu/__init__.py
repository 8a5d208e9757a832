"""tsunagu connects machine-learning models into one trainable particle-physics analysis.

Everything a user declares is data, and Python and YAML say the same thing::

    import tsunagu as tn

    study = tn.load_study("examples/htautau/demo.yaml").study
    outcome = tn.run_study(study, Path("out"), base=Path("examples/htautau"))

The names below are imported when they are first used, so that the command line starts at once.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tsunagu.data import Table, open_table
    from tsunagu.errors import ChoiceError, DataError, ResumeError, SpecError, TsunaguError
    from tsunagu.report import report
    from tsunagu.samples import HTauTau, TauJet, generate, ready_sample
    from tsunagu.spec import (
        Choice,
        Data,
        Folds,
        LossTerm,
        Node,
        Pipeline,
        Process,
        Search,
        Study,
        Task,
        Train,
        choice,
        condition,
        dirichlet,
        load_study,
        log_uniform,
        loss,
        node,
        one_minus_log_uniform,
        ref,
        schedule,
        simplex,
        uniform,
        weight_scan,
    )
    from tsunagu.studies import run_study
    from tsunagu.trials import Result, Store, Trial, load_graph, run_trial

__version__ = "0.1.0"

_HOMES = {
    "data": ("Table", "open_table"),
    "errors": ("ChoiceError", "DataError", "ResumeError", "SpecError", "TsunaguError"),
    "report": ("report",),
    "samples": ("HTauTau", "TauJet", "generate", "ready_sample"),
    "spec": (
        "condition",
        "dirichlet",
        "log_uniform",
        "one_minus_log_uniform",
        "schedule",
        "simplex",
        "uniform",
        "Choice",
        "Data",
        "Folds",
        "LossTerm",
        "Node",
        "Pipeline",
        "Process",
        "Search",
        "Study",
        "Task",
        "Train",
        "choice",
        "load_study",
        "loss",
        "node",
        "ref",
        "weight_scan",
    ),
    "studies": ("run_study",),
    "trials": ("Result", "Store", "Trial", "load_graph", "run_trial"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Choice",
    "ChoiceError",
    "Data",
    "DataError",
    "Folds",
    "HTauTau",
    "LossTerm",
    "Node",
    "Pipeline",
    "Process",
    "Result",
    "ResumeError",
    "Search",
    "SpecError",
    "Store",
    "Study",
    "Table",
    "Task",
    "TauJet",
    "Train",
    "Trial",
    "TsunaguError",
    "choice",
    "condition",
    "dirichlet",
    "generate",
    "load_graph",
    "load_study",
    "log_uniform",
    "loss",
    "node",
    "one_minus_log_uniform",
    "open_table",
    "ready_sample",
    "ref",
    "report",
    "run_study",
    "run_trial",
    "schedule",
    "simplex",
    "uniform",
    "weight_scan",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(f"tsunagu.{_HOME[name]}"), name)
    msg = f"module 'tsunagu' has no attribute '{name}'"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    return __all__
