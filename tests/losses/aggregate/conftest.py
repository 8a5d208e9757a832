"""A step that aggregators are shown."""

from __future__ import annotations

import pytest
import torch

from tsunagu.losses import Moment, Seen


@pytest.fixture
def seen_of():
    """A step of one member, from its gradients ``[T, P]``."""

    def make(rows, losses=None, state=None, moment=None):
        rows = torch.as_tensor(rows, dtype=torch.float64)
        losses = torch.ones(len(rows)) if losses is None else torch.as_tensor(losses)
        return Seen(
            losses=losses.double()[None],
            states=[state or {}],
            moments=[moment or Moment(1, 0)],
            gramian=(rows @ rows.T)[None],
            jacobian=[rows],
        )

    return make
