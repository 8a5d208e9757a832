"""What an exported chain is: inputs, outputs, folds, files; a JSON file that any language reads."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, final

from tsunagu.errors import ResumeError
from tsunagu.export.reading import Reading

__all__ = ["MANIFEST", "RULE", "Input", "Manifest", "Member", "Output", "sha256"]

MANIFEST = "manifest.json"
VERSION = 1
RULE = "fold = SplitMix64(event number) mod k; see the how-to 'Use it in C++'"


@final
@dataclass(frozen=True, kw_only=True)
class Input:
    """An input of the models: a column, or a condition that is still open.

    Args:
        name: of the input.
        dtype: ``float32``, ``int64`` or ``bool``; of a condition ``float64``.
        shape: of one event.
        columns: the columns of the files that it is made of, in their order on the last axis; the parts of a condition.
        units: of these columns as the model takes them; empty where nothing tells them.
        default: of a condition, the middle of its range.
        low, high: the ends of its range.
    """

    name: str
    dtype: str
    shape: Sequence[int]
    columns: Sequence[str] = ()
    units: Sequence[str] = ()
    default: Sequence[float] = ()
    low: Sequence[float] = ()
    high: Sequence[float] = ()

    @property
    def is_condition(self) -> bool:
        """Whether it is chosen, and not read of a file."""
        return bool(self.default)


@final
@dataclass(frozen=True, kw_only=True)
class Output:
    """An output of the models.

    Args:
        name: of the output.
        task: that makes it.
        shape: for one event.
        kind: ``logit`` where a sigmoid (of one number) or softmax (of several) makes probabilities of it, else ``plain``.
        losses: pairs (loss, target).
        final: whether no other task reads it.
        angles: the places on the last axis that are angles in radians.
    """

    name: str
    task: str
    shape: Sequence[int]
    kind: str
    losses: Sequence[Sequence[str]]
    final: bool
    angles: Sequence[int] = ()


@final
@dataclass(frozen=True, kw_only=True)
class Member:
    """One model, of one fold.

    Args:
        folder: within the export.
        test: the fold that it has not seen, and is for.
        validation: the fold by which its epochs (and architecture) were chosen.
        seed: of its training.
        trial: the digest of its training.
        architecture: the option at each choice.
        sha256: of each file of its folder, hexadecimal.
        difference: for each output that of ONNX to torch; see :mod:`tsunagu.export.comparing`.
        rounding: for each output that of torch to double precision.
    """

    folder: str
    test: int
    validation: int
    seed: int
    trial: str
    architecture: Mapping[str, str]
    sha256: Mapping[str, str]
    difference: Mapping[str, float]
    rounding: Mapping[str, float]


@final
@dataclass(frozen=True, kw_only=True)
class Manifest:
    """An exported chain.

    Args:
        name: of the study.
        method: of the study.
        k: number of folds.
        event_number: the column or formula that decides the fold of an event.
        inputs: of every model.
        outputs: of every model.
        columns: how inputs are made of columns of the files, as in ``data.columns`` of a study.
        missing: what stands in place of NaN, as in ``data.missing``.
        select: which events the models were trained for, as in ``data.select``.
        at: values of conditions that are constants in the models.
        reading: units, codes for missing values, and whatever else makes columns of files.
        members: one for each fold, or a single one.
        origin: versions, and the commit of the folder that the models were trained in.
        rule: how the fold follows from the event number.
        version: of this format.
    """

    name: str
    method: str
    k: int
    event_number: str
    inputs: Sequence[Input]
    outputs: Sequence[Output]
    columns: Mapping[str, str | list[str]]
    missing: Mapping[str, float]
    members: Sequence[Member]
    origin: Mapping[str, Any]
    select: str | None = None
    at: Mapping[str, Any] = field(default_factory=dict)
    reading: Reading = field(default_factory=Reading)
    rule: str = RULE
    version: int = VERSION

    @property
    def rotates(self) -> bool:
        """Whether every fold has a model that has not seen it."""
        return sorted(member.test for member in self.members) == list(range(self.k))

    def dumps(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"

    @staticmethod
    def load(folder: Path) -> Manifest:
        """The manifest in a folder.

        Raises:
            ResumeError: it is missing, damaged, or of another version.
        """
        path = folder / MANIFEST
        try:
            return _parse(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            msg = f"{path}: not the manifest of an exported chain ({error}); write it with `tsunagu export`"
            raise ResumeError(msg) from error


def sha256(path: Path) -> str:
    """Of a file, hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _parse(data: dict[str, Any]) -> Manifest:
    if data["version"] != VERSION:
        msg = f"version {data['version']}, and this tsunagu reads {VERSION}"
        raise ValueError(msg)
    parts: dict[str, Any] = {
        "inputs": [Input(**each) for each in data.pop("inputs")],
        "outputs": [Output(**each) for each in data.pop("outputs")],
        "members": [Member(**each) for each in data.pop("members")],
        "reading": Reading(**data.pop("reading")),
    }
    return Manifest(**data, **parts)
