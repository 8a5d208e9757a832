"""The processes of a measurement, however the study tells them apart."""

from __future__ import annotations

from tsunagu.spec.analysis import LabelledProcess
from tsunagu.spec.models import Study

__all__ = ["NUMBER", "sample_processes"]

NUMBER = "process_number"
"""The column that ``data.processes`` make."""


def sample_processes(study: Study) -> dict[str, LabelledProcess]:
    """The processes of a measurement by name, each with the column and the value that tell its events.

    They are those of the analysis, or else those of the data section, whose events carry the number of their process.

    >>> from tsunagu.spec import Analysis, Data, LossTerm, Process, Task, node
    >>> task = Task(inputs=["x"], output="score", model=node("MLP"), loss=LossTerm(key="binary", target="label"))
    >>> own = {"higgs": Process(files="h.npz", label=1), "z": Process(files="z.npz", label=0)}
    >>> study = Study(
    ...     data=Data(processes=own),
    ...     tasks={"classify": task},
    ...     metric="auc(score, label)",
    ...     analysis=Analysis(score="score"),
    ... )
    >>> [(name, each.value, each.signal) for name, each in sample_processes(study).items()]
    [('higgs', 0, True), ('z', 1, False)]
    """
    analysis = study.analysis
    if analysis is None:
        return {}
    if analysis.processes:
        return analysis.processes
    return {
        name: LabelledProcess(
            column=NUMBER,
            value=number,
            signal=name in analysis.signals if analysis.signals else process.label == analysis.signal_class,
        )
        for number, (name, process) in enumerate(study.data.simulated.items())
    }
