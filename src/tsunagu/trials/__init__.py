"""A trial is a pure function of (pipeline, table, seed), stored under the hash of its inputs.

A finished trial is never run twice; one that was interrupted at any moment goes on from its last checkpoint and ends
in the same bytes as if it had not been.
"""

from tsunagu.trials.backends import backends
from tsunagu.trials.executors import Dask, Executor, InProcess, Processes
from tsunagu.trials.group import populations, run_group
from tsunagu.trials.loading import load_graph, load_pipeline
from tsunagu.trials.path_scan import PathScan
from tsunagu.trials.record import metric_names
from tsunagu.trials.result import NUMERICS, Result, Trial
from tsunagu.trials.run import Watched, run_trial
from tsunagu.trials.scan import Chosen, Scan
from tsunagu.trials.scanned import point_of
from tsunagu.trials.seen import Seen, StageSeen, as_declared, read_seen
from tsunagu.trials.store import Store, write_arrays
from tsunagu.trials.tensors import read_tensors, write_tensors
from tsunagu.trials.together import follow, leading

__all__ = [
    "NUMERICS",
    "Chosen",
    "Dask",
    "Executor",
    "InProcess",
    "PathScan",
    "Processes",
    "Result",
    "Scan",
    "Seen",
    "StageSeen",
    "Store",
    "Trial",
    "Watched",
    "as_declared",
    "backends",
    "follow",
    "leading",
    "load_graph",
    "load_pipeline",
    "metric_names",
    "point_of",
    "populations",
    "read_seen",
    "read_tensors",
    "run_group",
    "run_trial",
    "write_arrays",
    "write_tensors",
]


def __dir__() -> list[str]:
    return __all__
