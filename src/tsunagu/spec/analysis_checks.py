"""What can be found wrong with the analysis section of a study without an event."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from tsunagu.errors import Mistake, Path, did_you_mean
from tsunagu.spec.analysis import OtherWeights, Scale, Shifted, SomeSystematic
from tsunagu.spec.columns import leaves_of
from tsunagu.spec.graph import all_inputs
from tsunagu.spec.models import Study

__all__ = ["check_analysis"]


def check_analysis(study: Study, stored: Collection[str] | None) -> list[Mistake]:
    """Names that are no outputs, processes or columns, and variations that cannot change anything.

    Args:
        study: with or without an analysis.
        stored: the columns of the files; None where they are not known.

    >>> from tsunagu.spec import Analysis, Data, LossTerm, Process, Study, Task, Yields, node
    >>> task = Task(inputs=["x"], output="score", model=node("MLP"), loss=LossTerm(key="binary", target="y"))
    >>> own = {"higgs": Process(column="y", value=1, signal=True), "z": Process(column="y", value=0)}
    >>> study = Study(
    ...     data=Data(files="a.npz"),
    ...     tasks={"classify": task},
    ...     metric="auc(score, y)",
    ...     analysis=Analysis(score="scor", processes=own),
    ...     systematics={"xsec": Yields(key="norm", up=1.1, processes=["Z"])},
    ... )
    >>> print(*check_analysis(study, ["x", "y"]), sep="\\n")
    analysis.score: there is no output 'scor' (did you mean 'score'?)
    systematics.xsec.processes.0: there is no process 'Z' (did you mean 'z'?)
    """
    if study.analysis is None:
        found = "there is no analysis that it would be an uncertainty of; declare `analysis:` with score and processes"
        return [Mistake(("systematics",), found)] if study.systematics else []
    return [*_check_section(study, stored), *_check_systematics(study, stored)]


def _check_section(study: Study, stored: Collection[str] | None) -> Iterator[Mistake]:
    analysis, path = study.analysis, ("analysis",)
    assert analysis is not None
    outputs = [task.output for task in study.tasks.values()]
    yield from _missing([((*path, "score"), analysis.score)], outputs, "output")
    if stored is not None:
        named: list[tuple[Path, str]] = [
            ((*path, "processes", name, "column"), process.column)
            for name, process in analysis.processes.items()
        ]
        named += [((*path, "variables", i), name) for i, name in enumerate(analysis.variables)]
        yield from _missing(named, [*stored, *study.data.columns], "column")


def _check_systematics(study: Study, stored: Collection[str] | None) -> Iterator[Mistake]:
    assert study.analysis is not None
    for name, each in study.systematics.items():
        path: Path = ("systematics", name)
        named = [((*path, "processes", i), process) for i, process in enumerate(each.processes or [])]
        yield from _missing(named, study.analysis.processes, "process")
        if stored is not None:
            derived = study.data.columns if isinstance(each, OtherWeights) else {}
            columns = list(_columns(each, path))
            yield from _missing(columns, [*stored, *derived], "column of the files")
            if isinstance(each, Scale) and all(column in stored for _, column in columns):
                yield from _check_effect(study, path, each)


def _columns(each: SomeSystematic, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(each, OtherWeights):
        yield from (((*path, end), name) for end, name in (("up", each.up), ("down", each.down)) if name)
    if isinstance(each, Scale | Shifted):
        names = [each.columns] if isinstance(each.columns, str) else each.columns
        yield from (((*path, "columns", i), name) for i, name in enumerate(names))
    if isinstance(each, Shifted):
        yield from (((*path, "reads", i), name) for i, name in enumerate(each.reads))


def _check_effect(study: Study, path: Path, scale: Scale) -> Iterator[Mistake]:
    """A scale that no input is made of changes no score, and is a slip more likely than meant."""
    read = {leaf for _, name in all_inputs(study.pipeline) for leaf in leaves_of(name, study.data.columns)}
    names = [scale.columns] if isinstance(scale.columns, str) else scale.columns
    if read.isdisjoint(names):
        found = f"no input of a task is made of {', '.join(names)}, so no score would change"
        yield Mistake((*path, "columns"), f"{found}{did_you_mean(names[0], read)}")


def _missing(
    named: list[tuple[Path, str]], valid: Collection[str] | Mapping[str, object], what: str
) -> Iterator[Mistake]:
    for path, name in named:
        if name not in valid:
            yield Mistake(path, f"there is no {what} '{name}'{did_you_mean(name, valid)}")
