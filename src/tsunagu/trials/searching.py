"""A trial that is a search: one supernet, trained under a searcher, and the architecture that it comes to.

It is stored as any trial is, and goes on after an interruption in the same bytes. What its folder holds is of validation
events; the test events are read by the training of what was chosen.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, cast

from torch import Tensor

from tsunagu.data import Table
from tsunagu.errors import ResumeError
from tsunagu.files import write_bytes
from tsunagu.oneshot import MOST_JUDGED, Chosen, OneShot
from tsunagu.search import make_searcher
from tsunagu.spec import Architecture, Pipeline, dump_yaml, to_data
from tsunagu.spec.yaml_nodes import read_yaml
from tsunagu.tasks import build_supergraph, conditions_of, path_alone
from tsunagu.trials.clock import Clock
from tsunagu.trials.path_scan import FILE, LOSS, PathScan, write_paths
from tsunagu.trials.record import metric_names, write_origin
from tsunagu.trials.result import Result, Trial
from tsunagu.trials.scanned import grid, point_of
from tsunagu.trials.seen import seen_by, write_seen
from tsunagu.trials.store import Store, write_history
from tsunagu.trials.tensors import read_tensors, write_tensors

__all__ = ["path_weights", "run_search"]

Watch = Callable[[OneShot], None]


def run_search(
    name: str,
    trial: Trial,
    table: Table,
    store: Store,
    *,
    on_step: Watch | None = None,
    on_epoch: Watch | None = None,
) -> Result:
    """Train the supernet of a trial that this process holds, from its checkpoint if it has one, and choose.

    Raises:
        ResumeError: a damaged checkpoint, or a full disk.
        TsunaguError: the training diverged.
    """
    assert trial.search is not None
    searcher = make_searcher(trial.search)
    point = point_of(conditions_of(trial.pipeline), trial.at) if trial.at else None
    split = table.split(trial.folds)
    search = OneShot(trial.pipeline, searcher, table, split, seed=trial.seed, point=point)
    store.load(name, search.restore)

    def save() -> None:
        store.save(name, search.tensors(), search.note())

    clock = Clock(every=trial.pipeline.train.checkpoint_seconds, save=save)

    def step(now: OneShot) -> None:
        clock.tick()
        if on_step is not None:
            on_step(now)

    search.run(step, on_epoch)
    save()  # many paths may have to be judged, which changes nothing of the state
    return store.finish(_record(trial, search, search.choose(), name, store.working(name)))


def path_weights(store: Store, name: str) -> tuple[Architecture, dict[str, Tensor]]:
    """What a finished search has chosen, and the weights of that path in its supernet, as those of its pipeline alone.

    Raises:
        ResumeError: there is no such search in the store, or a file of it is damaged.
    """
    found = store.find(name)
    if found is None:
        msg = f"{store.root / name}: no such search, and a trial is to begin with its weights; run the search again"
        raise ResumeError(msg)
    reading = read_yaml(found.path / "spec.yaml")
    graph = build_supergraph(Pipeline(**reading.data), seed=found.seed)
    tensors, _ = read_tensors(found.path / "weights.safetensors")
    graph.load_state_dict(tensors)
    chosen = Architecture(found.architecture)
    return chosen, dict(path_alone(graph, chosen).state_dict())


def _record(trial: Trial, search: OneShot, chosen: Chosen, digest: str, folder: Path) -> Result:
    short = f"validation_{next(iter(metric_names(trial.pipeline)))}"
    write_tensors(folder / "weights.safetensors", search.graph.state_dict())
    write_history(folder / "history.csv", search.position.history)
    _write_scores(folder / "scores.csv", search, chosen, short)
    _write_trajectory(folder / "trajectory.csv", search)
    if search.graph.conditions:
        write_paths(folder / FILE, _compared(trial, search, chosen))
    write_bytes(folder / "search.yaml", _settings(trial, search).encode())
    write_origin(folder, trial.pipeline, chosen.architecture, search.table.device)
    stages = [stage.name for stage in search.stages]
    write_seen(folder, seen_by(trial.folds.k, stages, search.split, search.table.event_number))
    sure = {} if chosen.confidence is None else {"confidence": chosen.confidence}
    return Result(
        digest=digest,
        seed=trial.seed,
        metrics={short: chosen.value} | sure,
        seconds=round(search.meter.seconds, 3),
        cpu_seconds=round(search.meter.cpu_seconds, 3),
        architecture=dict(chosen.architecture),
        parameters=_parameters(search),
        epochs={stage.name: (stage.epochs, stage.epochs) for stage in search.stages},
        path=folder,
    )


def _settings(trial: Trial, search: OneShot) -> str:
    """The searcher, and the values at which it compared paths."""
    conditions = search.graph.conditions
    if not conditions:
        return dump_yaml(trial.search)
    at: Any = {"at": dict(zip(conditions.labels, conditions.default.tolist(), strict=True))}
    return dump_yaml(cast("Any", to_data(trial.search)) | at)


def _compared(trial: Trial, search: OneShot, chosen: Chosen) -> PathScan:
    """The best of the judged paths at all values of the conditions; of a small space these are all paths."""
    calls, conditions = metric_names(trial.pipeline), search.graph.conditions
    cost = next(iter(calls.values())).cost
    best = set(sorted(chosen.values, key=lambda each: cost(chosen.values[each]))[:MOST_JUDGED])
    architectures = tuple(each for each in chosen.values if each in best)
    values = grid(conditions)
    found = search.compare(architectures, values, list(calls.values()))
    return PathScan(
        architectures=architectures,
        conditions={label: values[:, place].numpy() for place, label in enumerate(conditions.labels)},
        metrics={short: found[:, :, place] for place, short in enumerate([*calls, LOSS])},
        calls=calls,
    )


def _parameters(search: OneShot) -> dict[str, int]:
    trained = {
        name: [p for p in model.parameters() if p.requires_grad]
        for name, model in search.graph.models.items()
    }
    return {name: sum(p.numel() for p in own) for name, own in trained.items()}


def _write_scores(path: Path, search: OneShot, chosen: Chosen, short: str) -> None:
    """The judged paths, each with its value in the supernet."""
    labels = list(search.space.options)
    rows = ([*(each.get(label, "") for label in labels), value] for each, value in chosen.values.items())
    _write_rows(path, [*labels, short], rows)


def _write_trajectory(path: Path, search: OneShot) -> None:
    """The probability of each option after each epoch; nothing where the searcher holds none."""
    rows = (
        (epoch, label, option, probability)
        for epoch, distribution in enumerate(search.trajectory, 1)
        for label, options in distribution.items()
        for option, probability in options.items()
    )
    _write_rows(path, ["epoch", "label", "option", "probability"], rows)


def _write_rows(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    write_bytes(path, text.getvalue().encode())
