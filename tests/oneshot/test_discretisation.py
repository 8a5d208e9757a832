"""The trap of the mixture as a supernet: options that cancel each other look best together, and are bad alone."""

from __future__ import annotations

import pytest

from tsunagu.search import Asng, Darts, Enas, Gdas, Spos

TRAP = 1.0, -1.0, 0.1
SEARCHERS = {
    "Spos": (Spos(), 1),
    "FairNAS": (Spos(fair=True), 1),
    "Asng": (Asng(), 100),
    "Enas": (Enas(rate=0.02), 150),
    "Gdas": (Gdas(rate=0.01), 1200),
    "what is best alone": (Darts(rate=0.05, decay=0.0, individual=0.0, selection="alone"), 400),
}


@pytest.mark.parametrize("selection", ["argmax", "perturbation"])
def test_darts_falls_into_it(trap_of, search_of, selection):
    searcher = Darts(rate=0.01, decay=0.0, spread=0.0, individual=0.0, selection=selection)
    search = search_of(trap_of(*TRAP, steps=1000), searcher)
    search.run()
    assert search.position.history[-1].train_loss < 1e-6
    chosen = search.choose()
    assert chosen.architecture["model"] == "c1"
    assert chosen.value == pytest.approx(1.0)
    assert chosen.confidence == pytest.approx(0.35, abs=0.01)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("searcher", "steps"), SEARCHERS.values(), ids=SEARCHERS)
def test_the_others_pick_the_best(trap_of, search_of, searcher, steps, seed):
    search = search_of(trap_of(*TRAP, steps=steps), searcher, seed)
    search.run()
    chosen = search.choose()
    assert chosen.architecture["model"] == "c2"
    assert chosen.value == pytest.approx(0.01)
