"""The contract of an aggregator finds what breaks it."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
import torch

from tsunagu.losses import Aggregator, Combined
from tsunagu.testing import check_aggregator_contract


@dataclass(frozen=True, kw_only=True)
class Broken(Aggregator):
    """Equal weights with one fault."""

    fault: str
    calls: list = field(default_factory=list, hash=False)

    @property
    def reads(self):
        return "gradients"

    def begin(self, objectives):
        return {"steps": torch.zeros(())}

    def combine(self, seen):
        self.calls.append(0)
        weights = torch.ones_like(seen.losses)
        states = [{"steps": state["steps"] + 1.0} for state in seen.states]
        if self.fault == "shape":
            weights = weights[:, :1]
        if self.fault == "nan":
            weights = weights * torch.nan
        if self.fault == "draws":
            torch.rand(1)
        if self.fault == "calls":
            weights = weights * len(self.calls)
        if self.fault == "members":
            weights = weights * len(seen.states)
        if self.fault == "in place":
            seen.losses.add_(1.0)
        if self.fault == "state in place":
            for state in seen.states:
                state["steps"].add_(1.0)
        if self.fault == "states":
            states = states[:1]
        return Combined(weights=weights, states=states)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("shape", r"weights of shape \[3, 1\], expected \[3, 3\]"),
        ("nan", "weights are not finite"),
        ("draws", "global generator"),
        ("calls", "the same step gives something else"),
        ("members", "a member alone"),
        ("in place", "it changes what it is given"),
        ("state in place", "it changes what it is given"),
        ("states", "1 states for 3 members"),
    ],
)
def test_a_fault_is_found(fault, words):
    with pytest.raises(AssertionError, match=words):
        check_aggregator_contract(Broken(fault=fault))


def test_what_has_none_passes():
    check_aggregator_contract(Broken(fault=""))
