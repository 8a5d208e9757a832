"""Every model that the examples use becomes ONNX, and says the same on real events."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from tsunagu.data import ArraySource
from tsunagu.errors import TsunaguError
from tsunagu.export import Deployed, EventFile, Reading, Trained, open_events, write_export
from tsunagu.export.onnx import Session
from tsunagu.samples import ready_sample
from tsunagu.spec import (
    Architecture,
    Folds,
    LossTerm,
    Pipeline,
    Task,
    load_study,
    node,
    resolve,
    some_architectures,
)
from tsunagu.tasks import build_graph

EXAMPLES = Path(__file__).parents[2] / "examples" / "htautau"


def cases():
    """Chains with each option of the examples' choices at least once; all candidates are among them."""
    for name in ("candidates", "three_tasks"):
        study, met = load_study(EXAMPLES / f"{name}.yaml").study, set()
        for architecture in some_architectures(study.pipeline):
            if met and met >= set(architecture.items()):
                continue
            met |= set(architecture.items())
            label = "-".join(architecture.values()) or "chain"
            yield pytest.param(study.data, resolve(study.pipeline, architecture), id=f"{name}-{label}")


def trained(pipeline, folder, seed=1):
    return Trained(
        graph=build_graph(pipeline, seed=seed),
        pipeline=pipeline,
        folder=folder,
        folds=Folds(),
        seed=seed,
        digest="0" * 64,
        architecture=Architecture({}),
    )


@pytest.mark.parametrize(("data", "pipeline"), [*cases()])
def test_a_chain_of_the_examples_says_the_same_in_onnx(data, pipeline, tmp_path):
    source = open_events(ready_sample("htautau"), Reading())
    manifest = write_export(
        tmp_path / "e", [trained(pipeline, tmp_path)], source, data, name="example", method="chain"
    )
    (member,) = manifest.members
    assert set(member.difference) == {task.output for task in pipeline.tasks.values()}
    for name, value in member.difference.items():
        # Masses of pairs are small differences of large numbers: torch itself does not know them better.
        assert value <= max(1e-6, 2 * member.rounding[name])
    (p4,) = (each for each in manifest.inputs if each.name == "jet_p4")
    assert (list(p4.columns), list(p4.units)) == (
        ["jet_pt", "jet_eta", "jet_phi", "jet_mass"],
        ["GeV", "", "rad", "GeV"],
    )


def test_what_draws_random_numbers_is_refused(pipeline_of, sample_file, study_of, tmp_path):
    pipeline = pipeline_of(first=node("Noise", output=[2, 3]))
    with pytest.raises(TsunaguError, match="tau_p4: its model draws random numbers in evaluation"):
        write_export(
            tmp_path / "e",
            [trained(pipeline, tmp_path)],
            open_events(sample_file, Reading()),
            study_of().data,
            name="n",
            method="m",
        )
    assert not list(tmp_path.iterdir())


class Conditioned(nn.Module):
    """Reads one number more for each event, as a network that is conditioned on its loss does."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 1)

    def forward(self, x, condition):
        return self.linear(torch.cat([x, condition], dim=1))[:, 0]


def test_a_condition_is_one_named_input_more(tmp_path):
    draw = np.random.default_rng(1)
    arrays = ArraySource({"x": draw.normal(size=(50, 2)), "event_number": np.arange(50)})
    source = EventFile(path=tmp_path / "a", place=None, file=arrays, source=arrays)
    task = Task(
        inputs=["x", "condition"], output="score", model=node("ReLU"), loss=LossTerm(key="binary", target="y")
    )
    pipeline = Pipeline(tasks={"t": task}, metric="auc(score, y)")
    chain = trained(
        Pipeline(tasks={"t": task.model_copy(update={"inputs": ["x"]})}, metric="auc(score, y)"), tmp_path
    )
    chain.graph._steps["t"] = (Conditioned(), (), (("x", "x"), ("condition", "condition")), "score")
    chain.graph.models["t"] = chain.graph._steps["t"][0]
    data = load_study(EXAMPLES / "demo.yaml").study.data.model_copy(update={"columns": {}})
    condition = torch.from_numpy(draw.normal(size=(50, 1)).astype(np.float32))
    write_export(
        tmp_path / "e", [chain], source, data, name="c", method="m", further={"condition": condition}
    )
    session = Session(tmp_path / "e" / "fold0" / "model.onnx")
    assert session.inputs == {"x": [2], "condition": [1]}
    assert pipeline.tasks["t"].output in Deployed(chain.graph, ["condition"]).outputs
