"""What can be found wrong with the analysis section of a study without an event."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from tsunagu.errors import Mistake, Path, did_you_mean
from tsunagu.spec.columns import raw_columns
from tsunagu.spec.graph import all_inputs
from tsunagu.spec.models import Study
from tsunagu.spec.processes import sample_processes
from tsunagu.spec.systematics import OtherFiles, OtherWeights, Scale, Shifted, SomeSystematic

__all__ = ["check_analysis"]


def check_analysis(study: Study, stored: Collection[str] | None) -> list[Mistake]:
    """Names that are no outputs, processes or columns, and variations that cannot change anything.

    Args:
        study: with or without an analysis.
        stored: the columns of the files; None where they are not known.

    >>> from tsunagu.spec import Analysis, Data, LabelledProcess, LossTerm, Study, Task, Yields, node
    >>> task = Task(inputs=["x"], output="score", model=node("MLP"), loss=LossTerm(key="binary", target="y"))
    >>> own = {"higgs": LabelledProcess(column="y", value=1, signal=True), "z": LabelledProcess(column="y", value=0)}
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
    yield from _check_signals(study)
    if stored is not None:
        named: list[tuple[Path, str]] = [
            ((*path, "processes", name, "column"), process.column)
            for name, process in analysis.processes.items()
        ]
        named += [((*path, "variables", i), name) for i, name in enumerate(analysis.variables)]
        yield from _missing(named, [*stored, *study.data.columns], "column")


def _check_signals(study: Study) -> Iterator[Mistake]:
    analysis, known = study.analysis, sample_processes(study)
    assert analysis is not None
    if not known:
        yield Mistake(
            ("analysis", "processes"), "is missing: a signal and a background, here or as data.processes"
        )
        return
    signals: list[tuple[Path, str]] = [
        (("analysis", "signals", i), name) for i, name in enumerate(analysis.signals)
    ]
    yield from _missing(signals, known, "process")
    number = sum(process.signal for process in known.values())
    if not 0 < number < len(known) and all(name in known for _, name in signals):
        found = f"at least one must be a signal and one a background, found signals: {number} of {len(known)} processes"
        remedy = (
            ""
            if analysis.processes
            else f"; name them in analysis.signals, or give them the label {analysis.signal_class}"
        )
        yield Mistake(("analysis", "processes"), found + remedy)


def _check_systematics(study: Study, stored: Collection[str] | None) -> Iterator[Mistake]:
    assert study.analysis is not None
    for name, each in study.systematics.items():
        path: Path = ("systematics", name)
        named = [((*path, "processes", i), process) for i, process in enumerate(each.processes or [])]
        yield from _missing(named, sample_processes(study), "process")
        if isinstance(each, OtherFiles):
            yield from _check_files(study, path, each)
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


def _check_files(study: Study, path: Path, each: OtherFiles) -> Iterator[Mistake]:
    """Other files take the place of those of a process, or of all where there are no processes."""
    known = study.data.simulated
    for end, files in (("up", each.up), ("down", each.down)):
        if files is not None and isinstance(files, Mapping) != bool(known):
            wanted = (
                "by process, such as {z: other/*.root}" if known else "files, as there are no data.processes"
            )
            yield Mistake((*path, end), f"expected {wanted}")
        elif isinstance(files, Mapping):
            yield from _missing([((*path, end, name), name) for name in files], known, "process")
            fixed = [name for name in files if name in known and isinstance(known[name].generated, float)]
            yield from (
                Mistake(
                    (*path, end, name),
                    "data.processes has a number of generated events, which is that of its own files; write sum(...) or entries there, or keep_yields: true here",
                )
                for name in ([] if each.keep_yields else fixed)
            )


def _check_effect(study: Study, path: Path, scale: Scale) -> Iterator[Mistake]:
    """A scale that no input is made of changes no score, and is a slip more likely than meant."""
    named = [name for _, name in all_inputs(study.pipeline)]
    named += [] if study.data.select is None else [study.data.select]
    read = raw_columns(named, study.data.columns)
    names = [scale.columns] if isinstance(scale.columns, str) else scale.columns
    if read.isdisjoint(names):
        found = f"neither an input of a task nor the selection is made of {', '.join(names)}, so nothing would change"
        yield Mistake((*path, "columns"), f"{found}{did_you_mean(names[0], read)}")


def _missing(
    named: list[tuple[Path, str]], valid: Collection[str] | Mapping[str, object], what: str
) -> Iterator[Mistake]:
    for path, name in named:
        if name not in valid:
            yield Mistake(path, f"there is no {what} '{name}'{did_you_mean(name, valid)}")
