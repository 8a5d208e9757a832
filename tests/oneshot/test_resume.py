"""A search that stops after any step and goes on from its stored state ends in the bytes of one that did not stop."""

from __future__ import annotations

import pytest
import torch

from tsunagu.errors import ResumeError
from tsunagu.search import Asng, Darts, Enas, Gdas, Spos
from tsunagu.spec import choice, node

SEARCHERS = {
    "Spos": Spos(),
    "FairNAS": Spos(fair=True),
    "Asng": Asng(),
    "Enas": Enas(samples=2, hidden=4),
    "Darts": Darts(rate=0.1, individual=0.0, warmup=1),
    "Darts of second order": Darts(order=2, rate=0.1),
    "Darts alone": Darts(rate=0.1, selection="alone"),
    "Gdas": Gdas(rate=0.1),
}
RANDOM = [node("Linear", 3, 8), node("BatchNorm1d", 8), node("Dropout", 0.3), node("Linear", 8, 3)]


@pytest.fixture
def pipeline(chain_of):
    first = choice(
        tanh=[node("Linear", 3, 3), node("Tanh")], random=RANDOM, noise=node("Noise", output=[3]), name="a"
    )
    optimizer = node("AdamW", lr=0.01, weight_decay=0.1)
    return chain_of(first=first, schedule=node("warmup", share=0.3), clip=0.5, optimizer=optimizer)


def _outcome(search):
    chosen = search.choose()
    rows = [(row.stage, row.epoch, row.step, row.train_loss) for row in search.position.history]
    return {n: v.clone() for n, v in search.tensors().items()}, (rows, search.trajectory, chosen)


@pytest.mark.parametrize("searcher", SEARCHERS.values(), ids=SEARCHERS)
def test_from_every_step(pipeline, search_of, searcher):
    whole, states = search_of(pipeline, searcher), []

    def keep(now):
        states.append((now.note(), {name: value.clone() for name, value in now.tensors().items()}))

    keep(whole)
    whole.run(on_step=keep, on_epoch=keep)
    tensors, outcome = _outcome(whole)
    assert len(states) == 1 + 3 * 2 * (3 + 1)
    for note, stored in states:
        again = search_of(pipeline, searcher)
        again.restore(note, stored)
        again.run()
        found, other = _outcome(again)
        assert other == outcome
        assert found.keys() == tensors.keys()
        assert all(torch.equal(found[name], tensors[name]) for name in tensors)


def test_the_state_of_another_search_is_refused(pipeline, chain_of, search_of):
    search = search_of(pipeline, Spos())
    other = search_of(chain_of(), Spos())
    with pytest.raises(ResumeError, match="other choices"):
        search.restore(other.note(), other.tensors())
    wider = chain_of(
        second=choice(
            gelu=[node("Linear", 3, 1)], tanh=node("Linear", 3, 1), line=node("Linear", 3, 1), name="second"
        )
    )
    with pytest.raises(ResumeError, match="not those of this pipeline"):
        search_of(wider, Spos()).restore(other.note(), other.tensors())
