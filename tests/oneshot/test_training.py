"""What a supernet learns under a searcher: drawn paths and nothing else, and of these what they would learn alone."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
import torch

from tsunagu.errors import SpecError, TsunaguError
from tsunagu.layers import Dropout
from tsunagu.random import derive_seed
from tsunagu.search import Asng, Darts, Enas, Gdas, Grid, Spos
from tsunagu.spec import Architecture, architectures, choice, node, resolve
from tsunagu.tasks.supernet import leaves_of, single_path
from tsunagu.train import Training

OPTIMIZERS = {
    "adam": node("AdamW", lr=0.01, weight_decay=0.1),
    "momentum": node("SGD", lr=0.01, momentum=0.9, weight_decay=0.1),
}


def _kept(tensors):
    return {name: value.clone() for name, value in tensors.items() if not name.startswith("searcher.")}


def _weights(net):
    return {name: value.clone() for name, value in net.state_dict().items()}


def _watched(search):
    """All tensors before the last stage and after each of its steps."""
    states = []

    def keep(now):
        if now.position.stage == len(now.stages) - 1:
            states.append(_kept(now.tensors()))

    search.run(on_step=keep)
    return states


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_a_step_changes_the_drawn_path_and_nothing_else(chain_of, search_of, optimizer):
    search = search_of(chain_of(pretrain=False, epochs=4, optimizer=optimizer, clip=1.0), Spos())
    states = [_kept(search.tensors()), *_watched(search)]
    state = Spos().init(search.space, derive_seed(3, "search"))
    for step, (before, after) in enumerate(pairwise(states)):
        changed = {n for n, v in after.items() if n not in before or not torch.equal(v, before[n])} - {"loss"}
        (drawn,) = Spos().ask_training(state, step)
        on_path = set(map(id, single_path(search.graph, drawn).modules()))
        own = {name for name, leaf in leaves_of(search.graph).items() if id(leaf) in on_path}
        assert own == {
            name for name in leaves_of(search.graph) if any(f".{name}" in each for each in changed)
        }
        assert all(any(f".{name}" in each for name in own) for each in changed)


def _times_trained(search):
    """How often each leaf was moved, by Adam's own count."""
    return {name: int(value) for name, value in search.tensors().items() if name.endswith(".step")}


def test_drawn_paths_are_uniform(chain_of, search_of):
    search = search_of(chain_of(pretrain=False, epochs=100), Spos())
    search.run()
    by_task = {task: Counter() for task in search.graph.models}
    for name, times in _times_trained(search).items():
        task, option = name.split(".")[2], name.split(".")[4]
        by_task[task][option] = times
    for times in by_task.values():
        assert sum(times.values()) == 300
        assert (
            sum((each - 100) ** 2 / 100 for each in times.values()) < 13.8
        )  # chance 0.001 with two free numbers


@pytest.mark.parametrize("epochs", [1, 2])
def test_fair_counts_are_equal_after_every_step(chain_of, search_of, epochs):
    search = search_of(chain_of(pretrain_epochs=epochs, epochs=epochs), Spos(fair=True))
    counts = []
    search.run(on_step=lambda now: counts.append(set(_times_trained(now).values())))
    assert counts == [{step + 1} for _ in search.stages for step in range(3 * epochs)]


EACH = choice(
    tanh=[node("Linear", 3, 8), node("Tanh"), node("Dropout", 0.3), node("Linear", 8, 1)],
    relu=[node("Linear", 3, 5), node("ReLU"), node("BatchNorm1d", 5), node("Linear", 5, 1)],
    line=node("Linear", 3, 1),
    name="model",
)
ALONE = {
    "adam": {},
    "momentum": {"optimizer": node("SGD", lr=0.01, momentum=0.9)},
    "decay and schedule": {
        "optimizer": node("AdamW", lr=0.01, weight_decay=0.1),
        "schedule": node("warmup", share=0.3),
    },
}


@pytest.mark.parametrize("settings", ALONE.values(), ids=ALONE)
def test_paths_that_share_nothing_learn_what_they_learn_alone(fit_of, search_of, events, split, settings):
    """Bit for bit, dropout masks and running statistics included, although all are trained in one step."""
    pipeline = fit_of(EACH, epochs=3, **settings)
    search = search_of(pipeline, Spos(fair=True))
    search.run()
    for architecture in architectures(pipeline):
        alone, kept = Training(resolve(pipeline, architecture), events, split, seed=3), []
        alone.run(on_epoch=lambda now, kept=kept: kept.append(_weights(now.graph)))
        found = _weights(single_path(search.graph, architecture))
        assert found.keys() == kept[-1].keys()
        assert all(torch.equal(found[name], kept[-1][name]) for name in found)


def test_in_a_chain_so_they_do_as_long_as_each_task_is_alone(chain_of, search_of, events, split):
    pipeline = chain_of(pretrain_epochs=2, epochs=0)
    search = search_of(pipeline, Spos())
    search.run()
    for architecture in [
        Architecture({"first": a, "second": b}) for a, b in (("tanh", "gelu"), ("relu", "tanh"))
    ]:
        alone = Training(resolve(pipeline, architecture), events, split, seed=3)
        rows = alone.position.history
        kept = {}
        alone.run(on_epoch=lambda now, kept=kept: kept.update({now.stage.name: _weights(now.graph)}))
        assert len(rows) == 4
        found = _weights(single_path(search.graph, architecture))
        for task in ("calibrate", "classify"):
            own = {n: v for n, v in kept[f"pretrain {task}"].items() if n.startswith(f"models.{task}.")}
            assert own
            assert all(torch.equal(found[name], own[name]) for name in own)


def test_tasks_that_do_not_learn_in_a_stage_do_not_decay_either(chain_of, search_of):
    search = search_of(chain_of(pretrain_epochs=1, epochs=0, optimizer=OPTIMIZERS["adam"]), Spos())
    before, seen = _weights(search.graph), []
    search.run(on_epoch=lambda now: seen.append(_weights(now.graph)))
    for task, after in (("classify", seen[0]),):
        own = [name for name in before if name.startswith(f"models.{task}.")]
        assert all(torch.equal(before[name], after[name]) for name in own)


def test_the_mean_gradient_moves_what_several_paths_hold(fit_of, search_of):
    """With three paths of one activation each, the layers around it see three gradients; SGD shows the size of the step."""
    shared = [node("Linear", 3, 8), choice(a=node("Tanh"), b=node("Tanh"), c=node("Tanh"), name="act")]
    shared += [node("Linear", 8, 1)]
    settings = {"epochs": 1, "optimizer": node("SGD", lr=0.1)}
    many, one = (search_of(fit_of(shared, **settings), Spos(fair=fair)) for fair in (True, False))
    for search in (many, one):
        search.run()
    first, second = _weights(many.graph), _weights(one.graph)
    for name in first:
        torch.testing.assert_close(first[name], second[name], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("searcher", [Asng(), Enas()], ids=["Asng", "Enas"])
def test_equal_losses_and_dropout_never_give_nan(fit_of, search_of, searcher):
    option = [node("Dropout", 0.5), node("Constant", -1.0)]
    model = choice(a=option, b=option, name="model")
    search = search_of(fit_of(model, epochs=20), searcher)
    search.run()
    chosen = search.choose()
    held = [value for epoch in search.trajectory for value in epoch["model"].values()]
    assert len(held) == 40
    assert all(0.0 < value < 1.0 for value in held)
    assert set(chosen.values) == set(architectures({"model": model}))
    assert len(set(chosen.values.values())) == 1


@pytest.mark.parametrize("searcher", [Darts(warmup=2), Gdas(warmup=2)], ids=["Darts", "Gdas"])
def test_nothing_is_asked_in_the_warmup_while_the_weights_learn(chain_of, search_of, searcher):
    search = search_of(chain_of(pretrain=False, epochs=4), searcher)
    before, weights = _kept(search.tensors()), []
    search.run(on_epoch=lambda now: weights.append(_kept(now.tensors())))
    first, second, third, _ = search.trajectory
    assert first == second != third
    for name in (n for n in before if n.startswith("now.")):
        assert not torch.equal(weights[1][name], before[name])


def test_a_searcher_counts_the_questions_that_it_gets(chain_of, search_of):
    """So the temperature of GDAS reaches its end."""
    search = search_of(chain_of(pretrain=False, epochs=3), Gdas(warmup=1))
    search.run()
    (steps,) = {len(search.trajectory) * search.steps_per_epoch - 3}
    assert f'"step": {steps}' in search.note()


def test_dropout_draws_anew_in_each_step_and_the_same_in_a_second_run(fit_of, search_of):
    masks = [[], []]
    for kept in masks:
        model = [node("Linear", 3, 8), choice(node("Tanh"), node("GELU"), name="act"), node("Dropout", 0.5)]
        search = search_of(fit_of([*model, node("Linear", 8, 1)], epochs=1), Asng())
        (layer,) = (part for part in search.graph.modules() if isinstance(part, Dropout))
        layer.register_forward_hook(lambda _, __, made, kept=kept: kept.append(made.detach().clone()))
        search.run()
    trained = [[made for made in kept if (made == 0.0).float().mean() > 0.2] for kept in masks]
    assert len(trained[0]) == 2 * search.steps_per_epoch
    assert all(map(torch.equal, *trained))
    assert not torch.equal(trained[0][0] == 0.0, trained[0][2] == 0.0)


def test_what_cannot_be_searched_with_one_training_is_said(chain_of, search_of):
    with pytest.raises(SpecError, match="Grid trains each candidate by itself"):
        search_of(chain_of(), Grid())
    with pytest.raises(SpecError, match="leave joint at true"):
        search_of(chain_of(joint=False), Spos())
    with pytest.raises(SpecError, match="above its warmup of 2"):
        search_of(chain_of(), Darts(warmup=2))


def test_a_path_that_draws_from_the_global_generator_is_found(fit_of, search_of):
    model = choice(a=[node("Linear", 3, 1)], b=[node("Linear", 3, 1), node("Careless")], name="model")
    search = search_of(fit_of(model, epochs=10), Spos())
    with pytest.raises(TsunaguError, match=r"epoch \d+: a model draws from torch's global generator"):
        search.run()


def test_a_loss_that_is_not_a_number_stops_with_its_place(chain_of, search_of):
    search = search_of(chain_of(optimizer=node("SGD", lr=1e30), epochs=5), Spos())
    with pytest.raises(TsunaguError, match=r"pretrain \w+, epoch \d: the loss is not a number"):
        search.run()
