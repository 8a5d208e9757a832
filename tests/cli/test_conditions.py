"""What ``tsunagu plan`` says of conditions."""

from __future__ import annotations

import tsunagu as tn
from tsunagu.cli.conditions import describe_conditions
from tsunagu.spec import node


def test_shared_draws_and_the_scalarisation_are_told():
    trade = tn.simplex("a", "b")
    loss = [tn.loss("mse", target=t, weight=tn.condition("trade", trade, part=t)) for t in "ab"]
    model = node("MLP", hidden=[8], inputs=1, momenta=False)
    task = tn.Task(inputs=["x"], output="w", model=model, loss=loss)
    chain = tn.Pipeline(
        tasks={"fit": task}, train=tn.Train(scalarise=node("stch", mu=0.05, events=16)), metric="mse(w, a)"
    )
    grid, scalarised, sites = describe_conditions(chain)
    assert next(grid.columns[1].cells) == "simplex(a, b), one draw for 16 events"
    assert scalarised == "mean losses become one number by stch(mu=0.05), in place of their weighted sum"
    assert sites == "they enter at 1 site of fit (8 features)"
