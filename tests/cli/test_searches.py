"""What ``tsunagu plan`` says of searches, also where nobody could go through all architectures."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from tsunagu.cli.plan import describe
from tsunagu.spec import choice, node
from tsunagu.studies import check_study

LAYERS = ("ReLU", "GELU", "Mish", "ELU", "Tanh", "SiLU")


def _printed(study, folder):
    console = Console(width=160, record=True, file=io.StringIO())
    for part in describe(study, check_study(study, folder).of(study.data)):
        console.print(part)
    return console.export_text()


def test_the_searcher_its_steps_and_its_cost_are_told(study_of, pipeline_of, tmp_path):
    second = choice(mass=node("MassMLP", hidden=[4]), mlp=node("MLP", hidden=[4]))
    methods = {
        "every": {"search": None},
        "asng": {"search": {"key": "Asng", "args": {"delta0": 0.3}, "start": "inherit", "epochs": 4}},
        "random": {"search": "Random"},
    }
    text = _printed(study_of(pipeline_of(second=second), methods=methods, seeds=2), tmp_path)
    lines = [
        " ".join(line.replace("\N{BOX DRAWINGS LIGHT VERTICAL}", " ").split()) for line in text.splitlines()
    ]
    assert any(
        line.startswith("asng Asng; delta0: 0.3; inherits weights") and "trainings" in line for line in lines
    )
    assert "random Random 2 trainings 2 trainings" in lines
    assert not any(line.startswith("every ") and "trainings" in line for line in lines)
    assert "asng: 1 x 2, then what its search asks for" in lines
    assert "every: 2 x 2" in lines


@pytest.mark.parametrize("search", ["Spos", "Evolution"])
def test_a_vast_space_is_described(search, study_of, pipeline_of, tmp_path):
    layers = [node("Flatten"), node("Linear", 6, 6)]
    for _ in range(6):
        layers += [choice(*map(node, LAYERS)), node("Linear", 6, 6)]
    second = [*layers, node("Linear", 6, 1), node("Flatten", 0)]
    text = _printed(study_of(pipeline_of(second=second, epochs=1), search=search), tmp_path)
    assert "46,656 architectures" in text
    assert search in text
