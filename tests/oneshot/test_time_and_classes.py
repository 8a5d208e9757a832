"""A supernet with a loss that knows the training events and changes with time."""

from __future__ import annotations

import pytest

from tsunagu.oneshot import OneShot
from tsunagu.search import Darts, Spos
from tsunagu.spec import Folds, LossTerm, Pipeline, Task, Train, choice, node


@pytest.mark.parametrize("searcher", [Spos(), Darts()], ids=["spos", "darts"])
def test_every_path_has_the_class_weights_of_its_epoch(table, searcher):
    hidden = choice(small=node("Linear", 8, 6), other=[node("Linear", 8, 4), node("Linear", 4, 6)])
    loss = LossTerm(key="ldam", target="is_higgs", args={"deferred": 0.5})
    model = [node("Flatten"), hidden, node("Cosine", 6, 2)]
    task = Task(inputs=["jet_p4"], output="z", model=model, loss=loss)
    train = Train(epochs=2, batch_size=64, optimizer=node("SGD", lr=1e-3))
    pipeline = Pipeline(tasks={"classify": task}, train=train, metric="balanced_accuracy(z, is_higgs)")
    split, forms = table.split(Folds()), []
    search = OneShot(pipeline, searcher, table, split, seed=1)
    search.run(on_epoch=lambda each: forms.append(each.stage.at(each.position.epoch - 1).terms[0].loss))
    assert [form.reweighted for form in forms] == [False, True]
    assert sum(forms[0].sizes) == len(split.train)
    assert all(line.train_loss > 0 for line in search.position.history)
    assert 0.0 <= search.choose().value <= 1.0
