"""NAS-Bench-Graph (Qin et al., arXiv:2206.09166): the searchers on 26,206 graph networks that others have trained."""

import numpy as np
import pytest

from tsunagu.search import Asng, Evolution, Random, Space
from tsunagu.spec import choice

EVALUATIONS, SEEDS = 200, 20


@pytest.fixture(scope="module")
def bench():
    nas_bench_graph = pytest.importorskip(
        "nas_bench_graph", reason="a table of trained networks, for this test only"
    )
    return nas_bench_graph, nas_bench_graph.light_read("arxiv")


@pytest.fixture(scope="module")
def space(bench):
    layers, links = bench[0].architecture.gnn_list, bench[0].architecture.link_list
    shapes = {"".join(map(str, link)): 0 for link in links}
    return Space(
        {"links": choice(**{f"l{shape}": 0 for shape in shapes})}
        | {f"layer{i}": choice(*layers) for i in range(4)}
    )


@pytest.fixture(scope="module")
def loss(bench):
    module, table = bench

    def error(architecture):
        links = [int(digit) for digit in architecture["links"][1:]]
        found = table.get(module.Arch(links, [architecture[f"layer{i}"] for i in range(4)]).valid_hash())
        return float("nan") if found is None else 1.0 - found["valid_perf"]

    return error


def _best_losses(run, search, space, loss):
    """The smallest loss that each seed sees; an architecture that comes again counts again."""
    return np.array([min(_losses(run, search, space, loss, seed)) for seed in range(SEEDS)])


def _losses(run, search, space, loss, seed):
    seen = []

    def remembered(architecture):
        seen.append(loss(architecture))
        return seen[-1]

    run(search, space, remembered, seed)
    assert len(seen) == EVALUATIONS
    return [value for value in seen if np.isfinite(value)]


def test_the_table_covers_the_space(space, loss):
    assert space.count == 9 * 9**4
    drawn = Random(evaluations=500).ask(Random().init(space, 1)).architectures
    assert np.isfinite([loss(a) for a in drawn]).mean() > 0.99


@pytest.mark.parametrize(
    "search",
    [
        Evolution(population=20, iterations=EVALUATIONS // 20, top=10, mutations=10, crossings=10),
        Asng(steps=EVALUATIONS // 2, delta0=0.3),
    ],
    ids=lambda search: type(search).__name__,
)
def test_it_beats_random_search(run, space, loss, search):
    found = _best_losses(run, search, space, loss)
    gain = _best_losses(run, Random(evaluations=EVALUATIONS), space, loss) - found
    assert gain.mean() > 2.0 * gain.std() / np.sqrt(SEEDS)
