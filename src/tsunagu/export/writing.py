"""Trained chains into a folder that others can use: ONNX, a torch program, weights, a manifest, and a batch to check by."""

from __future__ import annotations

import io
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from torch import Tensor

from tsunagu import __version__
from tsunagu.errors import ResumeError, TsunaguError
from tsunagu.export.comparing import check_difference, difference, rounding
from tsunagu.export.conditions import condition_inputs, spread_over
from tsunagu.export.described import TRACED, described_input, described_outputs, read_by, some_events
from tsunagu.export.events import declared_for
from tsunagu.export.manifest import MANIFEST, Input, Manifest, Member, Output, sha256
from tsunagu.export.model import ONNX
from tsunagu.export.module import Deployed, kinds
from tsunagu.export.onnx import OPSET, Session, as_onnx, as_program
from tsunagu.export.reading import EventFile, Reading
from tsunagu.spec import Architecture, Data, Folds, Pipeline
from tsunagu.tasks import Graph

__all__ = ["CHECK", "PROGRAM", "Trained", "write_export"]

PROGRAM = "model.pt2"
CHECK = "check.npz"
KEPT = (
    "spec.yaml",
    "architecture.yaml",
    "result.json",
    "weights.safetensors",
    "environment.json",
    "seen.json",
)
"""Of a trial's folder; with them ``tsunagu.load_graph`` makes the plain module."""
Tensors = Mapping[str, Tensor]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Trained:
    """A trained chain.

    Args:
        graph: its models.
        pipeline: without choices.
        folder: of its trial.
        folds: which it was trained with.
        seed: of its training.
        digest: of its trial.
        architecture: the option at each choice.
    """

    graph: Graph
    pipeline: Pipeline
    folder: Path
    folds: Folds
    seed: int
    digest: str
    architecture: Architecture


def write_export(
    out: Path,
    trained: Sequence[Trained],
    source: EventFile,
    data: Data,
    *,
    name: str,
    method: str,
    at: Mapping[str, Any] | None = None,
    replace: bool = False,
) -> Manifest:
    """Write an export, each model checked against torch on real events; whole or not at all.

    Args:
        out: the folder.
        trained: a model for each fold, or a single one.
        source: a file with events.
        data: how columns are made of the file's.
        name: of the study.
        method: of the study.
        at: values of conditions that are constants in the models, for the manifest.
        replace: whether a folder that is there is replaced.

    Raises:
        DataError: the file does not have what the models read.
        TsunaguError: a model cannot be exported, or its ONNX form differs from torch.
        ResumeError: the folder is there, or cannot be written.
    """
    if out.exists() and not replace:
        msg = f"{out}: is there already; --replace replaces it"
        raise ResumeError(msg)
    part = out.with_name(f"{out.name}.{os.getpid()}.part")
    try:
        part.mkdir(parents=True)
        manifest = _write(part, trained, source, data, name, method, at or {})
        _put(part, out)
    except OSError as error:
        msg = f"{out}: cannot be written ({error.strerror}); nothing is left of it"
        raise ResumeError(msg) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return manifest


def _write(
    part: Path,
    trained: Sequence[Trained],
    source: EventFile,
    data: Data,
    name: str,
    method: str,
    at: Mapping[str, Any],
) -> Manifest:
    modules = [Deployed(each.graph) for each in trained]
    conditions = trained[0].graph.conditions
    names = list(dict.fromkeys(n for each in trained for n in each.graph.columns()))
    columns = some_events(source, names, data)
    columns |= spread_over(conditions, len(columns[names[0]]))
    inputs = [described_input(n, columns[n], source, data) for n in names] + condition_inputs(conditions)
    first = modules[0].outputs_for(_own(modules[0], columns))
    outputs = described_outputs(trained[0].pipeline, first, source, data)
    known: dict[str, Any] = {
        "name": name,
        "method": method,
        "k": trained[0].folds.k,
        "event_number": data.event_number,
        "columns": declared_for(read_by(names, data), data.columns),
        "missing": dict(data.missing),
        "select": data.select,
        "reading": Reading.of(data),
        "at": dict(at),
        "origin": _origin(trained[0].folder),
    }
    members, check = [], {f"input_{n}": value.numpy() for n, value in columns.items()}
    for each, module in zip(trained, modules, strict=True):
        member, made = _member(
            part, each, module, _own(module, columns), known | {"outputs": outputs}, inputs
        )
        members.append(member)
        check |= {f"{member.folder}_{n}": value.numpy() for n, value in made.items()}
    np.savez_compressed(part / CHECK, allow_pickle=False, **check)
    manifest = Manifest(**known, inputs=inputs, outputs=[Output(**each) for each in outputs], members=members)
    (part / MANIFEST).write_text(manifest.dumps(), encoding="utf-8")
    return manifest


def _member(
    part: Path,
    each: Trained,
    module: Deployed,
    columns: Tensors,
    known: Mapping[str, Any],
    inputs: Sequence[Input],
) -> tuple[Member, dict[str, Tensor]]:
    folder = part / f"fold{each.folds.test}"
    folder.mkdir()
    made = module.outputs_for(columns)
    program = as_program(module, {n: value[:TRACED] for n, value in columns.items()})
    about = {
        "test_fold": each.folds.test,
        "validation_fold": each.folds.validation,
        "seed": each.seed,
        "trial": each.digest,
        "architecture": dict(each.architecture),
    }
    own = [asdict(value) for value in inputs if value.name in module.inputs]
    notes = {n: _text(value) for n, value in (dict(known) | about | {"inputs": own}).items()}
    (folder / ONNX).write_bytes(as_onnx(program, module, notes))
    content = io.BytesIO()
    torch.export.save(program, content)
    (folder / PROGRAM).write_bytes(content.getvalue())
    for name in KEPT:
        if (each.folder / name).exists():
            shutil.copyfile(each.folder / name, folder / name)
    found, rounded = _compare(Session(folder / ONNX), module, columns, made, kinds(each.pipeline))
    if lines := check_difference(f"{each.folder.name[:12]}, fold {each.folds.test}", found, rounded):
        raise TsunaguError("\n".join(lines))
    member = Member(
        folder=folder.name,
        test=each.folds.test,
        validation=each.folds.validation,
        seed=each.seed,
        trial=each.digest,
        architecture=dict(each.architecture),
        sha256={path.name: sha256(path) for path in sorted(folder.iterdir())},
        difference=found,
        rounding=rounded,
    )
    return member, made


def _compare(
    session: Session, module: Deployed, columns: Tensors, made: Tensors, kind: Mapping[str, str]
) -> tuple[dict[str, float], dict[str, float]]:
    """The differences to torch: of all events in one batch, and of a single event."""
    arrays = {name: value.numpy() for name, value in columns.items()}
    whole, one = session.run(arrays), session.run({n: value[:1] for n, value in arrays.items()})
    found = {
        name: max(
            difference(kind[name], whole[name], value.numpy()),
            difference(kind[name], one[name], value[:1].numpy()),
        )
        for name, value in made.items()
    }
    return found, rounding(module, columns, kind, made)


def _own(module: Deployed, columns: Tensors) -> dict[str, Tensor]:
    return {name: columns[name] for name in module.inputs}


def _origin(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = {"tsunagu": __version__, "opset": OPSET}
    for name in ("torch", "onnx", "onnxscript", "onnxruntime"):
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    with suppress(OSError, ValueError):
        found["training"] = json.loads((folder / "environment.json").read_text(encoding="utf-8"))
    return found


def _text(value: Any) -> str:
    value = asdict(value) if isinstance(value, Reading) else value
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _put(part: Path, out: Path) -> None:
    """Give a finished folder its name; one of this name goes, and is back if that fails."""
    old = out.with_name(f"{out.name}.{os.getpid()}.old")
    if out.exists():
        out.rename(old)
    try:
        part.rename(out)
    except OSError:
        if old.exists():
            old.rename(out)
        raise
    shutil.rmtree(old, ignore_errors=True)
