"""From one line of a study file, or one option of a command, to an executor."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from tsunagu.errors import Mistake, Path, SpecError, did_you_mean
from tsunagu.spec import Choice, Node
from tsunagu.trials.executors.clusters import BATCH, OPTIONS
from tsunagu.trials.executors.dask import Dask
from tsunagu.trials.executors.executor import MOST, Executor
from tsunagu.trials.executors.in_process import InProcess
from tsunagu.trials.executors.processes import Processes

__all__ = ["check_executor", "choose_executor", "make_executor"]

KEYS = ("in_process", "processes", "dask")
CLUSTERS = ("local", *BATCH)


def choose_executor(
    declared: Node | None, *, workers: int | None = None, cluster: str | None = None
) -> Node | None:
    """What a study declares, with the options of a command in the place of its own.

    >>> from tsunagu.spec import node
    >>> choose_executor(node("dask", cluster="slurm", workers=4, queue="short"), workers=8)
    node('dask', cluster='slurm', workers=8, queue='short')
    >>> choose_executor(None, workers=2)
    node('processes', workers=2)
    """
    if workers is None and cluster is None:
        return declared
    key = "dask" if cluster is not None or (declared is not None and declared.key == "dask") else "processes"
    args = {} if declared is None else dict(declared.args)
    kept = {
        name: value for name, value in args.items() if name == "most" or key == getattr(declared, "key", "")
    }
    options = {"cluster": cluster, "workers": workers}
    return Node(key, kept | {name: value for name, value in options.items() if value is not None})


def make_executor(declared: Node | None) -> Executor:
    """The executor that is declared; this process without.

    Raises:
        SpecError: there is no such executor, or it takes other arguments.

    >>> from tsunagu.spec import node
    >>> make_executor(node("processes", workers=2))
    Processes(workers=2, most=32)
    """
    if mistakes := check_executor(declared, ("executor",)) or _uncounted(declared):
        raise SpecError(mistakes)
    args = {} if declared is None else dict(declared.args)
    workers, most = args.pop("workers", None), args.pop("most", MOST)
    if declared is None or declared.key == "in_process":
        return InProcess(most=most)
    if declared.key == "processes":
        return Processes(workers=workers, most=most)
    return Dask(cluster=args.pop("cluster", "local"), workers=workers, options=args, most=most)


def check_executor(declared: Any, path: Path) -> list[Mistake]:
    """An unknown executor, or arguments that it does not take.

    >>> from tsunagu.spec import node
    >>> print(*check_executor(node("proceses"), ("executor",)))
    executor.key: unknown executor 'proceses' (did you mean 'processes'?)
    >>> print(*check_executor(node("processes", worker=2), ("executor",)))
    executor.args.worker: unknown argument (did you mean 'workers'?)
    """
    if declared is None:
        return []
    if isinstance(declared, Choice):
        return [Mistake(path, "a study runs in one place; expected an executor, found a choice")]
    if declared.key not in KEYS:
        found = f"unknown executor '{declared.key}'{did_you_mean(declared.key, KEYS)}"
        return [Mistake((*path, "key"), found)]
    if declared.key != "dask":
        counts = ("workers", "most") if declared.key == "processes" else ("most",)
        return _check_args(declared.args, dict.fromkeys(counts, (int,)), (*path, "args"))
    return _check_dask(declared.args, (*path, "args"))


def _uncounted(declared: Node | None) -> list[Mistake]:
    """A study may leave the number of jobs to the command, but somebody must say it."""
    args = dict(declared.args) if declared is not None else {}
    if args.get("cluster") not in BATCH or "workers" in args:
        return []
    found = f"is missing: how many jobs {args['cluster']} shall run; or give the option --workers"
    return [Mistake(("executor", "args", "workers"), found)]


def _check_dask(args: Mapping[str, Any], path: Path) -> list[Mistake]:
    cluster = args.get("cluster", "local")
    known: dict[str, tuple[type, ...]] = {"cluster": (str,), "workers": (int,), "most": (int,)}
    if not isinstance(cluster, str) or "://" in cluster:
        return _check_args(args, known, path) + _check_packages("distributed", "dask", path)
    if cluster not in CLUSTERS:
        found = (
            f"expected {', '.join(CLUSTERS)} or the address of a scheduler, such as tcp://host:8786, found "
        )
        return [Mistake((*path, "cluster"), f"{found}'{cluster}'{did_you_mean(cluster, CLUSTERS, most=0)}")]
    mistakes = _check_args(args, {**known, **OPTIONS.get(cluster, {})}, path)
    module, extra = ("dask_jobqueue", "batch") if cluster in BATCH else ("distributed", "dask")
    return mistakes + _check_packages(module, extra, path)


def _check_packages(module: str, extra: str, path: Path) -> list[Mistake]:
    if find_spec(module) is not None:
        return []
    return [Mistake(path[:-1], f"this needs {module}; install it with: pip install 'tsunagu[{extra}]'")]


def _check_args(args: Any, known: Mapping[str, tuple[type, ...]], path: Path) -> list[Mistake]:
    mistakes = [
        Mistake((*path, name), f"unknown argument{did_you_mean(name, known, most=12)}")
        for name in args
        if name not in known
    ]
    return mistakes + [
        Mistake((*path, name), f"expected {_expected(known[name])}, found {value!r}")
        for name, value in args.items()
        if name in known and not _fits(value, known[name])
    ]


def _fits(value: Any, kinds: tuple[type, ...]) -> bool:
    return type(value) in kinds and (not isinstance(value, int) or value >= 1)


_WORDS = {int: "a whole number of 1 or more", str: "a text", list: "a list", dict: "a mapping"}


def _expected(kinds: tuple[type, ...]) -> str:
    return " or ".join(_WORDS[kind] for kind in kinds)
