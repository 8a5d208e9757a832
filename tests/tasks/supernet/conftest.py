"""Small spaces that together have every kind of choice, and pipelines in which choices stand."""

from __future__ import annotations

import pytest
import torch

from tsunagu.spec import LossTerm, Pipeline, Task, choice, choices, node


def _dense(*sizes, **settings):
    """An MLP of plain numbers."""
    return node("MLP", hidden=list(sizes), inputs=3, outputs=3, momenta=False, **settings)


WIDTH = choice(4, 8, name="width")

SPACES = {
    "nothing open": [node("Linear", 3, 3), node("ReLU")],
    "modules": choice(mlp=_dense(4), line=node("Linear", 3, 3)),
    "an activation between layers": [
        node("Linear", 3, 5),
        choice(node("ReLU"), node("GELU"), node("Mish"), name="act"),
        node("Linear", 5, 3),
    ],
    "a number": node("MLP", hidden=[choice(4, 6)], inputs=3, outputs=3, momenta=False),
    "a list": node("MLP", hidden=choice(short=[4], long=[4, 4]), inputs=3, outputs=3, momenta=False),
    "two arguments": _dense(4, activation=choice("ReLU", "Tanh"), dropout=choice(0.0, 0.5)),
    "one name, two layers": [node("Linear", 3, WIDTH), node("BatchNorm1d", WIDTH), node("Linear", WIDTH, 3)],
    "lists of layers": choice(
        deep=[node("Linear", 3, 4), choice(node("ReLU"), node("Tanh")), node("Linear", 4, 3)],
        flat=[node("Linear", 3, 3)],
    ),
    "options in options": choice(
        mlp=_dense(choice(4, 8), activation=choice(relu="ReLU", soft=choice("GELU", "Mish"))),
        line=choice(node("Linear", 3, 3), node("Identity")),
    ),
    "nodes in arguments": _dense(
        4, activation=choice(node("ReLU"), leaky=node("LeakyReLU", choice(0.1, 0.2)))
    ),
    "a sequence that is a node": node(
        "Sequential", node("Linear", 3, 3), choice(node("Dropout", 0.5), node("Tanh")), node("Linear", 3, 3)
    ),
    "a name inside and outside an option": [
        choice(
            norm=[node("Linear", 3, WIDTH), node("Linear", WIDTH, 3)], none=node("Identity"), name="block"
        ),
        node("Linear", 3, WIDTH),
        node("Linear", WIDTH, 3),
    ],
}


@pytest.fixture(params=SPACES.values(), ids=SPACES.keys())
def space(request):
    return request.param


# A mixture needs equal shapes.
MIXABLE = {name: space for name, space in SPACES.items() if choices(space) and "width" not in choices(space)}


@pytest.fixture(params=MIXABLE.values(), ids=MIXABLE.keys())
def mixable(request):
    return request.param


@pytest.fixture(scope="session")
def events():
    return torch.randn(16, 3, generator=torch.Generator().manual_seed(3))


@pytest.fixture(scope="session")
def tasks_of():
    """A pipeline from ``name: (inputs, model)``; each task's output is its name in capitals, supervised by a column."""

    def make(**tasks):
        made = {
            name: Task(
                inputs=list(inputs),
                output=name.upper(),
                model=model,
                loss=LossTerm(key="mse", target=f"true_{name}"),
            )
            for name, (inputs, model) in tasks.items()
        }
        first = next(iter(tasks))
        return Pipeline(tasks=made, metric=f"mse({first.upper()}, true_{first})")

    return make


@pytest.fixture(scope="session")
def dense():
    return _dense
