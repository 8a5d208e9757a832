"""A finished trial's models, ready to be used."""

from __future__ import annotations

from pathlib import Path

from tsunagu.errors import ResumeError, SpecError, TsunaguError
from tsunagu.spec import Pipeline
from tsunagu.spec.yaml_nodes import read_yaml
from tsunagu.tasks import Graph, build_graph
from tsunagu.train import reseed_for_evaluation
from tsunagu.trials.result import Result
from tsunagu.trials.tensors import read_tensors

__all__ = ["load_graph", "load_pipeline"]


def load_graph(folder: Path | str) -> Graph:
    """The trained models of a finished trial, an ordinary ``nn.Module`` in evaluation mode.

    It takes the columns of the table by name, ``graph({"jet_p4": ...})``, and gives the outputs of all tasks. Noise
    candidates are where they were when the trial's predictions began, so :func:`tsunagu.train.predict` of one of its
    splits gives the stored numbers bit for bit; begin another split with
    :func:`tsunagu.train.reseed_for_evaluation`.

    Args:
        folder: of the trial, with ``spec.yaml``, ``result.json`` and ``weights.safetensors``. A user's own networks
            are imported as they are now, not as they were.

    Raises:
        ResumeError: one of the files is missing, damaged or does not belong to the others, or they are those of a search;
            the message names it.
    """
    folder = Path(folder)
    if (folder / "search.yaml").exists():
        msg = f"{folder}: a search, whose supernet is no pipeline; load the trial of what it chose"
        raise ResumeError(msg)
    seed = _seed(folder / "result.json")
    graph = _graph(folder / "spec.yaml", seed)
    weights = folder / "weights.safetensors"
    tensors, _ = read_tensors(weights)
    try:
        graph.load_state_dict(tensors)
    except RuntimeError as error:
        msg = f"{weights}: not the weights of {folder / 'spec.yaml'}: {error}"
        raise ResumeError(msg) from error
    reseed_for_evaluation(graph, seed)
    return graph.eval()


def _seed(path: Path) -> int:
    try:
        return Result.loads(path.read_text(encoding="utf-8"), path.parent).seed
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        msg = f"{path}: not the result of a finished trial ({error}); run the trial again"
        raise ResumeError(msg) from error


def _graph(path: Path, seed: int) -> Graph:
    try:
        return build_graph(load_pipeline(path.parent), seed=seed)
    except (SpecError, TypeError) as error:
        msg = f"{path}: not the pipeline of a finished trial ({error}); run the trial again"
        raise ResumeError(msg) from error


def load_pipeline(folder: Path) -> Pipeline:
    """The pipeline of a finished trial.

    Raises:
        ResumeError: it cannot be read.
    """
    path = folder / "spec.yaml"
    try:
        return _pipeline(path)
    except (TsunaguError, TypeError) as error:
        msg = f"{path}: not the pipeline of a finished trial ({error}); run the trial again"
        raise ResumeError(msg) from error


def _pipeline(path: Path) -> Pipeline:
    reading = read_yaml(path)
    if reading.mistakes:
        raise SpecError(reading.mistakes)
    return Pipeline(**reading.data)
