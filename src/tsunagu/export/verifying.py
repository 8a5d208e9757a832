"""Run the stored batch of an export again, and compare: on another machine, with another version, after years."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray

from tsunagu.errors import ResumeError
from tsunagu.export.comparing import LIMIT, check_difference, difference
from tsunagu.export.manifest import Manifest, Member, sha256
from tsunagu.export.model import ONNX
from tsunagu.export.onnx import Session
from tsunagu.export.writing import CHECK, PROGRAM

__all__ = ["Verified", "verify_export"]

Arrays = Mapping[str, NDArray[Any]]
BATCH = 37
"""Events at a time: another number than the export was checked with."""
LOOSER = 10
"""Another processor may round otherwise, as may another version."""


@final
@dataclass(frozen=True, kw_only=True)
class Verified:
    """What came of it.

    Args:
        problems: sentences; none if all is as it was.
        differences: for each member, program and output the largest difference to the stored numbers.
        events: of the batch.
    """

    problems: tuple[str, ...]
    differences: Mapping[tuple[str, str, str], float]
    events: int


def verify_export(folder: Path, limit: float = LOOSER * LIMIT) -> Verified:
    """Compare all files of an export with its manifest, and all its programs with the numbers that torch made of a batch.

    Args:
        folder: of the export.
        limit: the largest difference, in the measure of :mod:`tsunagu.export.comparing`.

    Raises:
        ResumeError: the manifest or the batch cannot be read.
    """
    manifest = Manifest.load(folder)
    stored = _stored(folder / CHECK)
    inputs = {n.removeprefix("input_"): a for n, a in stored.items() if n.startswith("input_")}
    problems: list[str] = []
    differences: dict[tuple[str, str, str], float] = {}
    for member in manifest.members:
        changed = list(_changed(folder, member))
        problems += changed
        for program, made in _programs(folder / member.folder, inputs, problems):
            found = _differences(manifest, member, stored, made)
            differences |= {(member.folder, program, name): value for name, value in found.items()}
            problems += check_difference(f"{folder / member.folder / program}", found, member.rounding, limit)
    return Verified(
        problems=tuple(problems), differences=differences, events=len(next(iter(inputs.values())))
    )


def _stored(path: Path) -> Arrays:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
        msg = f"{path}: cannot be read ({error}); export again"
        raise ResumeError(msg) from error


def _changed(folder: Path, member: Member) -> Iterator[str]:
    for name, digest in member.sha256.items():
        path = folder / member.folder / name
        if not path.exists():
            yield f"{path}: is missing"
        elif sha256(path) != digest:
            yield f"{path}: is not the file that was exported (its SHA-256 differs)"


def _programs(folder: Path, inputs: Arrays, problems: list[str]) -> Iterator[tuple[str, Arrays]]:
    """What each program of a member makes of the batch; one that cannot be run is a problem."""
    try:
        yield ONNX, _in_batches(Session(folder / ONNX).run, inputs)
    except ResumeError as error:
        problems.append(str(error))
    try:
        yield PROGRAM, _in_batches(_torch(folder / PROGRAM), inputs)
    except Exception as error:  # noqa: BLE001 - a file of another version of torch may fail in any way
        problems.append(f"{folder / PROGRAM}: cannot be run by torch {torch.__version__}: {error}")


def _in_batches(run: Any, inputs: Arrays) -> Arrays:
    size = len(next(iter(inputs.values())))
    parts = [run({n: a[start : start + BATCH] for n, a in inputs.items()}) for start in range(0, size, BATCH)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _torch(path: Path) -> Any:
    """A stored torch program as a function of columns by name; its names are those of its ONNX twin."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = torch.export.load(path).module()
    session = Session(path.with_name(ONNX))

    def run(columns: Arrays) -> Arrays:
        given = [torch.from_numpy(np.ascontiguousarray(columns[name])) for name in session.inputs]
        with torch.no_grad():
            made = module(*given)
        return {name: value.numpy() for name, value in zip(session.outputs, made, strict=True)}

    return run


def _differences(manifest: Manifest, member: Member, stored: Arrays, made: Arrays) -> dict[str, float]:
    kinds = {output.name: output.kind for output in manifest.outputs}
    return {
        name: difference(kinds[name], value, stored[f"{member.folder}_{name}"])
        for name, value in made.items()
    }
