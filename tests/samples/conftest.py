from __future__ import annotations

import io

import numpy as np
import pytest


def _made_up_shard(shard, draw):
    rows = shard.rows
    pair = {f"jet_{n}": draw.random((rows, 2)).astype(np.float32) for n in ("pt", "eta", "phi", "mass")}
    single = {n: draw.random(rows).astype(np.float32) for n in ("gen_weight", "met_x", "vis_mass")}
    image = {"jet_image": draw.random((rows, 2, 3, 16, 16)).astype(np.float16)}
    counts = {"n_generated": np.array(2.0 * rows), "sum_gen_weight": np.array(1.5 * rows)}
    content = io.BytesIO()
    np.savez(content, **pair, **single, **image, **counts)
    return content.getvalue()


@pytest.fixture
def made_up_shard() -> object:
    """What a simulated shard would hold, made of random numbers."""
    return _made_up_shard
