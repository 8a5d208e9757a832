from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from tsunagu.cli.supernet import describe_supernet
from tsunagu.spec import choice, node

SCALE = choice(scale=node("ScaleFactor"), zero=node("Zero", [2, 3]), name="first")
MASS = choice(mass=node("MassMLP"), two=node("Linear", 3, 1), name="second")


@pytest.fixture
def printed(pipeline_of, table):
    def text(*models, **train):
        console = Console(width=200, record=True, file=StringIO())
        for part in describe_supernet(pipeline_of(*models, **train), table):
            console.print(part)
        return console.export_text()

    return text


def test_it_tells_sizes_memory_and_the_cost_of_each_path(printed):
    text = printed(SCALE)
    for word in ("Supernet, all candidates", "4,359", "0.1 MB", "possible", "Cost of a step", "│ zero  │"):
        assert word in text


def test_it_tells_why_options_cannot_be_mixed(printed):
    width = choice(4, 8, name="width")
    layers = [node("Flatten"), node("Linear", 6, width), node("Linear", width, 1), node("Flatten", 0)]
    assert "width: a mixture adds up its options" in " ".join(printed(None, layers).split())


@pytest.mark.parametrize(
    ("models", "reason"),
    [
        ((SCALE, MASS), "with first = scale, second = two: binary fails"),
        ((choice(node("TauCNN", kernel=9), node("ScaleFactor")),), "TauCNN: TauCNN cannot be built"),
    ],
)
def test_it_tells_why_there_can_be_none(printed, models, reason):
    text = " ".join(printed(*models).split())
    assert "No supernet: tasks." in text
    assert reason in text
    assert "Cost" not in text


def test_without_choices_in_models_nothing_is_told(printed):
    assert printed(epochs=choice(1, 2)) == ""
