"""A finished trial gives its models back."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from tsunagu.errors import ResumeError
from tsunagu.spec import Folds, node
from tsunagu.train import predict, reseed_for_evaluation
from tsunagu.trials import Store, Trial, load_graph, run_trial, write_tensors

MODELS = {
    "mlp": {"second": node("MLP", hidden=[8], dropout=0.2)},
    "cnn and lstm": {"first": node("TauCNN", channels=4), "second": node("LSTM", hidden=[4, 1])},
    "noise": {"first": node("Noise", output=[2, 3]), "second": node("Noise")},
    "batch norm": {"second": [node("Flatten"), node("BatchNorm1d", 6), node("Linear", 6, 1)]},
}


@pytest.fixture
def result(pipeline_of, table, tmp_path):
    trial = Trial(pipeline=pipeline_of(epochs=1), folds=Folds(), seed=1)
    return run_trial(trial, table, Store(tmp_path))


@pytest.mark.parametrize("models", MODELS)
def test_its_predictions_are_the_stored_ones_bit_for_bit(models, pipeline_of, table, tmp_path, monkeypatch):
    # Several chunks, since a noise candidate draws chunk by chunk.
    monkeypatch.setattr("tsunagu.train.evaluation.CHUNK", 16)
    trial = Trial(pipeline=pipeline_of(epochs=1, **MODELS[models]), folds=Folds(), seed=4)
    folder = run_trial(trial, table, Store(tmp_path)).path
    before = torch.random.default_generator.get_state()
    graph, split = load_graph(folder), table.split(Folds())
    assert torch.equal(before, torch.random.default_generator.get_state())
    assert isinstance(graph, nn.Module)
    assert not any(module.training for module in graph.modules())
    stored = np.load(folder / "predictions.npz")
    for kind, rows in (("validation", split.validation), ("test", split.test)):
        reseed_for_evaluation(graph, 4)
        for name, value in predict(graph, table, rows).items():
            assert value.numpy().tobytes() == stored[f"{kind}_{name}"].tobytes()


@pytest.mark.parametrize("name", ["spec.yaml", "result.json", "weights.safetensors"])
@pytest.mark.parametrize("content", [None, b"", b"{", b"[1, 2]", b"\x00\xff"])
def test_a_file_that_is_missing_or_garbage_is_named(result, name, content):
    path = result.path / name
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ResumeError, match=name):
        load_graph(result.path)


def test_the_weights_of_another_pipeline_are_named(result):
    write_tensors(result.path / "weights.safetensors", {"w": torch.ones(1)})
    with pytest.raises(ResumeError, match=r"weights.safetensors: not the weights of .*spec.yaml"):
        load_graph(result.path)
