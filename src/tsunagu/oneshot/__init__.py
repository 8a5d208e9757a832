"""Search with one training: a supernet that is trained under a searcher, and the architecture it comes to.

:class:`OneShot` is to a supernet what :class:`tsunagu.train.Training` is to one pipeline.

>>> import torch
>>> from tsunagu.data import Split, Table
>>> from tsunagu.search import Spos
>>> from tsunagu.spec import LossTerm, Pipeline, Task, Train, choice, node
>>> x, number = torch.linspace(-1.0, 1.0, 64)[:, None], torch.arange(64)
>>> table = Table(
...     columns={"x": x, "y": x**2},
...     weight=torch.ones(64, dtype=torch.float64),
...     train_weight=torch.ones(64),
...     event_number=number,
...     fold=number % 4,
...     fingerprint="made up",
... )
>>> curve = [node("Linear", 1, 16), node("ReLU"), node("Linear", 16, 1)]
>>> model = choice(line=node("Linear", 1, 1), curve=curve, name="model")
>>> task = Task(inputs=["x"], output="fit", model=model, loss=LossTerm(key="mse", target="y"))
>>> train = Train(epochs=20, batch_size=16, optimizer=node("Adam", lr=0.02))
>>> pipeline = Pipeline(tasks={"fit": task}, train=train, metric="mse(fit, y)")
>>> search = OneShot(pipeline, Spos(), table, Split(train=number[:48], validation=number[48:], test=number[:0]), seed=1)
>>> search.run()
>>> search.choose().architecture
Architecture({'model': 'curve'})
"""

from tsunagu.oneshot.choosing import MOST_JUDGED, Chosen
from tsunagu.oneshot.judging import Judge
from tsunagu.oneshot.strategy import strategy
from tsunagu.oneshot.training import OneShot

__all__ = ["MOST_JUDGED", "Chosen", "Judge", "OneShot", "strategy"]


def __dir__() -> list[str]:
    return __all__
