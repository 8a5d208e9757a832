"""Every model that the examples use becomes ONNX, and says the same on real events."""

from __future__ import annotations

from pathlib import Path

import pytest

from tsunagu.errors import TsunaguError
from tsunagu.export import Reading, Trained, open_events, write_export
from tsunagu.samples import ready_sample
from tsunagu.spec import (
    Architecture,
    Folds,
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
