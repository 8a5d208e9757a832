"""How large a supernet is said to be, and which of its paths are timed."""

from __future__ import annotations

import pytest

from tsunagu.spec import architectures, choice, node, resolve
from tsunagu.tasks import build_graph, describe_space
from tsunagu.tasks.supernet import overview


@pytest.fixture
def pipeline(pipeline_of):
    return pipeline_of(
        choice(scale=node("ScaleFactor"), zero=node("Zero", [2, 3])),
        choice(mass=node("MassMLP", choice([4], [8])), mlp=node("MLP", [4])),
    )


def _size(pipeline, architecture):
    return sum(p.numel() for p in build_graph(resolve(pipeline, architecture), seed=0).parameters())


def test_sizes_are_those_of_the_candidates(pipeline, table):
    found = describe_space(pipeline, table)
    ways = list(architectures(pipeline))
    assert found.architectures == len(ways) == 6
    assert found.largest == max(_size(pipeline, way) for way in ways)
    assert found.parameters == 6 + 13 + 25 + 33
    assert found.bytes == 4 * 4 * found.parameters
    assert found.available > found.bytes
    assert found.mistakes == found.unmixed == ()


def test_each_path_of_a_small_space_is_timed(pipeline, table):
    found = describe_space(pipeline, table)
    assert set(found.seconds) == set(architectures(pipeline))
    assert found.complete
    assert all(seconds > 0 for seconds in found.seconds.values())


def test_of_a_large_space_each_option_is_timed_once(pipeline, table, monkeypatch):
    monkeypatch.setattr(overview, "TIMED", 4)
    found = describe_space(pipeline, table)
    decisions = {decision for path in found.seconds for decision in path.items()}
    assert decisions == {decision for path in architectures(pipeline) for decision in path.items()}
    assert len(found.seconds) < 6
    assert not found.complete


def test_choices_outside_the_models_count_for_their_first_option(pipeline, pipeline_of, table):
    tasks = pipeline.tasks
    open_ = pipeline_of(epochs=choice(1, 2)).model_copy(update={"tasks": tasks})
    assert describe_space(open_, table).architectures == 6


def test_what_does_not_fit_is_told_and_not_timed(pipeline_of, table):
    found = describe_space(pipeline_of(second=choice(node("MassMLP"), node("Linear", 2, 1))), table)
    assert [mistake.path for mistake in found.mistakes] == [("tasks", "classify", "model")]
    assert found.seconds == {}
