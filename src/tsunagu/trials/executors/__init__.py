"""Where trials run: in this process, in worker processes, or on a Dask cluster.

All of them run the same trials to the same bytes. An executor takes populations, splits each into as many groups as
it has workers, and calls a job with each group; results are files in the store, and only their names come back. So a
worker that is lost costs what it did since the last checkpoints of its group, and nothing that is finished.
"""

from tsunagu.trials.executors.choosing import check_executor, choose_executor, make_executor
from tsunagu.trials.executors.dask import Dask
from tsunagu.trials.executors.executor import Answer, Executor, Failure, Job, split
from tsunagu.trials.executors.in_process import InProcess
from tsunagu.trials.executors.processes import Processes

__all__ = [
    "Answer",
    "Dask",
    "Executor",
    "Failure",
    "InProcess",
    "Job",
    "Processes",
    "check_executor",
    "choose_executor",
    "make_executor",
    "split",
]


def __dir__() -> list[str]:
    return __all__
