"""What takes turns: a task's candidates in each step, validation events in each question."""

from __future__ import annotations

from collections import Counter

import torch

from tsunagu.oneshot.rounds import Candidates, Questioned
from tsunagu.search import Space
from tsunagu.spec import choice, node
from tsunagu.tasks import stages


def _candidates(pipeline, stage):
    space = Space({"tasks": pipeline.tasks})
    return space, Candidates(pipeline, space, stages(pipeline)[stage], seed=1)


def test_each_candidate_of_the_task_once_a_step_and_legal(chain_of):
    wide = choice(node("Linear", 3, 3), node("Tanh"), name="other")
    space, own = _candidates(chain_of(second=[wide, node("Linear", 3, 1)]), 0)
    for step in range(5):
        paths = own.at(step)
        assert sorted(path["first"] for path in paths) == ["line", "relu", "tanh"]
        assert len({path["other"] for path in paths}) == 1
        for path in paths:
            space.check(path)


def test_a_name_that_two_tasks_share_is_decided_by_the_one_that_is_trained(chain_of):
    width = choice(2, 4, name="width")
    inner = choice(
        a=[node("Linear", width, 1)], b=[node("Linear", width, 4), node("Linear", 4, 1)], name="head"
    )
    first = [node("Linear", 3, width), node("Linear", width, 3)]
    space, own = _candidates(chain_of(first=first, second=[node("Linear", 3, width), inner]), 0)
    assert Counter(path["width"] for path in own.at(0)) == {"2": 1, "4": 1}
    for path in own.at(0):
        space.check(path)


def test_a_task_without_choices_is_one_path(chain_of):
    _, own = _candidates(chain_of(first=node("Linear", 3, 3)), 0)
    assert len(own.at(0)) == 1


def test_questions_go_around_and_leave_out_the_rest(events, split):
    questioned = Questioned(events, split.validation, 50, seed=1)
    rounds = [[questioned.at(step) for step in (2 * number, 2 * number + 1)] for number in range(3)]
    for batches in rounds:
        assert [len(rows) for rows in batches] == [50, 50]
        seen = torch.cat(batches)
        assert len(seen.unique()) == 100
        assert torch.isin(seen, split.validation).all()
    assert not torch.equal(rounds[0][0], rounds[1][0])
    assert torch.equal(questioned.at(1), rounds[0][1])


def test_few_events_are_one_batch(events, split):
    questioned = Questioned(events, split.validation[:7], 50, seed=1)
    assert [len(questioned.at(step)) for step in range(3)] == [7, 7, 7]
