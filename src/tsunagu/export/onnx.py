"""A module as ONNX, and ONNX as a function of columns. Needs the extra ``tsunagu[onnx]``."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tsunagu.errors import ResumeError, TsunaguError
from tsunagu.export.module import Deployed

__all__ = ["OPSET", "Session", "as_onnx", "as_program"]

OPSET = 20
"""Of ONNX; onnxruntime 1.17 and newer read it."""
EVENTS = "events"
"""The name of the batch axis."""
_NEEDED = "ONNX needs further packages: pip install 'tsunagu[onnx]'"


def as_program(module: Deployed, columns: Mapping[str, Tensor]) -> torch.export.ExportedProgram:
    """The computation of a module for any number of events, as torch can store and run it without the module's code.

    Args:
        module: what to trace.
        columns: ``[E, ...]`` by name, two events at least.

    Raises:
        TsunaguError: a model does something that depends on the values of a batch, or on their number.
    """
    given = tuple(columns[name] for name in module.inputs)
    shapes = ({0: torch.export.Dim(EVENTS, min=1)},) * len(given)
    try:
        with _quiet():
            return torch.export.export(module, given, dynamic_shapes=(shapes,), strict=False)
    except Exception as error:
        msg = f"the models cannot be traced for any number of events: {_first_line(error)}"
        raise TsunaguError(msg) from error


def as_onnx(program: torch.export.ExportedProgram, module: Deployed, notes: Mapping[str, str]) -> bytes:
    """An ONNX file: one named input a column, one named output a prediction, their first axis of any length.

    Args:
        program: from :func:`as_program`.
        module: for the names.
        notes: stored as the file's metadata.

    Raises:
        TsunaguError: the extra is not installed, or ONNX has no operator for something that a model does.
    """
    table = _translations()
    try:
        with _quiet():
            made: Any = torch.onnx.export(
                program,
                dynamo=True,  # pinned: the default has changed with torch 2.9
                verbose=False,
                input_names=list(module.inputs),
                output_names=list(module.outputs),
                opset_version=OPSET,
                custom_translation_table=table,
            )
    except Exception as error:
        msg = f"the models cannot be written as ONNX: {_last_line(error)}"
        raise TsunaguError(msg) from error
    model = made.model_proto
    for name, text in notes.items():
        model.metadata_props.add(key=name, value=text)
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = EVENTS
    content: bytes = model.SerializeToString()
    return content


@final
class Session:
    """An ONNX file that is run by onnxruntime on one thread.

    Args:
        path: of the file.

    Raises:
        ResumeError: the file is missing, damaged, or no ONNX.
        TsunaguError: onnxruntime is not installed.
    """

    def __init__(self, path: Path) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise TsunaguError(_NEEDED) from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = 1, 3
        try:
            content = path.read_bytes()
            self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:
            msg = f"{path}: cannot be read as an ONNX model ({_first_line(error)}); export it again"
            raise ResumeError(msg) from error
        self.path = path
        self.inputs = {value.name: list(value.shape[1:]) for value in self._session.get_inputs()}
        self.outputs = [value.name for value in self._session.get_outputs()]

    @property
    def notes(self) -> dict[str, str]:
        """The file's metadata."""
        return dict(self._session.get_modelmeta().custom_metadata_map)

    def run(self, columns: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """The outputs ``[E, ...]`` by name, of columns ``[E, ...]`` by name; others are not looked at."""
        given = {name: np.ascontiguousarray(columns[name]) for name in self.inputs}
        return dict(zip(self.outputs, self._session.run(self.outputs, given), strict=True))


def _translations() -> dict[Any, Any]:
    """What torch's exporter lacks: a stable sort; TopK keeps the order of equal values, by its specification."""
    try:
        from onnxscript import opset20 as op
    except ImportError as error:
        raise TsunaguError(_NEEDED) from error

    def sort(self: Any, stable: bool = True, dim: int = -1, descending: bool = False) -> Any:  # noqa: ARG001
        size = op.Shape(self, start=dim) if dim == -1 else op.Shape(self, start=dim, end=dim + 1)
        return op.TopK(self, size, axis=dim, largest=int(descending), sorted=1)

    return {torch.ops.aten.sort.stable: sort}


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what the exporter tells its own developers."""
    log = logging.getLogger("torch.onnx._internal.exporter._registration")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(before)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def _last_line(error: Exception) -> str:
    # The cause stands behind a page of advice.
    lines = [line for line in str(error).splitlines() if "Error" in line]
    return (lines or [f"{type(error).__name__}: {_first_line(error)}"])[-1].strip()
