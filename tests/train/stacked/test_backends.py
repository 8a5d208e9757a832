"""Every way of running modules together gives, after five steps of training, what each gives alone."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tsunagu.layers import registry, reseed
from tsunagu.spec import node
from tsunagu.tasks import build
from tsunagu.train.stacked import Gradients, Inputs, Pick, Rows, choose

MEMBERS, EVENTS = 3, 20


class Shared(nn.Module):
    """A weight of its own beside its layers: no batched form, but vmap can do it."""

    def __init__(self):
        super().__init__()
        self.layer, self.scale = nn.Linear(3, 2), nn.Parameter(torch.ones(2))

    def forward(self, x):
        return self.layer(x) * self.scale


class Centred(nn.Module):
    """Looks across the events of its member, which a folded batch would mix up: the probe must notice."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 2)

    def forward(self, x):
        return self.layer(x - x.mean(dim=0))


class Stubborn(nn.Module):
    """Neither batched nor vmapped: it asks for a number while it runs."""

    def __init__(self):
        super().__init__()
        self.layer, self.scale = nn.Linear(3, 2), nn.Parameter(torch.ones(2))

    def forward(self, x):
        return self.layer(x) * self.scale * (2.0 if float(x.sum()) > 1e9 else 1.0)


class Frozen(nn.Module):
    """One layer that is not trained."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(3, 4), nn.Linear(4, 2)
        self.first.requires_grad_(False)

    def forward(self, x):
        return self.second(self.first(x).tanh())


class Tied(nn.Module):
    """One layer that is used twice: its gradient has two parts."""

    def __init__(self):
        super().__init__()
        layer = nn.Linear(3, 3)
        self.layers = nn.Sequential(nn.Linear(3, 3), layer, nn.Tanh(), layer, nn.ReLU(), nn.Linear(3, 1))

    def forward(self, x):
        return self.layers(x)


class Unused(nn.Module):
    """A layer that no output depends on: its gradient is 0."""

    def __init__(self):
        super().__init__()
        self.used, self.unused = nn.Linear(3, 2), nn.Linear(3, 2)

    def forward(self, x):
        return self.used(x)


def _dense(activation):
    return [node("Linear", 3, 5), node(activation), node("Linear", 5, 4), node(activation)]


JETS = ((2, 3, 16, 16), (2, 4))
MISSING = ((2, 3), (2,))
CASES = {
    "linear": ("batched", node("Linear", 3, 2), ((3,),)),
    "no bias": ("batched", node("Linear", 3, 2, False), ((3,),)),
    "dense": ("batched", node("MLP"), ((2, 3),)),
    "dropout": ("batched", node("MLP", dropout=0.3), ((2, 3),)),
    "lstm": ("batched", node("LSTM", dropout=0.1), ((2, 3),)),
    "mass": ("batched", node("MassMLP"), ((2, 3),)),
    **{
        key: ("batched", node(key, met=True), MISSING)
        for key in ("MLP", "LSTM", "MassMLP", "RotatedMLP", "ResidualMLP", "DeepSets", "TauAttention")
    },
    "tagger": ("batched", node("JetTagger"), JETS),
    "tagged jets": ("batched", node("TauMLP", tags=2), (*JETS, (2, 2))),
    "tagged taus": ("batched", node("RotatedMLP", met=True, tags=2), (*MISSING, (2, 2))),
    "set without met": ("batched", node("DeepSets", dropout=0.2), ((2, 3),)),
    "pixels": ("batched", node("TauMLP"), JETS),
    "layer norm": ("batched", [node("Linear", 3, 8), node("LayerNorm", 8), node("Linear", 8, 1)], ((3,),)),
    "plain layer norm": ("batched", [node("LayerNorm", 3, 1e-5, False), node("Linear", 3, 1)], ((3,),)),
    "batch norm": (
        "batched",
        [node("Linear", 3, 8, False), node("BatchNorm1d", 8), node("GELU"), node("Linear", 8, 1)],
        ((3,),),
    ),
    **{
        activation: ("batched", _dense(activation), ((3,),))
        for activation in ("ReLU", "Tanh", "Sigmoid", "SiLU", "GELU", "Mish", "ELU")
    },
    "two activations": ("batched", [*_dense("Tanh"), node("ReLU"), node("Linear", 4, 1)], ((3,),)),
    "condition": ("batched", node("FiLM", 6, 2), ((6,), (2,))),
    "tied": ("batched", node("Tied"), ((3,),)),
    "unused": ("batched", node("Unused"), ((3,),)),
    "frozen": ("batched", node("Frozen"), ((3,),)),
    "scale factor": ("vmap", node("ScaleFactor"), ((2, 4),)),
    "slopes": ("vmap", [node("Linear", 3, 4), node("PReLU"), node("Linear", 4, 1)], ((3,),)),
    "own weight": ("vmap", node("Shared"), ((3,),)),
    "across events": ("vmap", node("Centred"), ((3,),)),
    "a number": ("loop", node("Stubborn"), ((3,),)),
    "images": ("loop", node("TauCNN"), JETS),
    "noise": ("loop", node("Noise"), ((3,),)),
}


@pytest.fixture(autouse=True)
def _known(monkeypatch):
    for cls in (Shared, Centred, Stubborn, Frozen, Tied, Unused):
        monkeypatch.setitem(registry._registered, cls.__name__, cls)


def _members(spec):
    return [build(spec, seed=seed).train() for seed in range(MEMBERS)]


def _batches(shapes):
    draw = torch.Generator().manual_seed(5)
    return [[torch.rand(MEMBERS, EVENTS, *s, generator=draw) + 0.1 for s in shapes] for _ in range(5)]


def _objective(outputs):
    return (outputs - 0.3).square().flatten(1).mean(1).sum()


def _train_together(spec, shapes):
    modules = _members(spec)
    rows, forward = Rows(modules), None
    made = torch.optim.Adam([rows.whole], lr=1e-2)
    for step, columns in enumerate(_batches(shapes)):
        inputs = Inputs([Pick(column, tuple(range(MEMBERS))) for column in columns])
        forward = forward or choose(modules, rows, inputs)
        for number, module in enumerate(modules):
            reseed(module, 10 * step + number)
        total = _objective(forward.run(inputs))
        Gradients([(rows, forward)]).write(total)
        made.step()
    return forward.backend, modules


def _train_alone(spec, shapes):
    modules = _members(spec)
    for number, module in enumerate(modules):
        trained = [p for p in module.parameters() if p.requires_grad]
        made = torch.optim.Adam(trained, lr=1e-2) if trained else None
        for step, columns in enumerate(_batches(shapes)):
            reseed(module, 10 * step + number)
            loss = _objective(module(*(column[number] for column in columns)).unsqueeze(0))
            if made is not None:
                made.zero_grad()
                loss.backward()
                made.step()
    return modules


@pytest.mark.parametrize("case", CASES)
def test_a_member_equals_the_same_module_alone(case):
    backend, spec, shapes = CASES[case]
    found, together = _train_together(spec, shapes)
    assert found == backend
    for ours, theirs in zip(together, _train_alone(spec, shapes), strict=True):
        expected = dict(theirs.state_dict())
        for name, value in ours.state_dict().items():
            size = float(expected[name].abs().max()) if expected[name].is_floating_point() else 1.0
            torch.testing.assert_close(value, expected[name], rtol=1e-5, atol=1e-5 * max(size, 1e-2))


def test_one_module_is_run_alone():
    modules = _members(node("Linear", 3, 2))[:1]
    inputs = Inputs([Pick(torch.rand(1, 4, 3, generator=torch.Generator().manual_seed(1)), (0,))])
    forward = choose(modules, Rows(modules), inputs)
    assert forward.backend == "alone"
    assert forward.run(inputs).shape == (1, 4, 2)


def test_the_probe_leaves_no_trace():
    modules = _members([node("Linear", 3, 8), node("BatchNorm1d", 8)])
    before = [{name: value.clone() for name, value in m.state_dict().items()} for m in modules]
    columns = _batches(((3,),))[0]
    choose(modules, Rows(modules), Inputs([Pick(columns[0], (0, 1, 2))]))
    for module, old in zip(modules, before, strict=True):
        assert all(torch.equal(value, old[name]) for name, value in module.state_dict().items())


def test_members_may_read_one_row():
    modules = _members(node("Linear", 3, 2))
    shared = torch.rand(1, 4, 3, generator=torch.Generator().manual_seed(1))
    inputs = Inputs([Pick(shared, (0, 0, 0))])
    made = choose(modules, Rows(modules), inputs).run(inputs)
    for module, output in zip(modules, made, strict=True):
        torch.testing.assert_close(output, module(shared[0]))
