"""What a finished trial leaves in its folder: weights, predictions, learning curves, and what it was made with."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tsunagu import __version__
from tsunagu.data import Split
from tsunagu.files import write_bytes
from tsunagu.metrics import MetricCall, parse_metric
from tsunagu.spec import Pipeline, dump_yaml, to_data
from tsunagu.train import Points, Training, describe_device, here, measure, working_points
from tsunagu.trials.result import Result, Trial
from tsunagu.trials.scanned import grid, make_scans, write_scans
from tsunagu.trials.seen import seen_by, write_seen
from tsunagu.trials.store import write_arrays, write_history
from tsunagu.trials.tensors import write_tensors

__all__ = ["metric_names", "record", "write_origin"]


def record(trial: Trial, training: Training, digest: str, folder: Path) -> Result:
    """Evaluate a training that has ended, and write all files of its folder but the result itself.

    Args:
        trial: what was trained.
        training: at its end.
        digest: the trial's name.
        folder: where the files go.

    Raises:
        ResumeError: a file cannot be written.
    """
    names = metric_names(trial.pipeline)
    arrays: dict[str, NDArray[np.generic]] = {}
    metrics: dict[str, float] = {}
    points: Points = []
    # The test events are read here, once, after everything has been decided: working points by the validation events.
    for kind, rows in _splits(training.split).items():
        predictions = training.predictions(rows)
        points = points or working_points(list(names.values()), predictions, training.table, rows)
        values = measure(list(names.values()), predictions, training.table, rows, points)
        metrics |= {f"{kind}_{short}": value for short, value in zip(names, values, strict=True)}
        arrays |= {
            f"{kind}_{key}": value for key, value in _stored(trial, training, predictions, rows).items()
        }
    write_tensors(folder / "weights.safetensors", training.graph.state_dict())
    write_arrays(folder / "predictions.npz", arrays)
    if conditions := training.graph.conditions:
        table, split = training.table, training.split
        scans = make_scans(training.graph, table, split, trial.seed, grid(conditions), folder, names)
        write_scans(folder / "scan", scans)
        write_bytes(folder / "scan.json", (json.dumps({"folds": to_data(trial.folds)}) + "\n").encode())
    write_history(folder / "history.csv", training.position.history)
    write_origin(folder, trial.pipeline, trial.architecture, training.table.device)
    names_of = [stage.name for stage in training.stages]
    numbers = training.table.event_number
    write_seen(folder, seen_by(trial.folds.k, names_of, training.split, numbers, trial.begin))
    return Result(
        digest=digest,
        seed=trial.seed,
        metrics=metrics,
        seconds=round(training.seconds, 3),
        cpu_seconds=round(training.meter.cpu_seconds, 3),
        architecture=dict(trial.architecture),
        parameters=training.parameters,
        epochs=_epochs(training),
        path=folder,
    )


def write_origin(
    folder: Path, pipeline: Pipeline, architecture: Mapping[str, str], device: torch.device
) -> None:
    """Write what a trial was made of, and with what."""
    write_bytes(folder / "spec.yaml", dump_yaml(pipeline).encode())
    write_bytes(folder / "architecture.yaml", _architecture(architecture).encode())
    write_bytes(folder / "environment.json", (json.dumps(_environment(device), indent=2) + "\n").encode())


def metric_names(pipeline: Pipeline) -> dict[str, MetricCall]:
    """A short name for each metric of a pipeline; a function that is used twice carries what tells its uses apart.

    >>> from tsunagu.spec import LossTerm, Task, node
    >>> task = Task(inputs=["x"], output="y", model=node("ReLU"), loss=LossTerm(key="mse", target="t"))
    >>> more = ["bias(y, t)", "bias(x, t)"]
    >>> list(metric_names(Pipeline(tasks={"fit": task}, metric="auc(y, t)", metrics=more)))
    ['auc', 'bias_y', 'bias_x']
    >>> more = ["mse(y, t)", "mse(y, u)"]
    >>> list(metric_names(Pipeline(tasks={"fit": task}, metric="auc(y, t)", metrics=more)))
    ['auc', 'mse_y_t', 'mse_y_u']
    >>> more = ["auc(y, t, class=0)", "auc(y, t, class=1)"]
    >>> list(metric_names(Pipeline(tasks={"fit": task}, metric="mse(y, t)", metrics=more)))
    ['mse', 'auc_class0', 'auc_class1']
    """
    texts = dict.fromkeys([pipeline.metric, *pipeline.metrics])
    calls = list(dict.fromkeys(parse_metric(text) for text in texts))
    return {_short(call, calls): call for call in calls}


def _short(call: MetricCall, calls: Sequence[MetricCall]) -> str:
    words = call.words
    for length in range(1, len(words)):
        alike = [other for other in calls if other.words[:length] == words[:length]]
        if len(alike) == 1:
            return "_".join(words[:length])
    return "_".join(words)


def _splits(split: Split) -> dict[str, Tensor]:
    return {"validation": split.validation, "test": split.test}


def _stored(
    trial: Trial, training: Training, predictions: dict[str, Tensor], rows: Tensor
) -> dict[str, NDArray[np.generic]]:
    """Predictions with what a plot needs beside them: weights, event numbers, targets and momenta, not images."""
    table = training.table
    stages = training.stages
    wanted = [column for stage in stages for column in (*stage.targets, *training.graph.columns(stage.tasks))]
    wanted += [name for call in metric_names(trial.pipeline).values() for name in call.arguments]
    small = [
        name for name in dict.fromkeys(wanted) if name in table.columns and _is_small(table.columns[name])
    ]
    columns = predictions | table.take([name for name in small if name not in predictions], rows)
    columns |= {
        "weight": table.weight.index_select(0, rows),
        "event_number": table.event_number.index_select(0, rows),
    }
    return {name: value.cpu().numpy() for name, value in columns.items()}


def _is_small(column: Tensor) -> bool:
    return column[0].numel() <= 32


def _architecture(decided: Mapping[str, str]) -> str:
    lines = [f"{json.dumps(label)}: {json.dumps(option)}\n" for label, option in decided.items()]
    return "".join(lines) or "{}\n"


def _epochs(training: Training) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for stage in training.stages:
        rows = [row for row in training.position.history if row.stage == stage.name]
        best = min(rows, key=lambda row: row.valid_loss).epoch if rows else 0
        found[stage.name] = (len(rows), best)
    return found


def _environment(device: torch.device) -> dict[str, object]:
    packages: Sequence[str] = ("torch", "numpy", "pyarrow", "safetensors")
    return {
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "processor": platform.machine(),
        "threads": torch.get_num_threads(),
        "device": describe_device(device),
        "processes": here().size,
        "tsunagu": __version__,
        "packages": {name: version(name) for name in packages},
        "commit": _commit(),
    }


def _commit() -> str | None:
    # Of the folder the user works in: the analysis, not this package, is what must be found again.
    try:
        command = ["git", "describe", "--always", "--dirty", "--abbrev=40"]
        done = subprocess.run(
            command, capture_output=True, text=True, encoding="utf-8", check=True, timeout=10, cwd=Path.cwd()
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
